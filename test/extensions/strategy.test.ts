// The extension strategy under Passport: each request to a panel ends in one outcome, by the token alone.
import { inspect } from 'node:util';
import { expect } from 'chai';
import type { Request } from 'express';
import { type AuthenticateOptions, Passport } from 'passport';
import {
  type ExtensionVerifyContext,
  type ExtensionVerifyFunction,
  PipedriveExtensionStrategy,
} from 'passport-pipedrive-oauth2/extensions';
import { type Answer, type App, appsForEach, expectError } from '../support/app';
import { expectNoUnhandledRejections } from '../support/errors';
import { adaToken, inSeconds, jwtSecret, secrets } from '../support/extensions';

const everybody: ExtensionVerifyFunction = ({ req, ...user }) => user;
const mustNotBeCalled: ExtensionVerifyFunction = (_context) => {
  throw new Error('verify must not be called');
};

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

describe('PipedriveExtensionStrategy', () => {
  expectNoUnhandledRejections();
  const startApp = appsForEach();

  interface Panel {
    verify?: ExtensionVerifyFunction;
    options?: AuthenticateOptions;
    queryParser?: string | false;
    secret?: string | string[];
  }

  /** An app with a panel, beside the routes of the main strategy. */
  const start = ({ verify = everybody, options, queryParser = 'simple', secret = jwtSecret }: Panel = {}) =>
    startApp({
      routes: (app) => {
        const passport = new Passport();
        passport.use(new PipedriveExtensionStrategy({ secret }, verify));
        const authenticate = passport.authenticate('pipedrive-extension', {
          session: false,
          failWithError: true,
          ...options,
        });
        app.set('query parser', queryParser);
        app.get('/panel', authenticate, (req, res) => void res.json({ outcome: 'success', user: req.user }));
      },
    });

  const open = (app: App, query: string | Record<string, string>, headers: Record<string, string> = {}) =>
    app.visitor().send(`/panel?${typeof query === 'string' ? query : new URLSearchParams(query)}`, { headers });

  function expectRefused(answer: Answer, status: number, code: string): void {
    expect(answer).to.include({ outcome: 'failure', status });
    expect(answer.authInfo).to.have.all.keys('code', 'message').and.to.include({ code });
    expect(answer.authInfo)
      .to.have.property('message')
      .that.matches(/^[A-Z].+[.]$/);
    expect(answer.headers.get('www-authenticate')).to.equal(status === 401 ? 'Bearer' : null);
    for (const secret of secrets) expect(answer.body).not.to.include(secret);
  }

  describe('lets in', () => {
    const ids = { userId: '777', companyId: '1001', id: 'of-the-sdk', resource: 'deal', selectedIds: '3' };
    const requests: Record<string, () => [Record<string, string>, Record<string, string>?]> = {
      'with the token in the query': () => [{ token: adaToken() }],
      'with the token and the ids in the query': () => [{ ...ids, token: adaToken() }],
      'with the token in a Bearer header': () => [{}, bearer(adaToken())],
      'with the token in a Bearer header, behind two spaces': () => [{}, { authorization: `Bearer  ${adaToken()}` }],
      'with the token in a header that says bearer': () => [{}, { authorization: `bearer ${adaToken()}` }],
      'with the token in a Bearer header, and an empty one in the query': () => [{ token: '' }, bearer(adaToken())],
      'with the token in the query, and an empty Bearer header': () => [
        { token: adaToken() },
        { authorization: 'Bearer' },
      ],
      'with the token in the query, behind Basic credentials of a proxy': () => [
        { token: adaToken() },
        { authorization: 'Basic dXNlcjpwYXNzd29yZA==' },
      ],
      'with empty ids in the query': () => [{ userId: '', companyId: '', token: adaToken() }],
    };
    for (const [title, request] of Object.entries(requests)) {
      for (const queryParser of ['simple', 'extended', false] as const) {
        it(`who comes ${title} (query parser: ${queryParser})`, async () => {
          const answer = await open(await start({ queryParser }), ...request());
          expect(answer.user).to.include({ id: '1001:777', companyId: 1001, userId: 777 });
          expect(answer.headers.get('www-authenticate')).to.equal(null);
        });
      }
    }

    it('tells the verify function who is looking, with the request', async () => {
      let seen: ExtensionVerifyContext | undefined;
      const app = await start({
        verify: (context) => {
          seen = context;
          return { id: 'ada' };
        },
      });
      const exp = inSeconds(120);
      expect((await open(app, { token: adaToken({ iat: exp - 300, exp }) })).user).to.deep.equal({ id: 'ada' });
      const { req, ...user } = seen ?? {};
      expect(user).to.deep.equal({
        id: '1001:777',
        companyId: 1001,
        userId: 777,
        issuedAt: exp - 300,
        expiresAt: exp,
      });
      expect(req?.path).to.equal('/panel');
    });
  });

  describe('refuses', () => {
    const token = encodeURIComponent(adaToken());
    const requests: [string, number, string, Record<string, string>?][] = [
      ['', 401, 'token_missing'],
      ['token=', 401, 'token_missing'],
      ['userId=777&companyId=1001', 401, 'token_missing'],
      ['Token=x', 401, 'token_missing'],
      ['', 401, 'token_missing', { authorization: 'Bearer' }],
      ['', 401, 'token_missing', { authorization: 'Basic dXNlcjpwYXNzd29yZA==' }],
      ['', 401, 'token_missing', { authorization: `Bearers ${adaToken()}` }],
      ['', 401, 'token_missing', { authorization: `Basic Bearer ${adaToken()}` }],
      ['token=x', 401, 'token_invalid'],
      ['', 401, 'token_invalid', bearer('x')],
      ['', 401, 'token_invalid', bearer(`${adaToken()}, Bearer ${adaToken()}`)],
      [`token=${token}&token=${token}`, 400, 'invalid_request'],
      [`token=${token}&token=`, 400, 'invalid_request'],
      [`token[]=${token}`, 400, 'invalid_request'],
      [`token[a]=${token}`, 400, 'invalid_request'],
      [`token%5Ba%5D=${token}`, 400, 'invalid_request'],
      [`token=${token}&token[a]=b`, 400, 'invalid_request'],
      [`token=${token}`, 400, 'invalid_request', bearer(adaToken())],
      [`token=x`, 400, 'invalid_request', bearer('y')],
      [`token[a]=${token}`, 400, 'invalid_request', bearer(adaToken())],
      [`token=${token}&userId=778`, 403, 'token_mismatch'],
      [`token=${token}&companyId=1002`, 403, 'token_mismatch'],
      [`token=${token}&userId=0777`, 403, 'token_mismatch'],
      [`token=${token}&userId=777.0`, 403, 'token_mismatch'],
      [`token=${token}&userId=%20777`, 403, 'token_mismatch'],
      [`token=${token}&userId=777&userId=777`, 403, 'token_mismatch'],
      [`token=${token}&userId=777&userId=`, 403, 'token_mismatch'],
      [`token=${token}&userId[]=777`, 403, 'token_mismatch'],
      [`token=${token}&companyId[a]=1001`, 403, 'token_mismatch'],
      [`token=${token}&userId=1001&companyId=777`, 403, 'token_mismatch'],
      ['userId=778', 403, 'token_mismatch', bearer(adaToken())],
      // Who is somebody else with a token that proves nothing is told so first.
      ['token=x&userId=778', 401, 'token_invalid'],
    ];
    for (const [query, status, code, headers] of requests) {
      const shown = inspect([query, headers?.authorization].filter(Boolean).join(', ')).replaceAll(token, 'GOOD');
      for (const queryParser of ['simple', 'extended', false] as const) {
        it(`${status} ${code}: ${shown.replaceAll(adaToken(), 'GOOD').slice(0, 60)} (${queryParser})`, async () => {
          const app = await start({ queryParser, verify: mustNotBeCalled });
          expectRefused(await open(app, query, headers), status, code);
        });
      }
    }

    it('an expired token', async () => {
      const app = await start({ verify: mustNotBeCalled });
      expectRefused(await open(app, { token: adaToken({ exp: inSeconds(-1) }) }), 401, 'token_expired');
    });

    it('a token of another extension, unless its secret is given, too', async () => {
      const token = adaToken({}, { secret: 'of-another-extension' });
      expectRefused(await open(await start(), { token }), 401, 'token_invalid');
      const app = await start({ secret: [jwtSecret, 'of-another-extension'] });
      expect((await open(app, { token })).outcome).to.equal('success');
    });

    it('two Authorization headers, of which Node.js would show one', async () => {
      const app = await start({ verify: mustNotBeCalled });
      const { request } = await import('node:http');
      const status = await new Promise((resolve, reject) => {
        const lines = ['Authorization', `Bearer ${adaToken()}`, 'Authorization', `Bearer ${adaToken()}`];
        const headers = ['Host', 'localhost', ...lines];
        request(`${app.origin}/panel`, { headers }, (response) => resolve(response.resume().statusCode))
          .on('error', reject)
          .end();
      });
      expect(status).to.equal(400);
    });
  });

  it('keeps the page and the refusal, whose URL may have a token in it, out of caches', async () => {
    const app = await start();
    for (const query of [{ token: adaToken() }, { token: 'x' }]) {
      expect((await open(app, query)).headers.get('cache-control')).to.equal('no-store');
    }
  });

  describe('the verify function', () => {
    const token = () => ({ token: adaToken() });

    for (const none of [false, null]) {
      it(`fails the request with 401 where it returns ${none}`, async () => {
        expect(await open(await start({ verify: (_context) => none }), token())).to.include({
          outcome: 'failure',
          status: 401,
        });
      });
    }

    it('may be async', async () => {
      const app = await start({ verify: async ({ id }) => ({ id }) });
      expect((await open(app, token())).user).to.deep.equal({ id: '1001:777' });
    });

    it('may have no parameter', async () => {
      expect((await open(await start({ verify: async () => ({ id: 1 }) }), token())).user).to.deep.equal({ id: 1 });
    });

    it('may have more parameters with defaults, which keep them', async () => {
      const refuse = () => false;
      const verify = ({ id }: ExtensionVerifyContext, find: (id: string) => unknown = refuse, ...rest: unknown[]) =>
        rest.length === 0 && find(id);
      expect((await open(await start({ verify }), token())).status).to.equal(401);
    });

    it('may be of a framework that wraps it in (...args), and answers to the last of them', async () => {
      const wrapped = async (...args: unknown[]) => {
        const done = args.at(-1);
        const { id } = args[0] as ExtensionVerifyContext;
        if (typeof done === 'function') done(null, { id });
      };
      expect((await open(await start({ verify: wrapped }), token())).user).to.deep.equal({ id: '1001:777' });
    });

    it('is an error where a framework answers with one', async () => {
      const wrapped = async (...args: unknown[]) => {
        const done = args.at(-1);
        if (typeof done === 'function') done(new Error('of the app'), null);
      };
      const app = await start({ verify: wrapped });
      expect(expectError(app, await open(app, token()), 500).message).to.equal('of the app');
    });

    const wrong: Record<string, [ExtensionVerifyFunction, string]> = {
      'forgets to return': [(_context) => {}, 'The verify function returned undefined'],
      'forgets to return, without a parameter': [async () => {}, 'The verify function returned undefined'],
      throws: [
        (_context) => {
          throw new Error('of the app');
        },
        'of the app',
      ],
      rejects: [async (_context) => Promise.reject(new Error('of the app')), 'of the app'],
      'rejects with nothing': [(_context) => Promise.reject(), 'failed without an error'],
      'rejects with nothing, without a parameter': [() => Promise.reject(), 'failed without an error'],
    };
    for (const [title, [verify, message]] of Object.entries(wrong)) {
      it(`is an error where it ${title}`, async () => {
        const app = await start({ verify });
        expect(expectError(app, await open(app, token()), 500).message).to.include(message);
      });
    }
  });

  it('keeps two users apart who look at once with one strategy object', async () => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let arrived = () => {};
    const hasArrived = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const strategy = new PipedriveExtensionStrategy({ secret: jwtSecret }, async ({ id, userId }) => {
      if (userId === 777) {
        arrived();
        await released;
      }
      return { id };
    });
    const app = await startApp({
      routes: (express) => {
        const authenticate = new Passport().authenticate(strategy, { session: false });
        express.get('/panel', authenticate, (req, res) => void res.json({ user: req.user }));
      },
    });
    const slow = open(app, { token: adaToken() });
    await hasArrived;
    const fast = await open(app, { token: adaToken({ userId: 778 }) });
    release();
    expect([fast.user, (await slow).user]).to.deep.equal([{ id: '1001:778' }, { id: '1001:777' }]);
  });

  it('is an error where an action of Passport throws', async () => {
    const app = await start({ options: { failureMessage: true } });
    expectError(app, await open(app, ''), 500);
  });

  it('sets no header on a response that was already sent', async () => {
    const strategy = new PipedriveExtensionStrategy({ secret: jwtSecret }, mustNotBeCalled);
    let failed = () => {};
    const hasFailed = new Promise<void>((resolve) => {
      failed = resolve;
    });
    const app = await startApp({
      routes: (express) =>
        express.get('/panel', (req, res, next) => {
          res.json({ outcome: 'other' });
          new Passport().authenticate(strategy, (error: unknown) => (error ? next(error) : failed()))(req, res);
        }),
    });
    expect((await open(app, '')).status).to.equal(200);
    await hasFailed;
    expect(app.errors).to.deep.equal([]);
  });

  describe('without a framework', () => {
    const strategy = Object.create(new PipedriveExtensionStrategy({ secret: jwtSecret }, everybody));
    const outcome = (req: object) =>
      new Promise((resolve) => {
        strategy.success = (user: unknown) => resolve(user);
        strategy.fail = (info: unknown, status: number) => resolve({ info, status });
        strategy.error = resolve;
        strategy.authenticate({ headers: {}, ...req } as unknown as Request);
      });

    it('reads the URL where the request has no parsed query', async () => {
      expect(await outcome({ url: `/panel?token=${adaToken()}` })).to.include({ id: '1001:777' });
      expect(await outcome({ url: '/panel' })).to.deep.include({ status: 401 });
    });

    it('reads the headers of fetch, and a list that another framework makes of a repeated one', async () => {
      const authorization = `Bearer ${adaToken()}`;
      expect(await outcome({ headers: new Headers({ authorization }) })).to.include({ id: '1001:777' });
      const repeated = { authorization: [authorization, authorization] };
      expect(await outcome({ headers: repeated })).to.deep.include({ status: 400 });
      expect(await outcome({ headers: undefined })).to.deep.include({ status: 401 });
    });

    it('reads no token in a body', async () => {
      expect(await outcome({ query: {}, body: { token: adaToken() } })).to.deep.include({ status: 401 });
    });

    for (const [framework, name] of [
      ['Fastify', 'raw'],
      ['Koa', 'req'],
    ] as const) {
      it(`finds a repeated header in Node.js's own request, as ${framework} has it`, async () => {
        const authorization = `Bearer ${adaToken()}`;
        const request = (...all: string[]) => ({
          headers: { authorization },
          [name]: { headersDistinct: { authorization: all } },
        });
        expect(await outcome(request(authorization))).to.include({ id: '1001:777' });
        expect(await outcome(request(authorization, authorization))).to.deep.include({ status: 400 });
      });
    }

    it('needs no URL where the request has a parsed query, whose ids may be numbers', async () => {
      expect(await outcome({ query: { token: adaToken(), userId: 777 } })).to.include({ id: '1001:777' });
      expect(await outcome({ query: { token: adaToken(), userId: 778 } })).to.deep.include({ status: 403 });
      expect(await outcome({ query: {} })).to.deep.include({ status: 401 });
    });
  });

  it('shows no secret when it is printed', () => {
    const strategy = new PipedriveExtensionStrategy({ secret: jwtSecret }, everybody);
    const bytes = inspect(new TextEncoder().encode(jwtSecret)).slice(0, 60);
    const shown = inspect(strategy, { depth: 10, showHidden: true }) + JSON.stringify(strategy);
    expect(shown).not.to.include(jwtSecret).and.not.to.include(bytes);
  });

  it('keeps the secrets that it was given, though the list changes later', async () => {
    const list = [jwtSecret];
    const strategy = new PipedriveExtensionStrategy({ secret: list }, everybody);
    list[0] = 'another';
    const app = await startApp({
      routes: (express) => {
        const authenticate = new Passport().authenticate(strategy, { session: false });
        express.get('/panel', authenticate, (req, res) => void res.json({ user: req.user }));
      },
    });
    expect((await open(app, { token: adaToken() })).status).to.equal(200);
  });

  describe('throws a TypeError that names', () => {
    for (const secret of [undefined, null, '', [], [jwtSecret, ''], 7]) {
      it(`secret, where it is ${inspect(secret).replace(jwtSecret, '…')}`, () => {
        const create = () => new PipedriveExtensionStrategy({ secret: secret as string }, everybody);
        expect(create)
          .to.throw(TypeError, /^secret is required and must/)
          .with.property('message')
          .that.does.not.include(jwtSecret);
      });
    }

    it('secret, where there are no options', () => {
      const none: unknown = undefined;
      expect(() => new PipedriveExtensionStrategy(none as { secret: string }, everybody)).to.throw(TypeError, 'secret');
    });

    it('verify, where there is none', () => {
      const none: unknown = undefined;
      const create = () => new PipedriveExtensionStrategy({ secret: jwtSecret }, none as ExtensionVerifyFunction);
      expect(create).to.throw(TypeError, 'verify is required and must be a function');
    });

    it('verify, where it has more than one parameter', () => {
      const verify: unknown = (_context: unknown, _done: unknown) => false;
      const create = () => new PipedriveExtensionStrategy({ secret: jwtSecret }, verify as ExtensionVerifyFunction);
      expect(create).to.throw(TypeError, 'verify must take one argument');
    });
  });
});
