// What the sandbox says of the requests that have arrived, and to whom it answers.
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { type Sandbox, startSandbox } from 'pipedrive-sandbox';
import { Driver, tokensOf } from './driver';

const app = {
  clientId: 'app',
  clientSecret: 'the client secret',
  callbackURL: 'http://127.0.0.1:9/callback',
  jwtSecret: 'the secret of the extension',
};

describe('the requests of a sandbox', () => {
  let sandbox: Sandbox;
  let driver: Driver;
  beforeEach(async () => {
    sandbox = await startSandbox({ apps: [app] });
    driver = new Driver(sandbox.origin, app);
  });
  afterEach(() => sandbox.close());

  const authorizeURL = () =>
    `${sandbox.origin}/oauth/authorize?${new URLSearchParams({ client_id: 'app', redirect_uri: app.callbackURL, state: 's' })}`;

  it('are there with method, path, status and form, in their order', async () => {
    const code = new URL(await sandbox.approve(authorizeURL())).searchParams.get('code') ?? '';
    const { access_token, refresh_token } = await tokensOf(await driver.exchange(code));
    await driver.refresh(refresh_token);
    await driver.refresh('unknown');
    await driver.api('/deals?limit=1', access_token);
    const redirect = { redirect_uri: app.callbackURL };
    const refreshed = { grant_type: 'refresh_token', refresh_token: '***' };
    const consent = { client_id: 'app', ...redirect, state: 's' };
    expect(sandbox.requests).to.deep.equal([
      { method: 'GET', path: '/oauth/authorize', status: 200, form: consent },
      { method: 'POST', path: '/oauth/authorize', status: 303, form: { ...consent, user: 'ada', decision: 'allow' } },
      {
        method: 'POST',
        path: '/oauth/token',
        status: 200,
        form: { grant_type: 'authorization_code', code: '***', ...redirect },
      },
      { method: 'POST', path: '/oauth/token', status: 200, form: refreshed },
      { method: 'POST', path: '/oauth/token', status: 400, form: refreshed },
      { method: 'GET', path: '/api/v1/deals', status: 200, form: { limit: '1' } },
    ]);
  });

  it('have no status while there is no response', async () => {
    sandbox.fail('users/me', 'silence', { times: 1 });
    const request = driver.api('/users/me', 'token', AbortSignal.timeout(100));
    await request.catch(() => {});
    expect(sandbox.requests).to.deep.equal([{ method: 'GET', path: '/api/v1/users/me', status: undefined, form: {} }]);
  });

  it('show no secret, wherever it was sent', async () => {
    const code = await driver.newCode();
    const tokens = await driver.install();
    const { token = '' } = Object.fromEntries(new URL(sandbox.extensionURL('app', 'http://127.0.0.1:9/')).searchParams);
    const basic = Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64');
    const secrets = [code, tokens.access_token, tokens.refresh_token, token, app.clientSecret, app.jwtSecret, basic];
    for (const secret of secrets) {
      const encoded = encodeURIComponent(secret);
      await fetch(`${sandbox.origin}/${encoded}?anything=${encoded}&${encoded}=x&x=before${encoded}after`);
      const body = new URLSearchParams({ [secret]: secret, state: `a ${secret} b` });
      await fetch(`${sandbox.origin}/oauth/token`, { method: 'POST', body });
    }
    const shown = JSON.stringify(sandbox.requests);
    for (const secret of secrets) {
      expect(shown).not.to.include(secret);
      expect(shown).not.to.include(encodeURIComponent(secret));
    }
    expect(shown).to.include('a *** b');
  });

  it('show no secret of a parameter that is always secret, though it is none of the sandbox', async () => {
    const names = ['access_token', 'client_secret', 'code', 'code_verifier', 'refresh_token', 'token'];
    const form = Object.fromEntries(names.map((name) => [name, 'of-another']));
    await fetch(`${sandbox.origin}/oauth/token`, { method: 'POST', body: new URLSearchParams(form) });
    expect(Object.values(sandbox.requests[0]?.form ?? {})).to.deep.equal(names.map(() => '***'));
  });

  it('show the names of parameters, also where a secret is a word of them', async () => {
    await using named = await startSandbox({
      apps: [{ ...app, clientId: 'id', clientSecret: 'secret', jwtSecret: 'token' }],
    });
    const names = ['client_id', 'client_secret', 'grant_type', 'refresh_token', 'token', 'token_type_hint'];
    const body = new URLSearchParams(names.map((name) => [name, 'x']));
    await fetch(`${named.origin}/oauth/revoke`, { method: 'POST', body });
    expect(Object.keys(named.requests[0]?.form ?? {})).to.deep.equal(names);
  });

  it('leave out the pictures and styles of pages', async () => {
    for (const path of ['/style.css', '/icon.svg', '/'])
      expect((await fetch(sandbox.origin + path)).status).to.equal(200);
    expect(sandbox.requests.map(({ path }) => path)).to.deep.equal(['/']);
  });

  it('cannot be changed from outside', async () => {
    await driver.revoke('unknown');
    Object.assign(sandbox.requests[0]?.form ?? {}, { token: 'changed' });
    expect(sandbox.requests[0]?.form.token).to.equal('***');
  });

  describe('with another Host', () => {
    /** The status of a request that names this host. */
    async function statusFor(host: string, path = '/'): Promise<number> {
      const { port } = new URL(sandbox.origin);
      const socket = connect(Number(port), '127.0.0.1');
      await once(socket, 'connect');
      socket.end(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
      return Number((await text(socket)).split(' ')[1]);
    }

    it('are answered for its own address only, however the port is written', async () => {
      const { port } = new URL(sandbox.origin);
      expect(await statusFor(`127.0.0.1:${port}`)).to.equal(200);
      expect(await statusFor(`127.0.0.1:0${port}`)).to.equal(200);
    });

    for (const host of ['evil.example', 'localhost', '127.0.0.1', '127.0.0.1.evil.example', '2130706433', '[::1]', ''])
      it(`are refused for ${host || 'an empty one'}`, async () => {
        const { port } = new URL(sandbox.origin);
        expect(await statusFor(host)).to.be.within(400, 499);
        expect(await statusFor(`${host}:${port}`)).to.satisfy((status: number) =>
          host === '127.0.0.1' ? status === 200 : status >= 400 && status < 500,
        );
      });

    for (const path of ['/style.css', '/icon.svg', '/extension.js', '/oauth/authorize', '/api/v1/users/me', '/nowhere'])
      it(`are refused at ${path}, too`, async () => {
        expect(await statusFor('evil.example', path)).to.equal(421);
      });

    it('are refused for two of them', async () => {
      const { host } = new URL(sandbox.origin);
      expect(await statusFor(`${host}\r\nHost: evil.example`)).to.be.within(400, 499);
      expect(await statusFor(`evil.example@${host}`)).to.equal(421);
    });
  });
});
