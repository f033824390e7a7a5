// docs/api.md names what the package exports: no more and no less than the compiler finds.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Declarations, readDeclarations } from '../support/declarations';
import { repository } from '../support/project';

describe('docs/api.md', function () {
  this.timeout(60_000);
  const text = readFileSync(join(repository, 'docs', 'api.md'), 'utf8');
  let declarations: Declarations;
  before(async () => {
    declarations = await readDeclarations();
  });

  /** The names in the first column of the table under a heading. */
  function namesUnder(heading: string): string[] {
    const [, section = ''] = text.split(`\n## ${heading}\n`);
    const rows = (section.split('\n## ')[0] ?? '').matchAll(/^\| (`.*?) \|/gm);
    return [...rows].flatMap(([, cell = '']) => [...cell.matchAll(/`(\w+)/g)].map(([, name = '']) => name));
  }

  it('has a section for each export', () => {
    const headings = [...text.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    expect(headings).to.have.members(declarations.exports);
  });

  for (const entry of ['installations', 'extensions']) {
    it(`names each export of passport-pipedrive-oauth2/${entry}`, async () => {
      const { exports } = await readDeclarations(`${entry}/index.ts`);
      expect(namesUnder(`passport-pipedrive-oauth2/${entry}`)).to.have.members(exports);
    });
  }

  for (const type of [
    'PipedriveStrategyOptions',
    'PipedriveProfile',
    'PipedriveFailure',
    'PipedriveTokens',
    'PipedriveUninstall',
    'CookieStateStoreOptions',
    'SessionStateStoreOptions',
    'StateMetadata',
    'VerifyContext',
  ]) {
    it(`names each property of ${type}`, () => {
      const declared = declarations.propertiesOf(type);
      expect(declared).not.to.have.length(0);
      expect(namesUnder(type)).to.have.members(declared);
    });
  }
});
