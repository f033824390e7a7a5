// The command, as somebody uses it who writes an app in any language.
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { Driver } from '../driver';
import { type Command, outputOf, startCommand } from './command';

const callback = 'http://127.0.0.1:9/callback';

describe('pipedrive-sandbox', function () {
  this.timeout(20_000);
  let directory: string;
  let running: Command | undefined;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'sandbox-'));
  });
  after(() => rmSync(directory, { recursive: true }));
  afterEach(async () => {
    await running?.stop();
    running = undefined;
  });

  async function start(...args: string[]): Promise<Command> {
    running = await startCommand(['--port', '0', '--callback', callback, ...args]);
    return running;
  }

  function file(content: string): string {
    const path = join(directory, 'users.json');
    writeFileSync(path, content);
    return path;
  }

  it('prints its address, the credentials and the environment of a sandbox that works', async () => {
    const { origin, env, printed } = await start();
    expect(env).to.deep.equal({
      PIPEDRIVE_CLIENT_ID: 'sandbox-client-id',
      PIPEDRIVE_CLIENT_SECRET: 'sandbox-client-secret',
      PIPEDRIVE_AUTHORIZATION_SERVER: origin,
    });
    expect(printed).to.include(callback).and.include(`${origin}/oauth/token`);
    const app = { clientId: 'sandbox-client-id', clientSecret: 'sandbox-client-secret', callbackURL: callback };
    expect(await new Driver(origin, app).install()).to.include({ api_domain: origin });
  });

  it('takes credentials, an Installation URL and users', async () => {
    const users = file(JSON.stringify({ eve: { id: 5, company_id: 6, name: 'Eve Own' } }));
    const credentials = ['--client-id', 'id', '--client-secret', "it's"];
    const { origin, env } = await start(
      ...credentials,
      '--installation-url',
      'http://127.0.0.1:9/start',
      '--users',
      users,
    );
    expect(env).to.include({ PIPEDRIVE_CLIENT_ID: 'id', PIPEDRIVE_CLIENT_SECRET: `'it'\\''s'` });
    const driver = new Driver(origin, { clientId: 'id', clientSecret: "it's", callbackURL: callback });
    const { access_token } = await driver.install({ user: 'eve' });
    expect(await (await driver.api('/users/me', access_token)).json()).to.have.nested.property('data.name', 'Eve Own');
    const install = await fetch(`${origin}/marketplace/install?client_id=id`, { redirect: 'manual' });
    expect(install.headers.get('location')).to.equal('http://127.0.0.1:9/start');
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    it(`ends with ${signal}, even while it owes a response`, async () => {
      const command = await startCommand(['--port', '0', '--callback', callback]);
      // The sandbox says when it has the request, and then waits for the form, which never comes.
      const headers = { Expect: '100-continue', 'Content-Type': 'application/x-www-form-urlencoded' };
      const pending = request(`${command.origin}/oauth/token`, { method: 'POST', headers });
      pending.flushHeaders();
      await once(pending, 'continue');
      const broken = once(pending, 'error');
      expect(await command.stop(signal)).to.equal(0);
      expect((await broken).join()).to.include('socket hang up');
    });

  it('explains itself with --help', async () => {
    const { stdout, code } = await outputOf(['--help']);
    expect(code).to.equal(0);
    const options = ['callback', 'port', 'client-id', 'client-secret', 'installation-url', 'users', 'help'];
    for (const option of options) expect(stdout).to.include(`--${option}`);
  });

  describe('says in a line what is wrong with', () => {
    const given = ['--callback', callback];
    for (const [what, args, advice] of [
      ['no callback', [], '--callback is required'],
      ['a callback that is a path', ['--callback', '/callback'], '--callback must be an absolute URL'],
      ['an unknown option', [...given, '--prot', '1'], "Unknown option '--prot'"],
      ['something beside the options', [...given, 'callback'], "Unexpected argument 'callback'"],
      ['an option without its value', ['--callback'], '--callback'],
      ['a port that is a word', [...given, '--port', 'http'], '--port must be an integer'],
      ['a port that is too high', [...given, '--port', '70000'], '--port must be an integer'],
      ['an empty client id', [...given, '--client-id', ''], '--client-id must be text'],
      ['an Installation URL that is a path', [...given, '--installation-url', '/x'], '--installation-url must be'],
      ['a file of users that is not there', [...given, '--users', '/nowhere/users.json'], '--users: ENOENT'],
    ] as const)
      it(what, async () => {
        const { stderr, stdout, code } = await outputOf([...args]);
        expect([code, stdout]).to.deep.equal([1, '']);
        expect(stderr)
          .to.include(advice)
          .and.match(/\nTry --help\.\n$/);
        expect(stderr.split('\n')).to.have.length(3);
      });

    it('a file of users that is no JSON, or has a user without ids', async () => {
      expect((await outputOf([...given, '--users', file('no JSON')])).stderr).to.include('--users: ');
      const { stderr } = await outputOf([...given, '--users', file('{ "eve": { "name": "Eve" } }')]);
      expect(stderr).to.include('--users: users.eve.id must be a positive integer');
    });

    it('a port that is taken', async () => {
      const server = createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const port = String((server.address() as AddressInfo).port);
      const { stderr, code } = await outputOf([...given, '--port', port]);
      expect([code, stderr]).to.deep.equal([
        1,
        `pipedrive-sandbox: Port ${port} is in use. Give --port another one, or 0 for any free one.\nTry --help.\n`,
      ]);
      server.close();
    });
  });
});
