// The package as it is published, in an empty project.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { Project, tarball } from '../../../test/support/project';
import { Driver } from '../driver';
import { startCommand } from './command';

const program = `
  await using sandbox = await startSandbox({
    apps: [{ clientId: 'app', clientSecret: 's3cret', callbackURL: 'http://127.0.0.1:9/callback' }],
  });
  const query = new URLSearchParams({ client_id: 'app', redirect_uri: 'http://127.0.0.1:9/callback', state: 's' });
  const callback: string = await sandbox.approve(\`\${sandbox.origin}/oauth/authorize?\${query}\`, { as: users.ben.name && 'ben' });
  sandbox.fail('users/me', 'outage', { times: 1 });
  const [first] = sandbox.requests;
  console.log(callback.replace(/=[0-9a-f]{40}/, '=CODE'), first?.path, sandbox.env.PIPEDRIVE_CLIENT_ID);`;

describe('the packed pipedrive-sandbox', function () {
  this.timeout(60_000);
  let project: Project;
  before(async () => {
    project = await Project.with(['pipedrive-sandbox']);
  });
  after(() => project.remove());

  it('has the build with its declarations, the pages and the documents, and nothing else', async () => {
    const { files } = await tarball('pipedrive-sandbox');
    expect(files).to.include.members(['dist/index.js', 'dist/index.d.ts', 'dist/cli.js', 'README.md', 'LICENSE']);
    expect(files.filter((path) => !/^(dist|views)\/|^(README\.md|LICENSE|package\.json)$/.test(path))).to.deep.equal(
      [],
    );
    expect(files.filter((path) => /\btest\b|\.ts$/.test(path) && !path.endsWith('.d.ts'))).to.deep.equal([]);
  });

  it('imports nothing of the strategy, and has few dependencies', () => {
    const read = (path: string) =>
      readFileSync(join(project.directory, 'node_modules', 'pipedrive-sandbox', path), 'utf8');
    for (const path of ['dist/index.js', 'dist/cli.js']) expect(read(path)).not.to.include('passport');
    const { dependencies } = JSON.parse(read('package.json'));
    expect(Object.keys(dependencies)).to.deep.equal(['@node-oauth/oauth2-server', 'eta', 'express', 'helmet']);
  });

  it('gives the same to require and to import', async () => {
    await project.write(
      'both.mjs',
      `import { createRequire } from 'node:module';
      import * as imported from 'pipedrive-sandbox';
      const required = createRequire(import.meta.url)('pipedrive-sandbox');
      const names = Object.keys(required).sort();
      console.log(JSON.stringify([names, names.every((name) => imported[name] === required[name])]));`,
    );
    const names = [
      ...['apiErrors', 'currentUser', 'sharingNotice', 'startSandbox', 'tokenErrors', 'tokenResponse'],
      ...['uninstallNotice', 'users'],
    ];
    expect(JSON.parse(await project.run('both.mjs'))).to.deep.equal([names, true]);
  });

  for (const [what, compilerOptions] of Object.entries<Record<string, unknown>>({
    'Node.js with no other types': { module: 'nodenext', lib: ['es2022', 'dom'] },
    'a bundler and exact optional properties': {
      ...{ module: 'esnext', moduleResolution: 'bundler', lib: ['es2022', 'dom'] },
      ...{ exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true },
    },
  }))
    it(`compiles in a strict project for ${what}, and runs`, async () => {
      await project.write('program.ts', `import { startSandbox, users } from 'pipedrive-sandbox';\n${program}`);
      await project.compile(compilerOptions);
      expect(await project.run('program.js')).to.equal(
        'http://127.0.0.1:9/callback?code=CODE&state=s /oauth/authorize app\n',
      );
    });

  it('has the command, whose sandbox works', async () => {
    const { bin } = JSON.parse(
      readFileSync(join(project.directory, 'node_modules', 'pipedrive-sandbox', 'package.json'), 'utf8'),
    );
    const path = join(project.directory, 'node_modules', 'pipedrive-sandbox', bin);
    const callbackURL = 'http://127.0.0.1:9/callback';
    const args = ['--port', '0', '--callback', callbackURL];
    const command = await startCommand(args, [
      process.execPath,
      '--preserve-symlinks-main',
      '--preserve-symlinks',
      path,
    ]);
    try {
      const app = { clientId: 'sandbox-client-id', clientSecret: 'sandbox-client-secret', callbackURL };
      expect(await new Driver(command.origin, app).install()).to.include({ api_domain: command.origin });
      expect(await (await fetch(`${command.origin}/`)).text()).to.include('Ada Example at Example Bikes');
    } finally {
      expect(await command.stop()).to.equal(0);
    }
  });
});
