// What an editor offers while a verify function is written, by TypeScript's language service.
import { join } from 'node:path';
import { expect } from 'chai';
import ts from 'typescript5';

const CONTEXT = ['accessToken', 'profile', 'refreshToken', 'req', 'tokens'];

/** The names that are offered at the `|` of a program. */
function completionsAt(program: string): string[] {
  const file = join(__dirname, 'completions-program.ts');
  const text = `import { PipedriveStrategy, Strategy } from '../../lib';
    const options = { clientID: 'id', clientSecret: 'secret', callbackURL: '/callback' };
    ${program}`;
  const compilerOptions: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    strict: true,
    types: [],
  };
  const read = (path: string) => (path === file ? text.replace('|', '') : ts.sys.readFile(path));
  const service = ts.createLanguageService({
    ...ts.sys,
    useCaseSensitiveFileNames: () => ts.sys.useCaseSensitiveFileNames,
    fileExists: (path) => path === file || ts.sys.fileExists(path),
    readFile: read,
    getCompilationSettings: () => compilerOptions,
    getCurrentDirectory: () => __dirname,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
    getScriptFileNames: () => [file],
    getScriptVersion: () => '1',
    getScriptSnapshot: (path) => {
      const content = read(path);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
  });
  const completions = service.getCompletionsAtPosition(file, text.indexOf('|'), {});
  return (completions?.entries ?? []).map(({ name }) => name).sort();
}

describe('completions', function () {
  this.timeout(60_000);

  it('offers the five members of the context in ({ | }), and nothing else', () => {
    expect(completionsAt('new PipedriveStrategy(options, ({ | }) => false);')).to.deep.equal(CONTEXT);
  });

  it('offers what is left of the context in an async ({ profile, | })', () => {
    const left = CONTEXT.filter((name) => name !== 'profile');
    expect(completionsAt('new PipedriveStrategy(options, async ({ profile, | }) => profile);')).to.deep.equal(left);
  });

  it('offers the five members of the context after its name', () => {
    expect(completionsAt('new PipedriveStrategy(options, (context) => context.|);')).to.deep.equal(CONTEXT);
  });

  it("offers the profile's members in Passport's form of Strategy", () => {
    const program = 'new Strategy(options, (accessToken, refreshToken, profile, done) => done(null, profile.|));';
    expect(completionsAt(program)).to.include.members(['companyId', 'isAdmin', 'userId']);
  });
});
