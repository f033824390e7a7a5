// The package as it is published, in an empty project: what is in it, both module systems, and the documents' programs.
import { expect } from 'chai';
import { adaToken, jwtSecret } from '../support/extensions';
import { Project, tarball } from '../support/project';

/** What each sub-path exports, and the main entry, by their folders. */
const exported: Record<string, string[]> = {
  '': ['CookieStateStore', 'InternalOAuthError', 'PipedriveStrategy', 'SessionStateStore', 'Strategy', 'TokenError'],
  'installations/': ['Installations', 'NotInstalledError', 'sealed'],
  'extensions/': ['ExtensionTokenError', 'PipedriveExtensionStrategy', 'readExtensionToken'],
};
const folders = Object.keys(exported);

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
    expect(declarations).to.include.members(folders.map((folder) => `dist/${folder}index.d.ts`));
    expect(files).to.have.members([...documents, 'dist/LICENSE-jose.md', ...scripts, ...declarations, ...maps]);
  });

  for (const [folder, names] of Object.entries(exported)) {
    const entry = `passport-pipedrive-oauth2/${folder}`.replace(/\/$/, '');

    it(`gives the same classes to require and to import of ${entry}`, async () => {
      await project.write(
        'both.mjs',
        `
        import { createRequire } from 'node:module';
        import { ${names.join(', ')} } from '${entry}';
        const required = createRequire(import.meta.url)('${entry}');
        const same = [${names.map((name) => `[${name}, required.${name}]`).join(', ')}].every(([a, b]) => typeof a === 'function' && a === b);
        console.log(JSON.stringify({ same, names: Object.keys(required).sort() }));`,
      );
      expect(JSON.parse(await project.run('both.mjs'))).to.deep.equal({ same: true, names });
    });
  }

  it('exports its strategy under two names', async () => {
    await project.write(
      'names.mjs',
      `
      import { PipedriveStrategy, Strategy } from 'passport-pipedrive-oauth2';
      console.log(Strategy === PipedriveStrategy);`,
    );
    expect(await project.run('names.mjs')).to.equal('true\n');
  });

  it('loads no dependency for the extensions but passport-strategy', async () => {
    await project.write(
      'loaded.cjs',
      `
      require('passport-pipedrive-oauth2/extensions');
      const packages = Object.keys(require.cache).map((path) => path.split('node_modules').pop().split(/[\\\\/]/)[1]);
      console.log(JSON.stringify([...new Set(packages)].sort()));`,
    );
    const loaded: string[] = JSON.parse(await project.run('loaded.cjs'));
    const others = ['passport-pipedrive-oauth2', 'passport-strategy'];
    expect(loaded.filter((name) => name.startsWith('passport'))).to.deep.equal(others);
    expect(loaded).to.have.length(others.length + 1); // and the program itself
  });

  describe('where the globals are of another realm or missing, as in Jest', () => {
    before(() =>
      project.write(
        'realm.mjs',
        `
        import { readFileSync } from 'node:fs';
        import { createRequire } from 'node:module';
        import { dirname, join } from 'node:path';
        import vm from 'node:vm';
        const require = createRequire(import.meta.url);
        // With jsdom there is no setImmediate, and a timer is a number.
        const startTimer = (...args) => Number(setTimeout(...args));
        const globals = { atob, btoa, Buffer, performance, process, URL, setTimeout: startTimer, clearTimeout };
        const parsingContext = vm.createContext(globals);
        const load = (path) => {
          const module = { exports: {} };
          const names = ['module', 'exports', 'require'];
          const run = vm.compileFunction(readFileSync(path, 'utf8'), names, { parsingContext });
          run(module, module.exports, (name) => (name.startsWith('.') ? load(join(dirname(path), name)) : require(name)));
          return module.exports;
        };
        export const loaded = (name) => load(require.resolve(name));`,
      ),
    );

    it('reads tokens', async () => {
      await project.write('token.txt', adaToken());
      await project.write(
        'token.mjs',
        `
        import { readFileSync } from 'node:fs';
        import { loaded } from './realm.mjs';
        const { readExtensionToken } = loaded('passport-pipedrive-oauth2/extensions');
        const { id } = await readExtensionToken(readFileSync(new URL('token.txt', import.meta.url), 'utf8'), '${jwtSecret}');
        console.log(id);`,
      );
      expect(await project.run('token.mjs')).to.equal('1001:777\n');
    });

    it('ends requests that get no answer, and those that wait for their socket', async () => {
      await project.write(
        'silent.mjs',
        `
        import { once } from 'node:events';
        import { Agent } from 'node:http';
        import { createServer } from 'node:net';
        import { loaded } from './realm.mjs';
        const { PipedriveStrategy } = loaded('passport-pipedrive-oauth2');
        const server = createServer((socket) => socket.on('error', () => {})).listen(0);
        await once(server, 'listening');
        const options = {
          clientID: 'id', clientSecret: 'secret', callbackURL: 'http://localhost/callback',
          authorizationServer: 'http://127.0.0.1:' + server.address().port, timeout: 100,
          agent: new Agent({ maxSockets: 1 }),
        };
        const strategy = new PipedriveStrategy(options, () => false);
        const refreshes = ['first', 'second'].map((token) => strategy.refresh(token).catch(({ status }) => status));
        console.log(await Promise.all(refreshes));
        process.exit();`,
      );
      expect(await project.run('silent.mjs')).to.equal('[ 504, 504 ]\n');
    });

    it('refreshes sealed tokens for a thousand callers', async () => {
      await project.write(
        'refresh.mjs',
        `
        import { loaded } from './realm.mjs';
        const { Installations, sealed } = loaded('passport-pipedrive-oauth2/installations');
        const tokens = { access_token: 'old', refresh_token: 'kept', expires_at: 0 };
        const refresh = async () => ({ ...tokens, access_token: 'new', expires_at: Date.now() / 1000 + 3600 });
        const store = sealed(new Map(), new Uint8Array(32));
        const installations = new Installations({ refresh, async revoke() {} }, { store });
        await installations.save('1:777', tokens);
        const all = await Promise.all(Array.from({ length: 1_000 }, () => installations.tokens('1:777')));
        console.log(new Set(all.map(({ access_token }) => access_token)));`,
      );
      expect(await project.run('refresh.mjs')).to.equal("Set(1) { 'new' }\n");
    });
  });
});
