// The package as it is published, in an empty project: what is in it, both module systems, and the documents' programs.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Project, repository, tarball } from '../support/project';

const names = [
  'CookieStateStore',
  'InternalOAuthError',
  'PipedriveStrategy',
  'SessionStateStore',
  'Strategy',
  'TokenError',
];

/** The main entry and the sub-paths, by their folders. */
const folders = ['', 'installations/', 'extensions/'].filter((folder) =>
  existsSync(join(repository, 'lib', folder, 'index.ts')),
);

describe('package', function () {
  this.timeout(60_000);
  let project: Project;

  before(async () => {
    project = await Project.create(['express', 'passport']);
  });
  after(() => project.remove());

  it('has the build with its declarations and the documents, and nothing else', async () => {
    const { files } = await tarball();
    const declarations = files.filter((path) => /^dist\/.*\.d\.ts$/.test(path));
    const documents = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];
    const maps = files.filter((path) => path.endsWith('.map')); // of a build for coverage
    const scripts = folders.flatMap((folder) => [`dist/${folder}index.js`, `dist/${folder}bundle.js`]);
    const licences = folders.length > 1 ? ['dist/LICENSE-jose.md'] : [];
    expect(declarations).to.include.members(folders.map((folder) => `dist/${folder}index.d.ts`));
    expect(files).to.have.members([...documents, ...scripts, ...licences, ...declarations, ...maps]);
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
});
