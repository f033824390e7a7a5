// The strategy as the OAuth2Strategy that it is: fields that others write, hooks that subclasses override, clients that
// apps and test suites put in.
import crypto from 'node:crypto';
import { Agent } from 'node:http';
import { format, inspect } from 'node:util';
import { expect } from 'chai';
import { HttpsProxyAgent } from 'https-proxy-agent';
import nock from 'nock';
import { OAuth2 } from 'oauth';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import {
  InternalOAuthError,
  type PipedriveAuthenticateOptions,
  type PipedriveProfile,
  PipedriveStrategy,
  type StateStore,
  TokenError,
} from 'passport-pipedrive-oauth2';
import { tokenErrors } from 'pipedrive-sandbox';
import {
  anybody,
  appsForEach,
  clientSecret,
  expectError,
  expectFailure,
  mustNotBeCalled,
  options,
} from '../support/app';
import { basic, expectNoSecrets } from '../support/errors';
import { exchange, letSignIn, profileRequest, stubPipedrive, tokenEndpoint, tokens } from '../support/pipedrive';
import { answerOf, answerWell, rawServersForEach } from '../support/servers';

type Done = (error?: unknown, profile?: PipedriveProfile) => void;
/** `oauth`'s callback of `getOAuthAccessToken`. */
type TokensDone = (error: unknown, accessToken?: string, refreshToken?: string, response?: object) => void;

const someone: PipedriveProfile = {
  provider: 'pipedrive',
  id: '1:7',
  userId: 7,
  companyId: 1,
  displayName: 'Someone',
  emails: [],
  _raw: '{}',
  _json: { id: 7, company_id: 1 },
};

describe('as an OAuth2Strategy', () => {
  stubPipedrive();
  const start = appsForEach();

  const create = (more = {}, verify = anybody) => new PipedriveStrategy({ ...options, ...more }, verify);

  it('is one', () => {
    expect(create()).to.be.instanceOf(OAuth2Strategy);
    expect(create()._oauth2).to.be.instanceOf(OAuth2);
  });

  it('shows the client secret neither when it is printed nor in JSON', () => {
    for (const text of [inspect(create(), { depth: 9 }), format('%o', create()), JSON.stringify(create())]) {
      expect(text).to.include('/oauth/token');
      expect(text).not.to.include(clientSecret).and.not.include(basic);
    }
  });

  it("shows no proxy's password when it is printed, nor in JSON", () => {
    const agent = new HttpsProxyAgent('http://user:password-of-the-proxy@127.0.0.1:8080');
    const strategy = create({ agent });
    for (const text of [inspect(strategy, { depth: 9 }), format('%o', strategy), JSON.stringify(strategy)]) {
      expect(text).to.include('/oauth/token').and.not.include('password-of-the-proxy');
    }
  });

  it('shows no header of the option customHeaders when it is printed, nor in JSON', () => {
    const strategy = create({ customHeaders: { 'Proxy-Authorization': 'password-of-the-proxy' } });
    for (const text of [inspect(strategy, { depth: 9 }), format('%o', strategy), JSON.stringify(strategy)]) {
      expect(text).to.include('/oauth/token').and.not.include('password-of-the-proxy');
    }
  });

  it('shows no token of a sign-in or a refresh that is pending, when it is printed', async () => {
    const seen: string[] = [];
    const strategy = create({}, ({ profile }) => {
      seen.push(inspect(strategy, { depth: 9 }));
      return { id: profile.id };
    });
    letSignIn();
    await (await start({ strategy })).visitor().signIn();
    tokenEndpoint().reply(200, tokens);
    const refresh = strategy.refresh(tokens.refresh_token);
    seen.push(inspect(strategy, { depth: 9 }));
    await refresh;
    expect(seen).to.have.length(2);
    for (const text of seen) expect(text).to.not.include(tokens.access_token).and.not.include(tokens.refresh_token);
  });

  it('takes a request that has neither a method nor headers, as test suites make them up', async () => {
    const strategy = create({ state: false, skipUserProfile: true });
    Object.assign(strategy._oauth2, {
      getOAuthAccessToken: (_code: string, _params: object, done: TokensDone) => done(null, 'stubbed-token'),
    });
    const outcomeOf = (req: object) =>
      new Promise((resolve, reject) => {
        const actions = { redirect: () => resolve('redirect'), success: resolve, fail: reject, error: reject };
        Reflect.apply(strategy.authenticate, Object.assign(Object.create(strategy), actions), [req]);
      });
    expect(await outcomeOf({ query: {} })).to.equal('redirect');
    expect(await outcomeOf({ query: { code: 'a-code' } })).to.deep.equal({ id: 1 });
  });

  it('calls the actions on the strategy, also those that a subclass wraps', async () => {
    class Own extends PipedriveStrategy {
      override authenticate(...[req, options]: Parameters<PipedriveStrategy['authenticate']>) {
        const { success } = this;
        this.success = function (this: Own, user) {
          success({ ...user, name: this.name });
        };
        super.authenticate(req, options);
      }
    }
    letSignIn();
    const { user } = await (await start({ strategy: new Own(options, anybody) })).visitor().signIn();
    expect(user).to.deep.equal({ id: 1, name: 'pipedrive' });
  });

  describe('reads at each request', () => {
    it('_oauth2._clientId and _clientSecret, for a tenant of its own', async () => {
      const strategy = create();
      const app = await start({ strategy });
      Object.assign(strategy._oauth2, { _clientId: 'tenant', _clientSecret: 'secret-of-the-tenant' });
      const visitor = app.visitor();
      const { location } = await visitor.send('/auth');
      expect(location?.searchParams.get('client_id')).to.equal('tenant');
      nock('https://oauth.pipedrive.com')
        .post('/oauth/token')
        .basicAuth({ user: 'tenant', pass: 'secret-of-the-tenant' })
        .reply(200, tokens);
      profileRequest().reply(500);
      const state = location?.searchParams.get('state') ?? '';
      expectError(app, await visitor.callback({ code: 'the-code-of-the-user', state }), 502);
    });

    it('the client id to which a flow is bound', async () => {
      const strategy = create();
      const visitor = (await start({ strategy, verify: mustNotBeCalled })).visitor();
      const state = await visitor.start();
      strategy._oauth2._clientId = 'another';
      expectFailure(await visitor.callback({ code: 'abc', state }), 403, 'state_invalid');
    });

    it('_oauth2._authorizeUrl, with a query of its own', async () => {
      const strategy = create();
      strategy._oauth2._authorizeUrl = 'https://other.example/authorize?tenant=7&client_id=old';
      const { location } = await (await start({ strategy })).visitor().send('/auth');
      expect(location?.origin).to.equal('https://other.example');
      expect(location?.searchParams.getAll('client_id')).to.deep.equal([options.clientID]);
      expect(location?.searchParams.get('tenant')).to.equal('7');
    });

    it('_oauth2._accessTokenUrl and _customHeaders', async () => {
      const strategy = create();
      strategy._oauth2._accessTokenUrl = 'https://oauth.pipedrive.com/elsewhere';
      strategy._oauth2._customHeaders['X-Tenant'] = '7';
      tokenEndpoint(undefined, '/elsewhere').matchHeader('x-tenant', '7').reply(200, tokens);
      profileRequest().matchHeader('x-tenant', '7').reply(500);
      const app = await start({ strategy });
      expectError(app, await app.visitor().signIn(), 502);
    });

    it('_oauth2._customHeaders, also where somebody has taken them away', async () => {
      const strategy = create();
      Object.assign(strategy._oauth2, { _customHeaders: undefined });
      letSignIn();
      expect((await (await start({ strategy })).visitor().signIn()).outcome).to.equal('success');
    });

    it('_callbackURL', async () => {
      const strategy = create();
      strategy._callbackURL = 'https://tenant.example/callback';
      const { location } = await (await start({ strategy })).visitor().send('/auth');
      expect(location?.searchParams.get('redirect_uri')).to.equal('https://tenant.example/callback');
    });

    it('_stateStore', async () => {
      const strategy = create();
      const store: StateStore = {
        store: (_req: unknown, done: (error: unknown, state: string) => void) => done(null, 'own-state'),
        verify: (_req: unknown, _state: string, done: (error: unknown, ok: boolean) => void) => done(null, true),
      };
      strategy._stateStore = store;
      letSignIn();
      const visitor = (await start({ strategy })).visitor();
      expect(await visitor.start()).to.equal('own-state');
      expect((await visitor.callback({ code: 'the-code-of-the-user', state: 'x' })).outcome).to.equal('success');
    });

    it('_pkceMethod, and names one that RFC 7636 does not have', async () => {
      const strategy = create();
      strategy._pkceMethod = 'S256';
      const app = await start({ strategy });
      expect((await app.visitor().send('/auth')).location?.searchParams.get('code_challenge_method')).to.equal('S256');
      Object.assign(strategy, { _pkceMethod: 'unknown' });
      expect(expectError(app, await app.visitor().send('/auth'), 500).message).to.include("'S256' or 'plain'");
    });

    it('the code verifier from crypto.randomBytes, which test suites stub', async () => {
      const { randomBytes } = crypto;
      const app = await start({ options: { pkce: 'plain' } });
      let location: URL | undefined;
      try {
        Object.assign(crypto, { randomBytes: (size: number) => Buffer.alloc(size, 'v') });
        ({ location } = await app.visitor().send('/auth'));
      } finally {
        Object.assign(crypto, { randomBytes });
      }
      expect(location?.searchParams.get('code_challenge')).to.equal(Buffer.alloc(32, 'v').toString('base64url'));
    });

    it('_trustProxy', async () => {
      const strategy = create({ callbackURL: '/callback' });
      strategy._trustProxy = true;
      const headers = { 'X-Forwarded-Host': 'app.example', 'X-Forwarded-Proto': 'https' };
      const { location } = await (await start({ strategy })).visitor().send('/auth', { headers });
      expect(location?.searchParams.get('redirect_uri')).to.equal('https://app.example/callback');
    });

    it('_skipUserProfile, also a function that answers by a promise', async () => {
      for (const skip of [true, async () => true]) {
        const strategy = create({}, ({ profile }) => ({ id: String(profile) }));
        Object.assign(strategy, { _skipUserProfile: skip });
        exchange().reply(200, tokens);
        expect((await (await start({ strategy })).visitor().signIn()).user).to.deep.equal({ id: 'undefined' });
      }
      const strategy = create({}, ({ profile }) => ({ id: profile.id }));
      Object.assign(strategy, { _skipUserProfile: async () => false });
      letSignIn();
      expect((await (await start({ strategy })).visitor().signIn()).user).to.deep.equal({ id: '1001:777' });
    });

    it('_skipUserProfile, and calls it on the strategy', async () => {
      for (const skipUserProfile of [
        function (this: PipedriveStrategy) {
          return this.name === 'pipedrive';
        },
        function (this: PipedriveStrategy, _token: string, done: (error: unknown, skip?: boolean) => void) {
          done(null, this.name === 'pipedrive');
        },
      ]) {
        const strategy = create({ skipUserProfile }, ({ profile }) => ({ id: String(profile) }));
        exchange().reply(200, tokens);
        expect((await (await start({ strategy })).visitor().signIn()).user).to.deep.equal({ id: 'undefined' });
      }
    });

    it('_verify and _passReqToCallback, and calls it on the strategy', async () => {
      const strategy = create({}, mustNotBeCalled);
      strategy._verify = function (this: unknown, req: { url: string }, ...rest: never[]) {
        const done = rest.at(-1) as unknown as (error: unknown, user: object) => void;
        done(null, { own: this instanceof PipedriveStrategy, url: req.url.split('?')[0], count: rest.length });
      };
      strategy._passReqToCallback = true;
      letSignIn();
      const { user } = await (await start({ strategy })).visitor().signIn();
      expect(user).to.deep.equal({ own: true, url: '/callback', count: 4 });
    });
  });

  describe('calls the hooks of a subclass', () => {
    it('authorizationParams and tokenParams, with the options of authenticate', async () => {
      class Own extends PipedriveStrategy {
        override authorizationParams(given: { tenant?: string }) {
          return { prompt: given.tenant };
        }
        override tokenParams(given: { tenant?: string }) {
          return { tenant: given.tenant };
        }
      }
      exchange('the-code-of-the-user', { tenant: 'b' }).reply(200, tokens);
      profileRequest().reply(500);
      const [authorize, callback] = ['a', 'b'].map(
        (tenant): PipedriveAuthenticateOptions => Object.assign({ session: false }, { tenant }),
      );
      const app = await start({ strategy: new Own(options, anybody), authorize, callback });
      const visitor = app.visitor();
      const { location } = await visitor.send('/auth');
      expect(location?.searchParams.get('prompt')).to.equal('a');
      const state = location?.searchParams.get('state') ?? '';
      expectError(app, await visitor.callback({ code: 'the-code-of-the-user', state }), 502);
    });

    it('userProfile', async () => {
      class Own extends PipedriveStrategy {
        override userProfile(accessToken: string, done: Done) {
          done(null, { ...someone, displayName: accessToken });
        }
      }
      exchange().reply(200, tokens);
      const strategy = new Own(options, ({ profile }) => ({ name: profile.displayName }));
      expect((await (await start({ strategy })).visitor().signIn()).user).to.deep.equal({ name: tokens.access_token });
    });

    for (const [what, userProfile] of Object.entries<() => unknown>({
      throws() {
        throw new Error('broken hook');
      },
      rejects: async () => {
        throw new Error('broken hook');
      },
    })) {
      it(`userProfile, and ends in its error where it ${what}`, async () => {
        const strategy = Object.assign(create(), { userProfile });
        exchange().reply(200, tokens);
        const app = await start({ strategy });
        expect(expectError(app, await app.visitor().signIn(), 500).message).to.equal('broken hook');
      });
    }

    it('that has members of its own, whatever their names', async () => {
      class Own extends PipedriveStrategy {
        options = 'own';
        refreshes = 'own';
        pendingTokens = 'own';
        decide = 'own';
        credentials = 'own';
      }
      letSignIn();
      expect((await (await start({ strategy: new Own(options, anybody) })).visitor().signIn()).outcome).to.equal(
        'success',
      );
    });

    it('userProfile that wraps the original with its two parameters', async () => {
      class Own extends PipedriveStrategy {
        override userProfile(accessToken: string, done: Done) {
          super.userProfile(accessToken, (error, profile) => done(error, profile && { ...profile, language: 'xx' }));
        }
      }
      letSignIn();
      const strategy = new Own(options, ({ profile }) => ({ id: profile.id, language: profile.language }));
      const { user } = await (await start({ strategy })).visitor().signIn();
      expect(user).to.deep.equal({ id: '1001:777', language: 'xx' });
    });

    it('userProfile that throws where it changes the profile, which is an error', async () => {
      class Own extends PipedriveStrategy {
        override userProfile(accessToken: string, done: Done) {
          super.userProfile(accessToken, (error, profile) => {
            if (profile) throw new Error('no such field');
            done(error);
          });
        }
      }
      letSignIn();
      const app = await start({ strategy: new Own(options, mustNotBeCalled) });
      expect(expectError(app, await app.visitor().signIn(), 500).message).to.equal('no such field');
    });

    it('_loadUserProfile, also one that is put on the object', async () => {
      class Own extends PipedriveStrategy {
        override _loadUserProfile(_accessToken: string, done: Done) {
          done(null, someone);
        }
      }
      const put = create({}, ({ profile }) => ({ id: profile.id }));
      put._loadUserProfile = (_accessToken, done) => done(null, someone);
      for (const strategy of [new Own(options, ({ profile }) => ({ id: profile.id })), put]) {
        exchange().reply(200, tokens);
        expect((await (await start({ strategy })).visitor().signIn()).user).to.deep.equal({ id: '1:7' });
      }
    });

    it('parseErrorResponse, and passes its error on as it is', async () => {
      const own = new Error(`Quota of ${clientSecret}`);
      const bodies: unknown[] = [];
      class Own extends PipedriveStrategy {
        override parseErrorResponse(body: unknown, status: number) {
          bodies.push([body, status]);
          return own;
        }
      }
      const app = await start({ strategy: new Own(options, anybody) });
      exchange().reply(400, tokenErrors.clientInvalid);
      await app.visitor().signIn();
      expect(app.errors).to.deep.equal([own]);
      expect(own.message).to.include(clientSecret);
      expect(bodies).to.deep.equal([[JSON.stringify(tokenErrors.clientInvalid), 400]]);
    });

    it('parseErrorResponse, whose TokenError with invalid_grant is the failure', async () => {
      class Own extends PipedriveStrategy {
        override parseErrorResponse() {
          return new TokenError('Own text', 'invalid_grant');
        }
      }
      exchange().reply(500, 'anything');
      const answer = await (await start({ strategy: new Own(options, anybody) })).visitor().signIn();
      expect(expectFailure(answer, 403, 'invalid_grant')).to.include({ description: 'Own text' });
    });

    for (const [what, parseErrorResponse] of Object.entries<() => unknown>({
      throws() {
        throw new Error('not for this body');
      },
      'yields null': () => null,
      'yields false': () => false,
      'yields an empty text': () => '',
    })) {
      it(`parseErrorResponse that ${what}, which counts as none`, async () => {
        const strategy = Object.assign(create(), { parseErrorResponse });
        const app = await start({ strategy });
        exchange().reply(400, tokenErrors.clientInvalid);
        expect(expectError(app, await app.visitor().signIn(), 502)).to.be.instanceOf(InternalOAuthError);
        tokenEndpoint().reply(400, tokenErrors.refreshTokenInvalid);
        const refused = await app.strategy.refresh('a-token').catch((error: unknown) => error);
        expect(refused).to.be.instanceOf(InternalOAuthError);
      });
    }

    it('parseErrorResponse that changes the message of the original, unless that repeats a secret', async () => {
      class Own extends PipedriveStrategy {
        override parseErrorResponse(body: unknown, status: number) {
          const error = super.parseErrorResponse(body, status);
          if (error) error.message = `${error.message}, ${String(body)}`;
          return error;
        }
      }
      const app = await start({ strategy: new Own(options, anybody) });
      const refusal = { error: 'invalid_client', message: 'No such client' };
      for (const [body, expected] of [
        [refusal, `No such client, ${JSON.stringify(refusal)}`],
        [{ ...refusal, message: `No client with ${clientSecret}` }, 'invalid_client'],
        [{ ...refusal, of: clientSecret }, 'No such client'],
      ] as const) {
        exchange().reply(400, body);
        await app.visitor().signIn();
        expect(app.errors.pop()).to.have.property('message', expected);
      }
    });

    it('parseErrorResponse that changes the cause of the original, whose code repeats a secret', async () => {
      class Own extends PipedriveStrategy {
        override parseErrorResponse(body: unknown, status: number) {
          return Object.assign(super.parseErrorResponse(body, status) ?? new Error(), { cause: 'our own' });
        }
      }
      const app = await start({ strategy: new Own(options, anybody) });
      exchange().reply(400, { error: clientSecret });
      const error = expectError(app, await app.visitor().signIn(), 502);
      expect(error).to.be.instanceOf(InternalOAuthError).and.have.property('message').that.includes('error code');
      expectNoSecrets(error);
    });

    it('_oauth2._request, whose headers are those of one request, to be changed at will', async () => {
      const strategy = create();
      const headersOf: unknown[] = [];
      const { _request: request } = strategy._oauth2;
      strategy._oauth2._request = function (method, url, headers, ...rest) {
        headersOf.push({ ...headers });
        if (headers) for (const name of Object.keys(headers)) delete headers[name];
        request.call(this, method, url, { Authorization: 'Basic of-my-own' }, ...rest);
      };
      nock('https://oauth.pipedrive.com').post('/oauth/token').twice().reply(400, tokenErrors.clientInvalid);
      nock('https://oauth.pipedrive.com').post('/oauth/revoke').twice().reply(400, tokenErrors.clientInvalid);
      for (const call of [() => strategy.refresh('a-token'), () => strategy.revoke('a-token')]) {
        for (const _ of [1, 2]) {
          const error: unknown = await call().catch((reason: unknown) => reason);
          expect(error).to.be.instanceOf(TokenError).and.to.have.property('code', 'invalid_client');
          expect(headersOf.pop()).to.have.property('Authorization', `Basic ${basic}`);
        }
      }
    });

    it('_createOAuthError', async () => {
      class Own extends PipedriveStrategy {
        override _createOAuthError(message: string, error: unknown) {
          return Object.assign(new Error('own'), { status: 418, given: super._createOAuthError(message, error) });
        }
      }
      const app = await start({ strategy: new Own(options, anybody) });
      exchange().reply(400, tokenErrors.clientInvalid);
      expect(expectError(app, await app.visitor().signIn(), 418).given).to.be.instanceOf(TokenError);
      tokenEndpoint().reply(400, tokenErrors.refreshTokenInvalid);
      const refused = await app.strategy.refresh('a-token').catch((error: unknown) => error);
      expect(refused).to.have.property('status', 418);
    });
  });

  describe('with a client that is stubbed', () => {
    const stubbed = (stub: (code: string, params: object, done: TokensDone) => void, more = {}) => {
      const strategy = create(more, ({ tokens, refreshToken }) => ({ tokens, refreshToken }));
      Object.assign(strategy._oauth2, { getOAuthAccessToken: stub });
      return strategy;
    };

    it('signs in with what the stubs call back, the first time', async () => {
      const asked: unknown[] = [];
      const strategy = create({}, ({ profile, accessToken }) => ({ id: profile.id, accessToken }));
      Object.assign(strategy._oauth2, {
        getOAuthAccessToken: (code: string, params: object, done: TokensDone) => {
          asked.push([code, params]);
          done(null, 'stubbed-token', 'stubbed-refresh', { api_domain: 'https://acme.pipedrive.com' });
          done(new Error('must not count'));
        },
        get: (url: string, token: string, done: (error: unknown, body?: string) => void) => {
          asked.push([url, token]);
          done(null, '{"data":{"id":1,"company_id":2}}');
          done(new Error('must not count'));
        },
      });
      const { user } = await (await start({ strategy })).visitor().signIn();
      expect(user).to.deep.equal({ id: '2:1', accessToken: 'stubbed-token' });
      expect(asked).to.deep.equal([
        ['the-code-of-the-user', { grant_type: 'authorization_code', redirect_uri: options.callbackURL }],
        ['https://acme.pipedrive.com/api/v1/users/me', 'stubbed-token'],
      ]);
    });

    it("asks for each user's profile at the user's own company, also when another's sign-in ends meanwhile", async () => {
      const asked: string[] = [];
      let goOn = () => {};
      const waits = new Promise<void>((resolve) => {
        goOn = resolve;
      });
      const strategy = stubbed(
        (code, _params, done) =>
          done(null, `token-of-${code}`, 'refresh', { api_domain: `https://${code}.pipedrive.com` }),
        {
          state: false,
          skipUserProfile: (token: string, done: (error: unknown, skip?: boolean) => void) =>
            void (token === 'token-of-ada' ? waits : Promise.resolve()).then(() => done(null, false)),
        },
      );
      Object.assign(strategy._oauth2, {
        get: (url: string, token: string, done: (error: unknown, body?: string) => void) => {
          asked.push(`${url} ${token}`);
          done(null, '{"data":{"id":1,"company_id":2}}');
        },
      });
      const app = await start({ strategy });
      const ada = app.visitor().callback({ code: 'ada' });
      await new Promise<void>((resolve) => setImmediate(resolve));
      for (const code of ['bob', 'cleo']) await app.visitor().callback({ code });
      goOn();
      expect((await ada).outcome).to.equal('success');
      const users = ['bob', 'cleo', 'ada'];
      expect(asked).to.deep.equal(
        users.map((user) => `https://${user}.pipedrive.com/api/v1/users/me token-of-${user}`),
      );
    });

    for (const secret of ['an-access-token', 'a-refresh-token']) {
      it(`repeats no token of the sign-in when the profile fails with a text that has ${secret}`, async () => {
        const strategy = stubbed((_code, _params, done) =>
          done(null, 'an-access-token', 'a-refresh-token', { api_domain: 'https://acme.pipedrive.com' }),
        );
        let text = 'nobody at home';
        Object.assign(strategy._oauth2, {
          get: (_url: string, _token: string, done: (error: unknown) => void) => done(new Error(text)),
        });
        const app = await start({ strategy });
        expect(expectError(app, await app.visitor().signIn(), 502).message).to.include(text);
        app.errors.length = 0;
        text = `nobody at home for ${secret}`;
        const error = expectError(app, await app.visitor().signIn(), 502);
        expect(inspect(error, { depth: 9 })).not.to.include(secret);
      });
    }

    it('needs an access token of it, and nothing more', async () => {
      const before = Math.floor(Date.now() / 1000);
      const strategy = stubbed((_code, _params, done) => done(null, 'stubbed-token', 'stubbed-refresh', { more: 1 }), {
        skipUserProfile: true,
      });
      const { user } = await (await start({ strategy })).visitor().signIn();
      const { tokens: given, refreshToken } = user as { tokens: Record<string, unknown>; refreshToken: string };
      expect(refreshToken).to.equal('stubbed-refresh');
      expect(given).to.include({ access_token: 'stubbed-token', refresh_token: 'stubbed-refresh', more: 1 });
      expect(given.expires_at)
        .to.be.a('number')
        .within(before, before + 60);
    });

    it('counts the tokens that it calls back with, and not those of the response', async () => {
      const strategy = stubbed(
        (_code, _params, done) =>
          done(null, 'own-token', 'own-refresh', { access_token: 'other', refresh_token: 'other' }),
        { skipUserProfile: true },
      );
      const { user } = await (await start({ strategy })).visitor().signIn();
      const { tokens: given, refreshToken } = user as { tokens: object; refreshToken: string };
      expect(given).to.include({ access_token: 'own-token', refresh_token: 'own-refresh' });
      expect(refreshToken).to.equal('own-refresh');
    });

    it('keeps two users apart whose responses are one object, and writes nothing to it', async () => {
      const shared = Object.freeze({ expires_in: 3600 });
      const strategy = stubbed((code, _params, done) => done(null, `token-of-${code}`, `refresh-of-${code}`, shared), {
        skipUserProfile: true,
      });
      const app = await start({ strategy });
      for (const code of ['one', 'two']) {
        const { user } = await app.visitor().signIn(code);
        const { tokens: given } = user as { tokens: object };
        expect(given).to.include({ access_token: `token-of-${code}`, refresh_token: `refresh-of-${code}` });
      }
    });

    it('fills in expires_at where the response has one that is not a number', async () => {
      const strategy = stubbed(
        (_code, _params, done) => done(null, 'stubbed-token', 'r', { expires_at: '2026-11-26', expires_in: '3600' }),
        { skipUserProfile: true },
      );
      const { user } = await (await start({ strategy })).visitor().signIn();
      const { tokens: given } = user as { tokens: { expires_at: unknown } };
      expect(given.expires_at)
        .to.be.a('number')
        .above(Date.now() / 1000);
    });

    for (const [what, answer, message] of [
      ['no access token', [null], 'has no access token'],
      ['an empty access token', [null, ''], 'has no access token'],
      ['an error', [new Error('down')], 'could not be reached: down'],
      ["oauth's plain error", [{ statusCode: 500, data: 'x' }], 'answered 500'],
    ] as const) {
      it(`is an error with status 502 for ${what}`, async () => {
        const app = await start({
          strategy: stubbed((_code, _params, done) => Reflect.apply(done, undefined, answer)),
        });
        const error = expectError(app, await app.visitor().signIn(), 502);
        expect(error).to.be.instanceOf(InternalOAuthError).and.have.property('message').that.includes(message);
      });
    }

    it('is an error where the stub throws', async () => {
      const app = await start({
        strategy: stubbed(() => {
          throw new Error('stub is broken');
        }),
      });
      expect(expectError(app, await app.visitor().signIn(), 502).message).to.include('stub is broken');
    });

    it("maps oauth's plain errors as ours: failure, TokenError, 503", async () => {
      const answer = (statusCode: number, data: unknown) =>
        stubbed((_code, _params, done) => done({ statusCode, data: JSON.stringify(data) }));
      const expired = await start({ strategy: answer(400, tokenErrors.authorizationCodeExpired) });
      expectFailure(await expired.visitor().signIn(), 403, 'invalid_grant');
      const refused = await start({ strategy: answer(400, tokenErrors.clientInvalid) });
      expect(expectError(refused, await refused.visitor().signIn(), 500)).to.include({ code: 'invalid_client' });
      const limited = await start({ strategy: answer(429, {}) });
      expectError(limited, await limited.visitor().signIn(), 503);
    });

    it('asks for the profile at a guarded api_domain only', async () => {
      for (const api_domain of [undefined, 'https://evil.example', 'https://acme.pipedrive.com.evil.example']) {
        const strategy = stubbed((_code, _params, done) => done(null, 'stubbed-token', 'r', { api_domain }));
        const app = await start({ strategy });
        expect(expectError(app, await app.visitor().signIn(), 502).message).to.include('api_domain');
      }
    });

    it('repeats none of the secrets of that sign-in, also in an error of get', async () => {
      const code = 'the-code-of-the-user';
      const strategy = stubbed((_code, _params, done) =>
        done(null, tokens.access_token, tokens.refresh_token, { ...tokens }),
      );
      Object.assign(strategy._oauth2, {
        get: (_url: string, token: string, done: TokensDone) =>
          done({
            statusCode: 403,
            data: JSON.stringify({ error: `No ${code}`, error_info: `${token} ${clientSecret}` }),
          }),
      });
      const app = await start({ strategy });
      expectNoSecrets(expectError(app, await app.visitor().signIn(code), 502), code);
    });

    it('shows no code of an error that is a secret, and keeps one of the system', async () => {
      const strategy = stubbed((code, _params, done) => done({ code, message: 'nobody at home' }));
      const app = await start({ strategy });
      for (const code of ['the-code-of-the-user', 'THE_CODE_OF_THE_USER']) {
        expectNoSecrets(expectError(app, await app.visitor().signIn(code), 502), code);
        app.errors.length = 0;
      }
      for (const code of ['ECONNRESET', 'ERR_SSL_SSL/TLS_ALERT_CERTIFICATE_EXPIRED', 'HPE_INVALID_CONSTANT']) {
        const getOAuthAccessToken = (_code: string, _params: object, done: TokensDone) => done({ code });
        Object.assign(strategy._oauth2, { getOAuthAccessToken });
        expect(expectError(app, await app.visitor().signIn(), 502).cause).to.have.property('code', code);
        app.errors.length = 0;
      }
    });

    it('rejects refresh and revoke with its errors', async () => {
      const strategy = create();
      Object.assign(strategy._oauth2, {
        getOAuthAccessToken: (_token: string, { grant_type }: { grant_type: string }, done: TokensDone) =>
          done({ statusCode: 400, data: JSON.stringify({ error: 'invalid_grant', message: grant_type }) }),
        _request: (...given: unknown[]) => (given.at(-1) as TokensDone)({ statusCode: 500, data: '' }),
      });
      const rejection = (promise: Promise<unknown>) => promise.catch((error: unknown) => error);
      expect(await rejection(strategy.refresh('a'))).to.include({ code: 'invalid_grant', message: 'refresh_token' });
      expect(await rejection(strategy.revoke('a'))).to.include({ status: 502 });
    });
  });
});

describe('with another client, or agent', () => {
  const start = appsForEach();
  const startServer = rawServersForEach();

  it('goes through the agent that setAgent has set', async () => {
    const { origin } = await startServer(answerWell);
    const agent = new Agent({ keepAlive: true });
    const strategy = new PipedriveStrategy({ ...options, authorizationServer: origin }, anybody);
    strategy._oauth2.setAgent(agent);
    await strategy.refresh('some-token');
    expect(Object.keys(agent.freeSockets)).to.have.length(1);
    agent.destroy();
  });

  it("signs in, refreshes and revokes with oauth's own class", async () => {
    const { origin } = await startServer(answerWell);
    const strategy = new PipedriveStrategy(
      { ...options, authorizationServer: origin },
      ({ profile, tokens, refreshToken }) => ({ id: profile.id, scope: tokens.scope, refreshToken }),
    );
    const client = new OAuth2(options.clientID, clientSecret, '', `${origin}/oauth/authorize`, `${origin}/oauth/token`);
    client.useAuthorizationHeaderforGET(true);
    Object.assign(strategy, { _oauth2: client });
    const { outcome, user } = await (await start({ strategy })).visitor().signIn();
    expect(outcome).to.equal('success');
    expect(user).to.deep.equal({ id: '1001:777', scope: tokens.scope, refreshToken: tokens.refresh_token });
    expect((await strategy.refresh('some-token')).refresh_token).to.equal(tokens.refresh_token);
    await strategy.revoke('some-token');
  });

  it("maps the refusals of oauth's own class", async () => {
    const { origin } = await startServer((socket) => socket.write(answerOf(tokenErrors.authorizationCodeExpired, 400)));
    const strategy = new PipedriveStrategy({ ...options, authorizationServer: origin }, anybody);
    const client = new OAuth2(options.clientID, clientSecret, '', `${origin}/oauth/authorize`, `${origin}/oauth/token`);
    Object.assign(strategy, { _oauth2: client });
    expectFailure(await (await start({ strategy })).visitor().signIn(), 403, 'invalid_grant');
  });
});
