// The strategy beside the packages that people have already, with the real packages, and the sandbox for Pipedrive.
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import { HttpsProxyAgent } from 'https-proxy-agent';
import nock from 'nock';
import refresh from 'passport-oauth2-refresh';
import { PipedriveStrategy, type PipedriveStrategyOptions, type PipedriveTokens } from 'passport-pipedrive-oauth2';
import { Configuration, OAuth2Configuration, UsersApi } from 'pipedrive/v1';
import { type Sandbox, startSandbox, tokenErrors } from 'pipedrive-sandbox';
import { Server } from 'proxy-chain';
import { appsForEach, callbackURL, clientID, clientSecret, mustNotBeCalled, options } from '../support/app';

const client = { clientId: clientID, clientSecret, callbackURL };

describe('ecosystem', () => {
  const start = appsForEach();
  let sandbox: Sandbox;
  before(() => nock.restore());
  beforeEach(async () => {
    sandbox = await startSandbox({ apps: [client] });
  });
  afterEach(() => sandbox.close());

  const strategyWith = (more: Partial<PipedriveStrategyOptions> = {}) => {
    const urls = { authorizationURL: `${sandbox.origin}/oauth/authorize`, tokenURL: `${sandbox.origin}/oauth/token` };
    return new PipedriveStrategy({ ...options, ...urls, ...more }, ({ tokens }) => tokens);
  };

  /** A whole sign-in of Ada, with no stub. */
  async function signIn(strategy: PipedriveStrategy): Promise<PipedriveTokens> {
    const visitor = (await start({ strategy })).visitor();
    const { location } = await visitor.send('/auth');
    const { search } = new URL(await sandbox.approve(String(location)));
    const { outcome, user } = await visitor.callback(search.slice(1));
    expect(outcome).to.equal('success');
    return user as PipedriveTokens;
  }

  describe('passport-oauth2-refresh', () => {
    const requestNewAccessToken = (token: string) =>
      new Promise<unknown[]>((resolve) => {
        refresh.requestNewAccessToken('pipedrive', token, (...all: unknown[]) => resolve(all));
      });

    it('refreshes with the strategy, which sends Basic credentials only', async () => {
      const strategy = strategyWith();
      refresh.use(strategy);
      const { refresh_token } = await signIn(strategy);
      // The sandbox refuses a request that has credentials in the header and in the body.
      const [error, accessToken, sameRefreshToken] = await requestNewAccessToken(refresh_token);
      expect([error, sameRefreshToken]).to.deep.equal([null, refresh_token]);
      expect(
        (await fetch(`${sandbox.origin}/api/v1/users/me`, { headers: { Authorization: `Bearer ${accessToken}` } }))
          .status,
      ).to.equal(200);
    });

    it('gets the status and the body of a refusal', async () => {
      refresh.use(strategyWith());
      const [error] = await requestNewAccessToken('unknown');
      expect(error).to.include({ statusCode: 400, data: JSON.stringify(tokenErrors.refreshTokenInvalid) });
    });
  });

  describe('the official SDK', () => {
    const { now } = Date;
    afterEach(() => {
      Date.now = now;
    });
    const createSDK = () =>
      new OAuth2Configuration({ clientId: clientID, clientSecret, redirectUri: callbackURL, host: sandbox.origin });
    async function currentUser(oauth2: OAuth2Configuration) {
      const users = new UsersApi(new Configuration({ accessToken: oauth2.getAccessToken, basePath: oauth2.basePath }));
      const { data } = await users.getCurrentUser();
      return data;
    }

    it('takes the tokens as they are', async () => {
      const oauth2 = createSDK();
      oauth2.updateToken(await signIn(strategyWith()));
      expect(await currentUser(oauth2)).to.include({ id: 777, company_id: 1001 });
    });

    it('refreshes stored tokens in time, when it is told the moment at which they end', async () => {
      const stored: PipedriveTokens = JSON.parse(JSON.stringify(await signIn(strategyWith())));
      sandbox.advance(3_700_000);
      Date.now = () => now() + 3_700_000;
      const oauth2 = createSDK();
      oauth2.updateToken(stored);
      expect(oauth2.shouldRefreshToken(), 'as they are they look fresh').to.equal(false);
      oauth2.updateToken({ ...stored, expires_in: 0 });
      expect(oauth2.shouldRefreshToken(), 'an expires_in of 0 is not read').to.equal(false);
      const left = stored.expires_at - Math.floor(Date.now() / 1000);
      oauth2.updateToken({ ...stored, expires_in: left || -1 });
      expect(oauth2.shouldRefreshToken()).to.equal(true);
      expect(await currentUser(oauth2)).to.include({ id: 777 });
    });
  });

  describe('a forward proxy', () => {
    let proxy: Server;
    let tunnels: string[];
    let agent: HttpsProxyAgent<string>;
    beforeEach(async () => {
      tunnels = [];
      const prepareRequestFunction = ({ hostname, port }: { hostname: string; port: number }) => {
        tunnels.push(`http://${hostname}:${port}`);
        return {};
      };
      proxy = new Server({ port: 0, host: '127.0.0.1', prepareRequestFunction });
      await proxy.listen();
      agent = new HttpsProxyAgent(`http://127.0.0.1:${proxy.port}`, { keepAlive: true });
    });
    afterEach(async () => {
      agent.destroy();
      await proxy.close(true);
    });

    it('is gone through with the option agent', async () => {
      await signIn(strategyWith({ agent }));
      expect(new Set(tunnels)).to.deep.equal(new Set([sandbox.origin]));
    });

    it('is gone through with strategy._oauth2.setAgent', async () => {
      const strategy = strategyWith();
      strategy._oauth2.setAgent(agent);
      const { refresh_token } = await signIn(strategy);
      expect(tunnels).to.have.length.within(1, 2);
      await strategy.refresh(refresh_token);
      expect(new Set(tunnels)).to.deep.equal(new Set([sandbox.origin]));
    });

    it('that is down is an error with status 502', async () => {
      const server = http.createServer().listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      server.close();
      await once(server, 'close');
      const strategy = new PipedriveStrategy(
        { ...options, agent: new HttpsProxyAgent(`http://127.0.0.1:${port}`) },
        mustNotBeCalled,
      );
      const error = await strategy.refresh('token').catch((rejected: unknown) => rejected);
      expect(error).to.have.property('status', 502);
    });
  });
});
