// docs/security.md names the tests that show what it says: each of them must exist.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { repository } from '../support/project';

const run = promisify(execFile);

interface Test {
  file: string;
  title: string;
}

/** Every test that there is, as `file: name`, whichever run this one belongs to. */
async function titlesOfTests(): Promise<string[]> {
  const mocha = join(repository, 'node_modules', 'mocha', 'bin', 'mocha.js');
  const { stdout } = await run(
    process.execPath,
    [mocha, '--dry-run', '--reporter', 'json', '{test,sandbox/test}/**/*.test.ts'],
    {
      cwd: repository,
      maxBuffer: 2 ** 26,
    },
  );
  const { tests }: { tests: Test[] } = JSON.parse(stdout);
  return tests.map(({ file, title }) => `${relative(repository, file).replaceAll(sep, '/')}: ${title}`);
}

describe('docs/security.md', function () {
  this.timeout(60_000);
  const text = readFileSync(join(repository, 'docs', 'security.md'), 'utf8');

  it('names only tests that exist', async () => {
    const tests = await titlesOfTests();
    const named = [...text.matchAll(/`((?:sandbox\/)?test\/[\w/.-]+)`: ((?:\*[^*]+\*(?:, )?)+)/g)].flatMap(
      ([, file, names = '']) =>
        [...names.matchAll(/\*([^*]+)\*/g)].map(([, name = '']) => `${file}: ${name.replaceAll('\\_', '_')}`),
    );
    // A long name may end in an ellipsis.
    const exists = (name: string) =>
      tests.some((test) => (name.endsWith('…') ? test.startsWith(name.slice(0, -1)) : test === name));
    expect(named.filter((name) => !exists(name))).to.deep.equal([]);
    expect(named.length).to.be.above(40);
  });

  it('has a test for each threat', () => {
    const threats = [...text.matchAll(/^### (.*)$/gm)].map(([, threat]) => threat);
    const tested = [...text.matchAll(/^\| \*\*(.*)\*\* \| `(?:sandbox\/)?test\/.*\*.* \|$/gm)].map(
      ([, threat]) => threat,
    );
    expect(tested).to.deep.equal(threats.filter((threat) => threat !== 'Left to Pipedrive and to the app'));
    expect(tested).to.have.length.above(20);
  });
});
