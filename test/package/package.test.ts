// The package as it is published, in an empty project: what is in it, both module systems, and the documents' programs.
import { expect } from 'chai';
import { Project, tarball } from '../support/project';

const names = [
  'CookieStateStore',
  'InternalOAuthError',
  'PipedriveStrategy',
  'SessionStateStore',
  'Strategy',
  'TokenError',
];

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
    expect(declarations).to.include('dist/index.d.ts');
    expect(files).to.have.members([...documents, 'dist/index.js', ...declarations, ...maps]);
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
