// docs/security.md names the tests that show what it says: each of them must exist.
import { readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { expect } from 'chai';
import type { Suite } from 'mocha';
import { repository } from './support/project';

/** Every test that was loaded, as `file: name`. */
function testsOf(suite: Suite): string[] {
  const own = suite.tests.map(({ file = '', title }) => `${relative(repository, file).replaceAll(sep, '/')}: ${title}`);
  return [...own, ...suite.suites.flatMap(testsOf)];
}

describe('docs/security.md', () => {
  const text = readFileSync(join(repository, 'docs', 'security.md'), 'utf8');

  it('names only tests that exist', function () {
    const tests = testsOf(this.test?.parent?.parent as Suite);
    const named = [...text.matchAll(/`(test\/[\w/.-]+)`: ((?:\*[^*]+\*(?:, )?)+)/g)].flatMap(([, file, names = '']) =>
      [...names.matchAll(/\*([^*]+)\*/g)].map(([, name = '']) => `${file}: ${name.replaceAll('\\_', '_')}`),
    );
    // A long name may end in an ellipsis.
    const exists = (name: string) =>
      tests.some((test) => (name.endsWith('…') ? test.startsWith(name.slice(0, -1)) : test === name));
    expect(named.filter((name) => !exists(name))).to.deep.equal([]);
    expect(named.length).to.be.above(40);
  });

  it('shows each row by a test', () => {
    const rows = text.split('\n').filter((line) => line.startsWith('| **'));
    expect(rows.filter((row) => !/`test\/[^|]+\*[^|]+\| *$/.test(row)).map((row) => row.slice(0, 40))).to.deep.equal(
      [],
    );
    expect(rows).to.have.length.above(20);
  });
});
