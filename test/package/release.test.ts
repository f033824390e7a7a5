// What must hold before a package is published: its contents, the workflows that publish it, and the lock file.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { repository, tarball } from '../support/project';

const run = promisify(execFile);
const read = (...path: string[]) => readFileSync(join(repository, ...path), 'utf8');

/** What is published, with the most bytes that its tarball may have. */
const packages = {
  'passport-pipedrive-oauth2': { directory: '.', limit: 100_000 },
  'pipedrive-sandbox': { directory: 'sandbox', limit: 40_000 },
} as const;
const names = ['passport-pipedrive-oauth2', 'pipedrive-sandbox'] as const;

describe('a release', function () {
  this.timeout(60_000);

  for (const name of names) {
    const { directory, limit } = packages[name];

    describe(`of ${name}`, () => {
      it(`is smaller than ${limit / 1000} kB, source maps left out`, async () => {
        const { path, files } = await tarball(name);
        if (!files.some((file) => file.endsWith('.map'))) expect(statSync(path).size).to.be.below(limit);
      });

      it('has its licence, and names it', async () => {
        expect((await tarball(name)).files).to.include.members(['LICENSE', 'README.md']);
        expect(JSON.parse(read(directory, 'package.json'))).to.include({ license: 'MIT' });
        expect(read(directory, 'LICENSE')).to.match(/^MIT License/);
      });

      it('has no test, no source but declarations, and nothing hidden', async () => {
        const { files } = await tarball(name);
        expect(files.filter((file) => /(^|\/)(tests?|lib|support)\/|\.test\.|(^|\/)\./.test(file))).to.deep.equal([]);
        expect(files.filter((file) => /\.[cm]?tsx?$/.test(file) && !file.endsWith('.d.ts'))).to.deep.equal([]);
      });

      it('runs no script when it is installed', () => {
        const { scripts } = JSON.parse(read(directory, 'package.json'));
        expect(scripts).not.to.have.any.keys('preinstall', 'install', 'postinstall', 'prepare');
      });

      it('is published for the tag of its version only', async () => {
        const { version } = JSON.parse(read(directory, 'package.json'));
        const prefix = name === 'pipedrive-sandbox' ? 'pipedrive-sandbox-' : '';
        const refusal = await run(join(repository, '.ci', 'publish'), [`${prefix}v${version}0`, '--dry-run']).catch(
          ({ stderr }) => stderr,
        );
        expect(refusal).to.match(/^The tag is .*, but the version in .* is /);
      });
    });
  }

  for (const workflow of readdirSync(join(repository, '.github', 'workflows')))
    it(`pins each action of ${workflow} by the hash of a commit, and names its version`, () => {
      const uses = read('.github', 'workflows', workflow).match(/uses: .*/g) ?? [];
      expect(uses).not.to.have.length(0);
      for (const line of uses) expect(line).to.match(/^uses: [\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    });

  it('names no registry in the lock file', () => {
    expect(read('package-lock.json')).not.to.match(/"resolved": "https?:/);
  });
});
