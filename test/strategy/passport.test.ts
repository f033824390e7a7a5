// The strategy under Passport: one outcome for each request, whatever the app and other requests do.
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import express, { type RequestHandler } from 'express';
import { type AuthenticateCallback, Passport } from 'passport';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { currentUser, users } from 'pipedrive-sandbox';
import { anybody, appsForEach, expectFailure, expectRedirect, mustNotBeCalled, options } from '../support/app';
import { expectNoUnhandledRejections } from '../support/errors';
import { exchange, letSignIn, profileRequest, stubPipedrive, tokens } from '../support/pipedrive';

describe('Passport', () => {
  stubPipedrive();
  expectNoUnhandledRejections();
  const start = appsForEach();
  const passport = new Passport();

  /** An app whose callback has a route of its own, in front of the usual ones. */
  const startWith = (strategy: PipedriveStrategy, handler: RequestHandler) =>
    start({ strategy, before: [express().use('/callback', handler)] });

  it('keeps two users apart who sign in at once with one strategy object', async () => {
    const strategy = new PipedriveStrategy(options, ({ profile }) => ({ id: profile.id }));
    const answer: RequestHandler = (req, res) => void res.json({ outcome: 'success', user: req.user });
    const app = await startWith(strategy, (req, res, next) => {
      const authenticate = passport.authenticate(strategy, { session: false });
      authenticate(req, res, (error?: unknown) => (error ? next(error) : answer(req, res, next)));
    });
    const [slow, fast] = [app.visitor(), app.visitor()];
    const [slowState, fastState] = [await slow.start(), await fast.start()];
    // The first user's tokens come only after the second user is in.
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = () => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    exchange('code-of-slow').reply(200, async () => {
      asked();
      await released;
      return { ...tokens, api_domain: 'https://slow.pipedrive.com' };
    });
    profileRequest('https://slow.pipedrive.com').reply(200, currentUser(users.ben));
    const slowly = slow.callback({ code: 'code-of-slow', state: slowState });
    await wasAsked;
    exchange('code-of-fast').reply(200, tokens);
    profileRequest().reply(200, currentUser(users.ada));
    const quickly = await fast.callback({ code: 'code-of-fast', state: fastState });
    release();
    expect([quickly.user, (await slowly).user]).to.deep.equal([{ id: '1001:777' }, { id: '1001:778' }]);
  });

  it('is an error when an action throws, as failureMessage does without a session', async () => {
    const app = await start({ callback: { failureMessage: true } });
    const answer = await app.visitor().callback({ error: 'user_denied' });
    expect(answer).to.include({ outcome: 'error', status: 500 });
    expect(app.errors[0]).to.be.instanceOf(TypeError);
  });

  it('calls the callback of authenticate once: with a failure and its status, or a user', async () => {
    const seen: Parameters<AuthenticateCallback>[] = [];
    const strategy = new PipedriveStrategy(options, anybody);
    const app = await startWith(strategy, (req, res, next) => {
      const done: AuthenticateCallback = (...args) => {
        seen.push(args);
        res.json({});
      };
      passport.authenticate(strategy, done)(req, res, next);
    });
    const visitor = app.visitor();
    await visitor.callback({ error: 'user_denied' });
    letSignIn();
    await visitor.signIn();
    expect(seen).to.have.length(2);
    expect(seen[0]).to.deep.include.members([null, false, 403]);
    expect(seen[0]?.[2]).to.include({ code: 'user_denied' });
    expect(seen[1]?.slice(0, 2)).to.deep.equal([null, { id: 1 }]);
  });

  for (const [what, isEnded] of [
    ['has answered nothing', false],
    ['has answered', true],
  ] as const) {
    it(`ends the request when the callback of authenticate throws for everything and ${what}`, async () => {
      const strategy = new PipedriveStrategy(options, mustNotBeCalled);
      const app = await startWith(strategy, (req, res, next) => {
        const done = () => {
          if (isEnded && !res.writableEnded) res.status(418).end();
          throw new Error('broken');
        };
        passport.authenticate(strategy, done)(req, res, next);
      });
      expect((await app.visitor().callback({ error: 'x' })).status).to.equal(isEnded ? 418 : 500);
    });
  }

  /** As an HTTP client's: it has the headers of its request. */
  const broken = () =>
    Object.assign(new Error('broken callback'), { config: { headers: { authorization: 'Bearer a-token' } } });

  for (const [what, fail] of Object.entries<() => unknown>({
    throws() {
      throw broken();
    },
    rejects: async () => {
      throw broken();
    },
    'throws no Error': () => {
      throw { ...broken(), message: 'broken callback' };
    },
  })) {
    it(`gives the callback of authenticate its own error when it ${what} on a success`, async () => {
      const seen: unknown[] = [];
      const strategy = new PipedriveStrategy(options, anybody);
      const app = await startWith(strategy, (req, res, next) => {
        const done: AuthenticateCallback = (error, user) => {
          seen.push(error ?? user);
          return error ? res.status(500).json({}) : fail();
        };
        passport.authenticate(strategy, done)(req, res, next);
      });
      letSignIn();
      expect((await app.visitor().signIn()).status).to.equal(500);
      expect(seen[0]).to.deep.equal({ id: 1 });
      expect(seen[1]).to.have.property('message', 'broken callback');
    });

    it(`ends the request and warns with the error when the callback ${what} for everything`, async () => {
      const strategy = new PipedriveStrategy(options, anybody);
      const app = await startWith(strategy, (req, res, next) => passport.authenticate(strategy, fail)(req, res, next));
      const warned = once(process, 'warning');
      letSignIn();
      expect((await app.visitor().signIn()).status).to.equal(500);
      expect((await warned)[0])
        .to.include({ code: 'PIPEDRIVE_UNHANDLED_ERROR' })
        .and.have.property('message')
        .that.includes('broken callback')
        .and.not.includes('a-token');
    });

    it(`calls the callback once, and warns with the error, when it has responded and ${what}`, async () => {
      const strategy = new PipedriveStrategy(options, anybody);
      let calls = 0;
      const app = await startWith(strategy, (req, res, next) => {
        const done: AuthenticateCallback = () => {
          calls += 1;
          res.end('signed in'); // twice, it would crash the process
          return fail();
        };
        passport.authenticate(strategy, done)(req, res, next);
      });
      const warned = once(process, 'warning');
      letSignIn();
      expect(await app.visitor().signIn()).to.include({ status: 200, body: 'signed in' });
      expect(String((await warned)[0])).to.include('broken callback');
      expect(calls).to.equal(1);
    });
  }

  it('warns with what the callback threw first, not with what it threw when it was given that', async () => {
    const strategy = new PipedriveStrategy(options, anybody);
    const app = await startWith(strategy, (req, res, next) => {
      const done: AuthenticateCallback = (_error, user) => {
        if (!user) throw new TypeError("Cannot read properties of undefined (reading 'id')");
        throw new Error('the database is away');
      };
      passport.authenticate(strategy, done)(req, res, next);
    });
    const warned = once(process, 'warning');
    letSignIn();
    expect((await app.visitor().signIn()).status).to.equal(500);
    expect(String((await warned)[0]))
      .to.include('the database is away')
      .and.not.include('TypeError');
  });

  for (const [what, thrown] of Object.entries<object>({
    'a plain object': { message: 'broken callback' },
    'an object without prototype': Object.assign(Object.create(null), { message: 'broken callback' }),
  })) {
    it(`ends the request and warns with what was thrown when the callback throws ${what}`, async () => {
      const app = await startWith(new PipedriveStrategy(options, anybody), (req, res, next) => {
        const done = () => {
          throw thrown;
        };
        passport.authenticate(app.strategy, done)(req, res, next);
      });
      const warned = once(process, 'warning');
      expect((await app.visitor().callback({ error: 'x' })).status).to.equal(500);
      expect(String((await warned)[0])).to.include('broken callback');
    });
  }

  describe('Cache-Control', () => {
    it('is no-store on each redirect to Pipedrive, whatever the app has set', async () => {
      const public_: RequestHandler = (_req, res, next) => next(void res.set('Cache-Control', 'public'));
      const visitor = (await start({ before: [public_] })).visitor();
      for (const path of ['/auth', '/callback?code=from-the-marketplace']) {
        expect((await visitor.send(path)).headers.get('cache-control')).to.equal('no-store');
      }
    });

    it("is no-store on the callback's response: success, failure, error", async () => {
      const app = await start({ verify: anybody });
      const visitor = app.visitor();
      letSignIn();
      expect((await visitor.signIn()).headers.get('cache-control')).to.equal('no-store');
      expect((await visitor.callback({ error: 'x' })).headers.get('cache-control')).to.equal('no-store');
      exchange().reply(500);
      expect((await visitor.signIn()).headers.get('cache-control')).to.equal('no-store');
    });

    it('is no-store on Koa, too', async () => {
      // Without the types of Koa, which do not compile beside the newest content-disposition.
      const Koa: new () => { use(middleware: unknown): void; callback(): http.RequestListener } = require('koa');
      const { KoaPassport }: { KoaPassport: typeof Passport } = require('koa-passport');
      const koa = new Koa();
      koa.use(
        new KoaPassport().use(new PipedriveStrategy({ ...options, state: false }, anybody)).authenticate('pipedrive'),
      );
      const server = http.createServer(koa.callback()).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      for (const [query, status] of [
        ['', 302],
        ['?error=user_denied', 403],
      ] as const) {
        const response = await fetch(`http://127.0.0.1:${port}/${query}`, { redirect: 'manual' });
        expect([response.status, response.headers.get('cache-control')]).to.deep.equal([status, 'no-store']);
      }
      server.close();
      server.closeAllConnections();
    });

    it("leaves the app's own on the callback's response", async () => {
      const own: RequestHandler = (_req, res, next) => next(void res.set('Cache-Control', 'private, max-age=1'));
      const visitor = (await start({ before: [own] })).visitor();
      const { headers } = await visitor.callback({ error: 'x' });
      expect(headers.get('cache-control')).to.equal('private, max-age=1');
    });
  });

  for (const [version, name] of Object.entries({ '0.5': 'passport05', '0.6': 'passport06', '0.7': 'passport' })) {
    const { Passport: Version }: typeof import('passport') = require(name);
    it(`has the app state in req.authInfo after passport.authorize of Passport ${version}`, async () => {
      const strategy = new PipedriveStrategy(options, anybody);
      const linking = new Version();
      linking.use(strategy);
      const answer: RequestHandler = (req, res) =>
        void res.json({ user: Reflect.get(req, 'account'), authInfo: req.authInfo });
      const authorize = linking.authorize('pipedrive', { state: '/accounts' });
      const app = await startWith(strategy, (req, res, next) =>
        authorize(req, res, (error?: unknown) => (error ? next(error) : answer(req, res, next))),
      );
      letSignIn();
      const visitor = app.visitor();
      const state = (await visitor.send('/callback')).location?.searchParams.get('state') ?? '';
      const { user, authInfo } = await visitor.callback({ code: 'the-code-of-the-user', state });
      expect([user, authInfo]).to.deep.equal([{ id: 1 }, { state: '/accounts' }]);
    });
  }

  it('sets no req.authInfo after passport.authorize with authInfo: false', async () => {
    const strategy = new PipedriveStrategy(options, anybody);
    const answer: RequestHandler = (req, res) => void res.json({ authInfo: req.authInfo });
    const authorize = new Passport().use(strategy).authorize('pipedrive', { authInfo: false });
    const app = await startWith(strategy, (req, res, next) =>
      authorize(req, res, (error?: unknown) => (error ? next(error) : answer(req, res, next))),
    );
    letSignIn();
    const visitor = app.visitor();
    const state = (await visitor.send('/callback')).location?.searchParams.get('state') ?? '';
    expect((await visitor.callback({ code: 'the-code-of-the-user', state })).authInfo).to.equal(undefined);
  });

  it('lets a failing app callback that has sent headers end, too', async () => {
    const strategy = new PipedriveStrategy(options, mustNotBeCalled);
    let logged: number | undefined;
    const app = await startWith(strategy, (req, res, next) => {
      res.on('finish', () => {
        logged = res.statusCode;
      });
      const done = () => {
        if (!res.headersSent) res.status(203).write('half');
        throw new Error('broken');
      };
      passport.authenticate(strategy, done)(req, res, next);
    });
    expect(await app.visitor().callback({ error: 'x' })).to.include({ status: 203, body: 'half' });
    expect(logged, 'what an access log says').to.equal(203);
  });

  it('can be registered under another name', async () => {
    const strategy = new PipedriveStrategy(options, mustNotBeCalled);
    const named = new Passport();
    named.use('crm', strategy);
    const app = await startWith(strategy, named.authenticate('crm', { session: false, failWithError: true }));
    const visitor = app.visitor();
    expect((await visitor.callback({ error: 'access_denied', state: await visitor.start() })).status).to.equal(403);
  });

  it('takes the query as the framework has it', async () => {
    const parsed: RequestHandler = (req, _res, next) => {
      Object.defineProperty(req, 'query', { value: { error: 'user_denied' } });
      next();
    };
    const visitor = (await start({ before: [parsed] })).visitor();
    expectFailure(await visitor.send('/callback'), 403, 'user_denied');
  });

  it('reads the query of the URL where no framework has parsed it', async () => {
    const unparsed: RequestHandler = (req, _res, next) => {
      Object.defineProperty(req, 'query', { value: undefined });
      next();
    };
    const visitor = (await start({ before: [unparsed] })).visitor();
    const query = `error=user_denied&error_description=Why?&state=${await visitor.start()}`;
    expect(expectFailure(await visitor.callback(query), 403, 'user_denied')).to.have.property('description', 'Why?');
    expectRedirect(await visitor.send('/callback'));
  });

  describe('without a framework', () => {
    const strategy = new PipedriveStrategy({ ...options, callbackURL: '/callback' }, mustNotBeCalled);
    const authenticate = passport.authenticate(strategy, { session: false });
    const answer = (req: object, res: http.ServerResponse | http2.Http2ServerResponse) => {
      Object.assign(req, { res }); // as Express does
      authenticate(req, res, (error?: Error) => {
        res.statusCode = 500;
        res.end(String(error));
      });
    };
    const redirectURI = (location: unknown) => new URL(String(location)).searchParams.get('redirect_uri');

    let server: http.Server | http2.Http2Server;
    async function listening(created: typeof server): Promise<number> {
      server = created.listen(0, '127.0.0.1');
      await once(server, 'listening');
      return (server.address() as AddressInfo).port;
    }
    afterEach(() => {
      server.close();
      if ('closeAllConnections' in server) server.closeAllConnections();
    });

    it('redirects and fails under node:http, and answers 400 where no host is named', async () => {
      const port = await listening(http.createServer(answer));
      const redirected = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' });
      expect(redirectURI(redirected.headers.get('location'))).to.equal(`http://127.0.0.1:${port}/callback`);
      expect(redirected.headers.getSetCookie()).to.have.length(1);
      expect((await fetch(`http://127.0.0.1:${port}/?error=user_denied`)).status).to.equal(403);
      const socket = connect(port, '127.0.0.1');
      socket.end('GET / HTTP/1.0\r\n\r\n');
      expect(await text(socket)).to.match(/^HTTP\/1\.1 400 /);
    });

    it('redirects where the request has an app without settings, and no socket', async () => {
      const bare: http.RequestListener = (req, res) => {
        const { url, method, headers } = req;
        answer({ url, method, headers, app: {} }, res);
      };
      const port = await listening(http.createServer(bare));
      const redirected = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' });
      expect(redirectURI(redirected.headers.get('location'))).to.equal(`http://127.0.0.1:${port}/callback`);
    });

    it('leaves no rejection unhandled where the app callback throws and the response is unknown', async () => {
      const throwing: http.RequestListener = (req, res) => {
        const done = () => {
          res.end();
          throw new Error('broken');
        };
        passport.authenticate(strategy, done)(req, res, () => {});
      };
      const port = await listening(http.createServer(throwing));
      expect((await fetch(`http://127.0.0.1:${port}/?error=user_denied`)).status).to.equal(200);
    });

    const unreadable = Object.defineProperty(new Error(), 'stack', {
      get() {
        throw new Error('no stack');
      },
    });
    for (const [what, members, error] of [
      ['', {}, new Error('broken')],
      [', with a body that a parser has put on the request', { raw: Buffer.from('a body') }, new Error('broken')],
      [', with a stream of an app on the request', { stream: { close() {} } }, new Error('broken')],
      [', with an error that cannot be read', {}, unreadable],
    ] as const) {
      it(`ends the connection where the app callback throws for everything and the response is unknown${what}`, async () => {
        const throwing: http.RequestListener = (req, res) => {
          const done = () => {
            throw error;
          };
          passport.authenticate(strategy, done)(Object.assign(req, members), res, () => {});
        };
        const port = await listening(http.createServer(throwing));
        const ended: unknown = await fetch(`http://127.0.0.1:${port}/?error=user_denied`).catch(({ cause }) => cause);
        expect(ended).to.include({ code: 'UND_ERR_SOCKET' });
      });
    }

    for (const [what, requestOf] of Object.entries({
      'node:http2': (req: http2.Http2ServerRequest) => req,
      Fastify: (raw: http2.Http2ServerRequest) => ({ url: raw.url, method: raw.method, headers: raw.headers, raw }),
    })) {
      it(`ends no other request of an HTTP/2 connection then, under ${what}`, async () => {
        let endSlow = () => {};
        const listener = (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => {
          if (req.url === '/slow') {
            endSlow = () => res.end('done');
            return;
          }
          const done = () => {
            throw new Error('broken');
          };
          passport.authenticate(strategy, done)(requestOf(req), res, () => {});
        };
        const port = await listening(http2.createServer(listener));
        const client = http2.connect(`http://127.0.0.1:${port}`);
        const slow = text(client.request({ ':path': '/slow' }));
        const broken = client.request({ ':path': '/?error=user_denied' }).on('error', () => {});
        await new Promise((resolve) => broken.on('close', resolve));
        expect(broken.rstCode).to.equal(http2.constants.NGHTTP2_INTERNAL_ERROR);
        endSlow();
        expect(await slow).to.equal('done');
        client.close();
      });
    }

    it('redirects to https where the connection is encrypted', async () => {
      const encrypted: http.RequestListener = (req, res) => {
        Object.assign(req.socket, { encrypted: true });
        answer(req, res);
      };
      const port = await listening(http.createServer(encrypted));
      const redirected = await fetch(`http://127.0.0.1:${port}/`, { redirect: 'manual' });
      expect(redirectURI(redirected.headers.get('location'))).to.equal(`https://127.0.0.1:${port}/callback`);
      expect(redirected.headers.getSetCookie()[0]).to.match(/^__Host-.*; Secure/);
    });

    it('redirects under node:http2, where the host is :authority', async () => {
      const port = await listening(http2.createServer((req, res) => answer(req, res)));
      const client = http2.connect(`http://127.0.0.1:${port}`);
      const [headers] = await once(client.request({ ':path': '/' }), 'response');
      expect(redirectURI(headers.location)).to.equal(`http://127.0.0.1:${port}/callback`);
      client.close();
    });
  });
});
