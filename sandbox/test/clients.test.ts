// Clients that know nothing of the sandbox: each signs in, refreshes, revokes, and is told of the uninstall.
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { expect } from 'chai';
import express from 'express';
import { Passport } from 'passport';
import OAuth2Strategy, { type VerifyCallback, type VerifyFunction } from 'passport-oauth2';
import { Configuration, OAuth2Configuration, UsersApi } from 'pipedrive/v1';
import { Configuration as ConfigurationV2, DealsApi } from 'pipedrive/v2';
import { type Sandbox, startSandbox } from 'pipedrive-sandbox';
import { type Listener, startListener } from './listener';

const [clientId, clientSecret] = ['app', 's3cret & more'];

class Plain extends OAuth2Strategy {
  refresh(refreshToken: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this._oauth2.getOAuthAccessToken(refreshToken, { grant_type: 'refresh_token' }, (error, accessToken) =>
        error ? reject(error) : resolve(accessToken),
      );
    });
  }
}

const verify: VerifyFunction = (
  accessToken: string,
  refreshToken: string,
  params: object,
  _profile: unknown,
  done: VerifyCallback,
) => done(null, { accessToken, refreshToken, params });

describe('against the sandbox', () => {
  describe('passport-oauth2 by hand', () => {
    let sandbox: Sandbox;
    let server: Server;
    let origin: string;
    let uninstalled: unknown;
    let failure: unknown;
    let strategy: Plain;

    beforeEach(async () => {
      const app = express();
      server = app.listen(0, '127.0.0.1');
      await once(server, 'listening');
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const callbackURL = `${origin}/callback`;
      sandbox = await startSandbox({ apps: [{ clientId, clientSecret, callbackURL }] });
      const urls = { authorizationURL: `${sandbox.origin}/oauth/authorize`, tokenURL: `${sandbox.origin}/oauth/token` };
      strategy = new Plain({ ...urls, clientID: clientId, clientSecret, callbackURL }, verify);
      const passport = new Passport().use(strategy);
      app.get('/auth', passport.authenticate('oauth2', { session: false }));
      app.get('/callback', passport.authenticate('oauth2', { session: false }), (req, res) => void res.json(req.user));
      app.delete('/callback', express.json(), (req, res) => {
        uninstalled = req.body;
        res.sendStatus(204);
      });
      app.use((error: unknown, _req: unknown, res: express.Response, _next: unknown) => {
        failure = error;
        res.sendStatus(500);
      });
    });
    afterEach(async () => {
      await sandbox.close();
      server.close();
    });

    async function signIn() {
      const { headers } = await fetch(`${origin}/auth`, { redirect: 'manual' });
      const response = await fetch(await sandbox.approve(headers.get('location') ?? ''));
      expect(response.status, String(failure)).to.equal(200);
      return response.json();
    }

    it('signs in, refreshes, revokes, and is told of the uninstall', async () => {
      const { refreshToken, params } = await signIn();
      expect(params).to.include({
        api_domain: sandbox.origin,
        token_type: 'bearer',
        scope: 'base,deals:read,users:read',
      });
      expect(await strategy.refresh(refreshToken)).to.match(/^v1u:/);
      const { accessToken } = await signIn();
      const body = new URLSearchParams({ token: accessToken, client_id: clientId, client_secret: clientSecret });
      expect((await fetch(`${sandbox.origin}/oauth/revoke`, { method: 'POST', body })).status).to.equal(200);
      const headers = { authorization: `Bearer ${accessToken}` };
      expect((await fetch(`${sandbox.origin}/api/v1/users/me`, { headers })).status).to.equal(401);
      expect(await sandbox.uninstall(clientId)).to.equal(204);
      expect(uninstalled).to.include({ client_id: clientId, company_id: 1001, user_id: 777 });
    });

    it('answers with an error for user_denied, which it does not know', async () => {
      const { headers } = await fetch(`${origin}/auth`, { redirect: 'manual' });
      expect((await fetch(await sandbox.cancel(headers.get('location') ?? ''))).status).to.equal(500);
      expect(failure).to.be.instanceOf(Error);
    });
  });

  describe('the official SDK', () => {
    let sandbox: Sandbox;
    let listener: Listener;
    let sdk: OAuth2Configuration;
    beforeEach(async () => {
      listener = await startListener();
      const { callbackURL } = listener;
      sandbox = await startSandbox({ apps: [{ clientId, clientSecret, callbackURL }] });
      sdk = new OAuth2Configuration({ clientId, clientSecret, redirectUri: callbackURL, host: sandbox.origin });
      const code = new URL(await sandbox.approve(sdk.authorizationUrl)).searchParams.get('code') ?? '';
      sdk.updateToken(await sdk.authorize(code));
    });
    afterEach(() => Promise.all([sandbox.close(), listener.close()]));

    const configuration = () => ({ accessToken: sdk.getAccessToken, basePath: sdk.basePath });
    const currentUser = () => new UsersApi(new Configuration(configuration())).getCurrentUser();

    it('signs in, and reads the user and the deals', async () => {
      expect((await currentUser()).data).to.include({ id: 777, company_id: 1001 });
      const basePath = sdk.basePath.replace('/v1', '/v2');
      const deals = await new DealsApi(new ConfigurationV2({ ...configuration(), basePath })).getDeals({ limit: 1 });
      expect(deals.data?.map(({ title }) => title)).to.deep.equal(['Ten city bikes']);
    });

    it('refreshes', async () => {
      const before = await sdk.getAccessToken();
      sdk.updateToken(await sdk.tokenRefresh());
      expect(await sdk.getAccessToken()).not.to.equal(before);
      expect((await currentUser()).data).to.include({ id: 777 });
    });

    it('revokes its access token, and is installed until it revokes the refresh token', async () => {
      const status = () =>
        currentUser().then(
          () => 200,
          (error) => error.response?.status ?? error.errorCode ?? error.status,
        );
      await sdk.revokeToken('access_token');
      expect(await status()).to.equal(401);
      sdk.updateToken(await sdk.tokenRefresh());
      expect(await status()).to.equal(200);
      await sdk.revokeToken('refresh_token');
      expect(await status()).to.equal(401);
      expect(await sdk.tokenRefresh().catch(() => 'refused')).to.equal('refused');
    });

    it('is told of the uninstall', async () => {
      await sandbox.uninstall(clientId, 'ada');
      expect(listener.notices.map(({ method }) => method)).to.deep.equal(['DELETE']);
    });
  });

  describe('curl', () => {
    let sandbox: Sandbox;
    let listener: Listener;
    beforeEach(async () => {
      listener = await startListener();
      sandbox = await startSandbox({ apps: [{ clientId, clientSecret, callbackURL: listener.callbackURL }] });
    });
    afterEach(() => Promise.all([sandbox.close(), listener.close()]));
    before(async function () {
      await curl('--version').catch(() => this.skip());
    });

    async function curl(...args: string[]): Promise<string> {
      const { stdout } = await promisify(execFile)('curl', ['--silent', '--show-error', ...args]);
      return stdout;
    }
    const authenticated = ['--user', `${clientId}:${clientSecret}`];
    const form = (fields: Record<string, string>) =>
      Object.entries(fields).flatMap(([name, value]) => ['--data-urlencode', `${name}=${value}`]);
    const token = async (fields: Record<string, string>) =>
      JSON.parse(await curl(...authenticated, ...form(fields), `${sandbox.origin}/oauth/token`));

    it('signs in with the consent form, refreshes, revokes, and the server is told of the uninstall', async () => {
      const consent = { client_id: clientId, redirect_uri: listener.callbackURL, user: 'ben', decision: 'allow' };
      const written = ['--output', '/dev/null', '--write-out', '%{redirect_url}'];
      const callback = await curl(...written, ...form(consent), `${sandbox.origin}/oauth/authorize`);
      const code = new URL(callback).searchParams.get('code') ?? '';
      const first = await token({ grant_type: 'authorization_code', code, redirect_uri: listener.callbackURL });
      const { access_token, refresh_token } = await token({
        grant_type: 'refresh_token',
        refresh_token: first.refresh_token,
      });
      expect(refresh_token).to.equal(first.refresh_token);
      const me = () => curl('--header', `Authorization: Bearer ${access_token}`, `${sandbox.origin}/api/v1/users/me`);
      expect(JSON.parse(await me())).to.have.nested.property('data.id', 778);
      await curl(...authenticated, ...form({ token: access_token }), `${sandbox.origin}/oauth/revoke`);
      expect(JSON.parse(await me())).to.have.property('errorCode', 401);
      await sandbox.uninstall(clientId, 'ben');
      expect(listener.notices.map(({ method }) => method)).to.deep.equal(['DELETE']);
      expect(await token({ grant_type: 'refresh_token', refresh_token })).to.have.property('error', 'invalid_grant');
    });
  });
});
