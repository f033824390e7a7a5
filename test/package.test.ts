// The package as it is published, in an empty project: what is in it, both module systems, and the documents' programs.
import { expect } from 'chai';
import { freePort, Project, programsOf, tarball } from './support/project';

const names = [
  'CookieStateStore',
  'InternalOAuthError',
  'PipedriveStrategy',
  'SessionStateStore',
  'Strategy',
  'TokenError',
];

/** What the programs in the documents take for granted. */
const prelude = `
import express, { type NextFunction, type Request, type Response } from 'express';
import passport from 'passport';
import { PipedriveStrategy, type PipedriveProfile, type PipedriveStrategyOptions, type PipedriveTokens } from 'passport-pipedrive-oauth2';
declare const app: express.Express;
declare const pipedrive: PipedriveStrategy;
declare const options: PipedriveStrategyOptions;
declare const oauth2: { updateToken(tokens: PipedriveTokens): void };
declare const tokens: PipedriveTokens;
declare const user: { refreshToken: string };
declare const users: {
  upsert(id: string, profile: PipedriveProfile, tokens: PipedriveTokens): Promise<object>;
  forget(companyId: number, userId: number): Promise<void>;
};
`;

describe('package', function () {
  this.timeout(60_000);
  let project: Project;

  before(async () => {
    project = await Project.create(['express', 'passport']);
  });
  after(() => project.remove());

  it('has the build with its declarations and the documents, and nothing else', async () => {
    const { files } = await tarball();
    const sources = files.filter((path) => path.endsWith('.js'));
    const expected = sources.flatMap((path) => [path, path.replace(/\.js$/, '.d.ts')]);
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    expect(sources).to.include('dist/index.js');
    const maps = files.filter((path) => path.endsWith('.map')); // of a build for coverage
    expect(files).to.have.members([...documents, ...expected, ...maps]);
  });

  it('gives the same classes to require and to import', async () => {
    await project.write(
      'both.mjs',
      `
      import { createRequire } from 'node:module';
      import * as imported from 'passport-pipedrive-oauth2';
      import { ${names.join(', ')} } from 'passport-pipedrive-oauth2';
      const required = createRequire(import.meta.url)('passport-pipedrive-oauth2');
      const same = [${names.map((name) => `[${name}, required.${name}]`).join(', ')}].every(([a, b]) => typeof a === 'function' && a === b);
      console.log(JSON.stringify({ same, names: Object.keys(required).sort(), strategy: imported.Strategy === PipedriveStrategy }));`,
    );
    expect(JSON.parse(await project.run('both.mjs'))).to.deep.equal({ same: true, names, strategy: true });
  });

  it("runs the README's program as strict TypeScript", async () => {
    const [program = ''] = await programsOf('README.md');
    const port = await freePort();
    await project.write('app.ts', program.replace('listen(3000)', `listen(${port})`));
    await project.compile();
    const stop = await project.start('app.js', {
      PIPEDRIVE_CLIENT_ID: 'id-of-the-app',
      PIPEDRIVE_CLIENT_SECRET: 'secret',
    });
    try {
      const response = await fetch(`http://127.0.0.1:${port}/auth/pipedrive`, { redirect: 'manual' });
      expect(response.status).to.equal(302);
      expect(response.headers.get('location')).to.match(
        /^https:\/\/oauth\.pipedrive\.com\/oauth\/authorize\?.*client_id=id-of-the-app/,
      );
    } finally {
      await stop();
    }
  });

  for (const document of ['README.md', 'docs/tokens.md']) {
    it(`compiles every program of ${document} as strict TypeScript`, async () => {
      const [first = '', ...others] = await programsOf(document);
      const programs = document === 'README.md' ? others : [first, ...others];
      expect(programs).to.have.length.above(2);
      for (const [index, program] of programs.entries()) {
        const imports = program.match(/^import .*;$/gm) ?? [];
        await project.write(
          `program${index}.ts`,
          `${prelude}${imports.join('\n')}\nexport {};\n{\n${program.replace(/^import .*;$/gm, '')}}\n`,
        );
      }
      await project.compile();
    });
  }
});
