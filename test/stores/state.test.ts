// The contract of both state stores: flows of many tabs, each ended once, by its own browser, strategy and client.
import { createHash } from 'node:crypto';
import { format, inspect } from 'node:util';
import { expect } from 'chai';
import { Passport } from 'passport';
import { PipedriveStrategy, type StateStoreCallback, type StateVerifyCallback } from 'passport-pipedrive-oauth2';
import { currentUser, tokenErrors, users } from 'pipedrive-sandbox';
import {
  type Answer,
  anybody,
  appsForEach,
  callbackURL,
  expectError,
  expectFailure,
  expectRedirect,
  options,
} from '../support/app';
import { expectNoUnhandledRejections } from '../support/errors';
import { exchange, letSignIn, profileRequest, stubPipedrive, tokenEndpoint, tokens } from '../support/pipedrive';
import { clockForEach, type Limits, StoreClient, stores, strategyWith, withStore } from '../support/stores';

const minutes = 60_000;

/** Each index once, in an order that looks random and is always the same. */
const shuffled = (count: number) => Array.from({ length: count }, (_, i) => (i * 7 + 3) % count);

for (const name of ['CookieStateStore', 'SessionStateStore'] as const) {
  describe(`state in ${name}`, () => {
    stubPipedrive();
    const start = appsForEach();
    const passTime = clockForEach();
    const startVisited = async (given?: Parameters<typeof withStore>[1]) =>
      (await start(withStore(name, given))).visitor();
    const letIn = (code: string) => {
      exchange(code).reply(200, tokens);
      profileRequest().reply(200, currentUser(users.ada));
    };

    it('signs in ten tabs, in any order, each with its own app state', async () => {
      const visitor = await startVisited({
        routes: (app, strategy) => {
          const passport = new Passport();
          passport.use(strategy);
          app.get('/tab/:tab', (req, res, next) =>
            passport.authenticate('pipedrive', { state: { tab: req.params.tab } })(req, res, next),
          );
        },
      });
      const states: string[] = [];
      for (let tab = 0; tab < 10; tab += 1) states.push(await visitor.start(`/tab/${tab}`));
      for (const tab of shuffled(10)) {
        letIn(`code-${tab}`);
        const answer = await visitor.callback({ code: `code-${tab}`, state: states[tab] ?? '' });
        expect(answer.authInfo).to.deep.equal({ state: { tab: String(tab) } });
      }
    });

    it('gives every sign-in 256 random bits as state, none of which came before', async () => {
      const browser = StoreClient.of(name);
      const seen = new Set<string>();
      for (let i = 0; i < 600; i += 1) {
        const { handle } = await browser.begin();
        expect(handle).to.match(/^[\w-]{43}$/);
        for (const part of String(handle).match(/.{8}/g) ?? []) seen.add(part);
      }
      expect(seen.size).to.equal(600 * 5);
      expect([...seen]).not.to.include('AAAAAAAA');
    });

    it('takes a state once: the callback again is state_invalid', async () => {
      const visitor = await startVisited();
      const state = await visitor.start();
      letIn('abc');
      expect((await visitor.callback({ code: 'abc', state })).outcome).to.equal('success');
      expectFailure(await visitor.callback({ code: 'abc', state }), 403, 'state_invalid');
    });

    it('takes no state of another browser', async () => {
      const app = await start(withStore(name));
      const [victim, attacker] = [app.visitor(), app.visitor()];
      const state = await attacker.start();
      await victim.start();
      expectFailure(await victim.callback({ code: 'abc', state }), 403, 'state_invalid');
      letIn('abc');
      expect((await attacker.callback({ code: 'abc', state })).outcome).to.equal('success');
    });

    it('ends no other flow with a wrong state', async () => {
      const visitor = await startVisited();
      const state = await visitor.start();
      for (const wrong of ['x', 'A'.repeat(43), `${state}A`, state.slice(1), state.toUpperCase()]) {
        expectFailure(await visitor.callback({ code: 'abc', state: wrong }), 403, 'state_invalid');
      }
      letIn('abc');
      expect((await visitor.callback({ code: 'abc', state })).outcome).to.equal('success');
    });

    const strangers: Record<string, () => PipedriveStrategy> = {
      'another name': () => strategyWith(name, { name: 'other' }),
      'another client': () => strategyWith(name, { clientID: 'other-client' }),
    };
    for (const [what, stranger] of Object.entries(strangers)) {
      it(`takes no state of a strategy with ${what}, and leaves it to that one`, async () => {
        const passport = new Passport();
        passport.use('other', stranger());
        const authenticate = passport.authenticate('other', { session: false, failWithError: true });
        const visitor = await startVisited({ routes: (app) => app.get('/other', authenticate) });
        const state = await visitor.start('/other');
        expectFailure(await visitor.callback({ code: 'abc', state }), 403, 'state_invalid');
        expectFailure(
          await visitor.send(`/other?error=user_denied&error_description=No&state=${state}`),
          403,
          'user_denied',
        );
        const own = await visitor.start();
        expectFailure(await visitor.send(`/other?code=abc&state=${own}`), 403, 'state_invalid');
      });
    }

    it('remembers the callback URL of the request, for the exchange', async () => {
      const visitor = await startVisited({ authorize: { callbackURL: 'https://other.example.com/callback' } });
      exchange('abc', { redirect_uri: 'https://other.example.com/callback' }).reply(200, tokens);
      profileRequest().reply(200, currentUser(users.ada));
      const state = await visitor.start();
      expect((await visitor.callback({ code: 'abc', state })).outcome).to.equal('success');
    });

    it('takes a state for 30 minutes, and calls it state_expired after that', async () => {
      const visitor = await startVisited();
      const [young, old, gone] = [await visitor.start(), await visitor.start(), await visitor.start()];
      passTime(30 * minutes);
      letIn('abc');
      expect((await visitor.callback({ code: 'abc', state: young })).outcome).to.equal('success');
      passTime(1);
      expectFailure(await visitor.callback({ code: 'abc', state: old }), 403, 'state_expired');
      expectFailure(await visitor.callback({ code: 'abc', state: old }), 403, 'state_invalid');
      const info = expectFailure(
        await visitor.callback({ error: 'user_denied', error_description: 'No', state: gone }),
        403,
        'user_denied',
      );
      expect(info).not.to.have.property('description');
    });

    it('has a ttl of its own', async () => {
      const visitor = await startVisited({ limits: { ttl: 5_000 } });
      const state = await visitor.start();
      passTime(5_001);
      expectFailure(await visitor.callback({ code: 'abc', state }), 403, 'state_expired');
    });

    for (const limit of [undefined, 3]) {
      it(`keeps ${limit ?? 10} flows, and pushes out the oldest (limit: ${limit})`, async () => {
        const visitor = await startVisited({ limits: { limit } });
        const states: string[] = [];
        for (let i = 0; i < (limit ?? 10) + 2; i += 1) {
          states.push(await visitor.start());
          passTime(10);
        }
        const answers: Answer[] = [];
        for (const [i, state] of states.entries()) {
          if (i > 1) letIn(`code-${i}`);
          answers.push(await visitor.callback({ code: `code-${i}`, state }));
        }
        expectFailure(answers[0] as Answer, 403, 'state_invalid');
        expectFailure(answers[1] as Answer, 403, 'state_invalid');
        expect(answers.slice(2).every(({ outcome }) => outcome === 'success')).to.equal(true);
      });
    }

    describe('app state', () => {
      const hostile = JSON.parse(
        '{ "__proto__": { "polluted": true }, "constructor": { "prototype": { "polluted": true } } }',
      );
      const values: unknown[] = [
        '/deals?a=b',
        '',
        'ünï ✓ "quoted"; =,',
        '__proto__',
        'constructor',
        0,
        7.5,
        true,
        false,
        null,
        [],
        [1, [2, { a: null }]],
        { page: '/deals', tab: { n: 1 } },
        hostile,
      ];
      for (const state of values) {
        it(`comes back as it was given: ${JSON.stringify(state).slice(0, 60)}`, async () => {
          const app = await start(withStore(name, { authorize: { state } }));
          const visitor = app.visitor();
          letSignIn();
          expect((await visitor.signIn()).authInfo).to.deep.equal(JSON.parse(JSON.stringify({ state })));
          const denied = await visitor.callback({ error: 'user_denied', state: await visitor.start() });
          expect(expectFailure(denied, 403, 'user_denied').state).to.deep.equal(state);
          exchange().reply(400, tokenErrors.authorizationCodeInvalid);
          expect(expectFailure(await visitor.signIn(), 403, 'invalid_grant').state).to.deep.equal(state);
          exchange().reply(500);
          const error = expectError(app, await visitor.signIn(), 502);
          expect(error.state).to.deep.equal(state);
          expect(Object.keys(error)).not.to.include('state');
          expect({}).not.to.have.property('polluted');
        });
      }

      it('is not there when none was given', async () => {
        const app = await start(withStore(name));
        letSignIn();
        expect((await app.visitor().signIn()).authInfo).to.deep.equal({});
        exchange().reply(500);
        expect(expectError(app, await app.visitor().signIn(), 502)).not.to.have.property('state');
      });

      it('that cannot fit is a clear error, before the redirect', async () => {
        const visitedWith = async (length: number) => {
          const app = await start(withStore(name, { authorize: { state: 'x'.repeat(length) } }));
          return { app, answer: await app.visitor().send('/auth') };
        };
        const { app, answer } = await visitedWith(4_096);
        expect(answer.outcome).to.equal('error');
        const [error] = app.errors;
        const text =
          /^The state given to authenticate is too large: the sign-in would take (\d+) bytes, and may take (\d+)\. Keep the data in your own store, and give its key as state$/;
        expect(error).to.be.instanceOf(RangeError).with.property('message').that.matches(text);
        const [, bytes, most] = (text.exec(String((error as Error).message)) ?? []).map(Number);
        // A longer state takes 4 bytes for 3 in a cookie.
        const longest = 4_096 - Math.ceil(((Number(bytes) - Number(most)) * 3) / (name === 'CookieStateStore' ? 4 : 3));
        expect(longest).to.be.above(1_500);
        expect((await visitedWith(longest)).answer.outcome).to.equal('redirect');
        expect((await visitedWith(longest + 1)).answer.outcome).to.equal('error');
      });

      it('that JSON cannot hold is an error, before the redirect', async () => {
        const app = await start(withStore(name, { authorize: { state: { n: 1n } } }));
        expect((await app.visitor().send('/auth')).outcome).to.equal('error');
      });
    });

    describe('limits', () => {
      const client = (limits: Limits = {}) => StoreClient.of(name, limits);

      it('calls a state expired that comes from a future more than 5 minutes away, and keeps nothing of it', async () => {
        const browser = client();
        const [near, far] = [await browser.begin(), await browser.begin()];
        passTime(-5 * minutes);
        expect(await browser.end(near.handle)).to.include({ ok: true });
        passTime(-1);
        const ended = await browser.end(far.handle);
        expect(ended).to.include({ ok: false });
        expect(ended.state).to.include({ code: 'state_expired' });
        expect((await browser.end(far.handle)).state).to.include({ code: 'state_invalid' });
      });

      it('lets a flow from a clock that was ahead give way first', async () => {
        const browser = client({ limit: 2 });
        await browser.begin();
        passTime(-60 * minutes);
        const handles = [await browser.begin(), await browser.begin()].map(({ handle }) => handle);
        for (const handle of handles) expect(await browser.end(handle)).to.include({ ok: true });
      });

      it('lets an expired flow give way to an open one', async () => {
        const browser = client({ limit: 2 });
        await browser.begin();
        passTime(20 * minutes);
        const { handle } = await browser.begin();
        passTime(15 * minutes);
        await browser.begin();
        expect(await browser.end(handle)).to.include({ ok: true });
      });

      for (const [limit, restarts] of [
        [10, 3],
        [3, 3],
        [2, 2],
        [1, 1],
      ] as const) {
        it(`refuses a restart with state_missing when ${restarts} are open of the last five minutes (limit: ${limit})`, async () => {
          const browser = client({ limit });
          for (let i = 0; i < restarts; i += 1) {
            expect((await browser.begin({ marketplace: true })).handle).to.be.a('string');
            passTime(1_000);
          }
          const refused = await browser.begin({ marketplace: true });
          expect(refused.handle).to.equal(false);
          expect(refused.refusal).to.include({ code: 'state_missing' });
          expect((await browser.begin()).handle, 'another sign-in').to.be.a('string');
        });
      }

      it('restarts again after five minutes, or when one has come back', async () => {
        const browser = client();
        const begun: unknown[] = [];
        for (let i = 0; i < 3; i += 1) begun.push((await browser.begin({ marketplace: true })).handle);
        const ended = await browser.end(String(begun[0]));
        expect(ended.details).to.include({ marketplace: true });
        expect((await browser.begin({ marketplace: true })).handle).to.be.a('string');
        expect((await browser.begin({ marketplace: true })).handle).to.equal(false);
        passTime(5 * minutes);
        expect((await browser.begin({ marketplace: true })).handle).to.be.a('string');
      });

      it('notices a loop of restarts even where the state leaves room for one flow only', async () => {
        const browser = client();
        expect((await browser.begin({ marketplace: true }, 'x'.repeat(1_500))).handle).to.be.a('string');
        expect((await browser.begin({ marketplace: true }, 'x'.repeat(1_500))).handle).to.equal(false);
      });

      it('keeps real flows when links are prefetched, however many', async () => {
        const browser = client({ limit: 4 });
        const real = [await browser.begin(), await browser.begin()];
        const prefetched: unknown[] = [];
        for (let i = 0; i < 20; i += 1) {
          passTime(10);
          const { handle } = await browser.begin({ prefetch: true });
          expect(handle).to.match(/^[\w-]{43}$/);
          prefetched.push(handle);
        }
        expect(await browser.end(String(prefetched.at(-1))), 'the last prefetch').to.include({ ok: true });
        for (const { handle } of real) expect(await browser.end(handle)).to.include({ ok: true });
      });

      it('does not keep a prefetch where only real flows are left', async () => {
        const browser = client({ limit: 2 });
        const real = [await browser.begin(), await browser.begin()];
        const { handle } = await browser.begin({ prefetch: true });
        expect(handle).to.match(/^[\w-]{43}$/);
        expect(await browser.end(handle)).to.include({ ok: false });
        for (const each of real) expect(await browser.end(each.handle)).to.include({ ok: true });
      });

      it('lets a prefetch give way to a real flow', async () => {
        const browser = client({ limit: 1 });
        await browser.begin({ prefetch: true });
        const { handle } = await browser.begin();
        expect(await browser.end(handle)).to.include({ ok: true });
      });
    });

    it('signs in the last of ten tabs with large states', async () => {
      const visitor = await startVisited({ authorize: { state: 'x'.repeat(1_500) } });
      let state = '';
      for (let tab = 0; tab < 10; tab += 1) state = await visitor.start();
      letIn('abc');
      expect((await visitor.callback({ code: 'abc', state })).outcome).to.equal('success');
    });

    for (const pkce of [true, 'S256', 'plain'] as const) {
      it(`carries the code verifier with pkce: ${pkce}`, async () => {
        const visitor = await startVisited({ options: { pkce } });
        const query = expectRedirect(await visitor.send('/auth'));
        let verifier = '';
        tokenEndpoint(({ code_verifier, ...form }) => {
          verifier = String(code_verifier);
          expect(form).to.deep.equal({ grant_type: 'authorization_code', code: 'abc', redirect_uri: callbackURL });
          return true;
        }).reply(200, tokens);
        profileRequest().reply(200, currentUser(users.ada));
        expect((await visitor.callback({ code: 'abc', state: query.get('state') ?? '' })).outcome).to.equal('success');
        expect(verifier).to.match(/^[\w-]{43}$/);
        const challenge = pkce === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url');
        expect(query.get('code_challenge')).to.equal(challenge);
        expect(query.get('code_challenge_method')).to.equal(pkce === 'plain' ? 'plain' : 'S256');
      });
    }

    it('sends no code verifier without pkce', async () => {
      const visitor = await startVisited();
      expect(expectRedirect(await visitor.send('/auth')).has('code_challenge')).to.equal(false);
      letSignIn(); // expects exactly this form
      expect((await visitor.signIn()).outcome).to.equal('success');
    });
  });
}

describe('state: false', () => {
  stubPipedrive();
  const start = appsForEach();
  const given = (state?: unknown) => ({ options: { state: false }, verify: anybody, authorize: { state } });

  it('sends no state and sets no cookie, and exchanges whatever code comes', async () => {
    const visitor = (await start(given())).visitor();
    const answer = await visitor.send('/auth');
    expect(expectRedirect(answer).has('state')).to.equal(false);
    expect(answer.headers.getSetCookie()).to.deep.equal([]);
    letSignIn();
    expect(await visitor.callback({ code: 'the-code-of-the-user' })).to.deep.include({
      outcome: 'success',
      authInfo: {},
    });
  });

  it('sends a string as it is, and an object not at all', async () => {
    expect(expectRedirect(await (await start(given('bare'))).visitor().send('/auth')).get('state')).to.equal('bare');
    expect(expectRedirect(await (await start(given({ a: 1 }))).visitor().send('/auth')).has('state')).to.equal(false);
  });

  it('repeats no text of an error link', async () => {
    const answer = await (await start(given()))
      .visitor()
      .callback({ error: 'user_denied', error_description: 'Call 0123', state: 'x' });
    expect(expectFailure(answer, 403, 'user_denied')).to.have.all.keys('code', 'message');
  });

  it('leaves PKCE and state to a store that is given', async () => {
    const { store } = stores.CookieStateStore();
    const visitor = (
      await start({ options: { state: false, pkce: true, store }, verify: anybody, authorize: { state: '' } })
    ).visitor();
    expectFailure(await visitor.callback({ code: 'abc' }), 403, 'state_invalid');
    await visitor.start();
    expectFailure(await visitor.callback({ code: 'abc' }), 403, 'state_invalid');
    tokenEndpoint(({ code_verifier }) => /^[\w-]{43}$/.test(String(code_verifier))).reply(200, tokens);
    profileRequest().reply(200, currentUser(users.ada));
    expect((await visitor.signIn()).outcome).to.equal('success');
  });
});

describe('a store of the app', () => {
  stubPipedrive();
  expectNoUnhandledRejections();
  const start = appsForEach();
  const kept = new Map<string, unknown>();
  const keep = (...what: unknown[]) => {
    const state = `state-${kept.size}`;
    kept.set(state, what);
    return state;
  };
  const stored = {
    2: (_req: object, done: StateStoreCallback) => done(null, keep()),
    3: (_req: object, meta: object, done: StateStoreCallback) => done(null, keep(meta)),
    4: (_req: object, state: unknown, meta: object, done: StateStoreCallback) => done(null, keep(state, meta)),
    5: (_req: object, verifier: unknown, state: unknown, meta: object, done: StateStoreCallback) =>
      done(null, keep(verifier, state, meta)),
    6: (_req: object, done: StateStoreCallback, _c?: unknown, _d?: unknown, _e?: unknown, _f?: unknown) =>
      done(null, keep()),
  };
  const verified = {
    3: (_req: object, state: string, done: StateVerifyCallback) => done(null, kept.delete(state), 'app state'),
    4: (_req: object, state: string, _meta: object, done: StateVerifyCallback) =>
      done(null, kept.delete(state), 'app state'),
  };
  const meta = {
    authorizationURL: 'https://oauth.pipedrive.com/oauth/authorize',
    tokenURL: 'https://oauth.pipedrive.com/oauth/token',
    clientID: options.clientID,
    callbackURL,
    ownCallbackURL: callbackURL,
    strategy: 'pipedrive',
  };
  for (const [storing, carried] of [
    [2, []],
    [3, [meta]],
    [4, ['given', meta]],
    [5, [undefined, 'given', meta]],
    [6, []],
  ] as const) {
    for (const verifying of [3, 4] as const) {
      it(`works with ${storing} parameters of store and ${verifying} of verify`, async () => {
        const store = { store: stored[storing], verify: verified[verifying] };
        const visitor = (await start({ options: { store }, verify: anybody, authorize: { state: 'given' } })).visitor();
        const state = await visitor.start();
        expect(kept.get(state)).to.deep.equal(carried);
        letSignIn();
        expect((await visitor.callback({ code: 'the-code-of-the-user', state })).authInfo).to.deep.equal({
          state: 'app state',
        });
        expectFailure(await visitor.callback({ code: 'abc', state }), 403, 'state_invalid');
      });
    }
  }

  it('cannot show the client secret when it prints what it is told', async () => {
    const visitor = (await start({ options: { store: { store: stored[3], verify: verified[4] } } })).visitor();
    const told = kept.get(await visitor.start());
    for (const text of [inspect(told, { showHidden: true, depth: 9 }), format('%o', told), JSON.stringify(told)]) {
      expect(text).to.include(options.clientID).and.not.include(options.clientSecret);
    }
  });

  type Fails = (done: (error?: unknown) => void) => void;
  const fails: Record<string, Fails> = {
    throws: () => {
      throw new Error('down');
    },
    'calls back with an error': (done) => done(new Error('down')),
    rejects: () => Promise.reject(new Error('down')),
    'calls back with an error, then throws': (done) => {
      done(new Error('down'));
      throw new Error('late');
    },
  };
  for (const [how, fail] of Object.entries(fails)) {
    it(`is an error on both legs when it ${how}`, async () => {
      const store = {
        store: (_req: object, done: StateStoreCallback) => fail(done),
        verify: (_req: object, _state: string, done: StateVerifyCallback) => fail(done),
      };
      const app = await start({ options: { store } });
      for (const path of ['/auth', '/callback?code=a&state=b']) {
        expect((await app.visitor().send(path)).outcome).to.equal('error');
        expect(app.errors.pop()).to.have.property('message', 'down');
      }
    });
  }

  for (const returned of [undefined, null, 7, {}]) {
    it(`may call back later, and return ${JSON.stringify(returned)}`, async () => {
      const later = (call: () => void) => {
        setImmediate(call);
        return returned;
      };
      const store = {
        store: (_req: object, done: StateStoreCallback) => later(() => done(null, 'the-state')),
        verify: (_req: object, _state: string, done: StateVerifyCallback) => later(() => done(null, true)),
      };
      const visitor = (await start({ options: { store }, verify: anybody })).visitor();
      letSignIn();
      expect((await visitor.signIn()).outcome).to.equal('success');
    });
  }

  it('counts once when it calls back twice', async () => {
    const store = {
      store: (_req: object, done: StateStoreCallback) =>
        void [done(null, 'one'), done(null, 'two'), done(new Error('late'))],
      verify: (_req: object, _state: string, done: StateVerifyCallback) =>
        void [done(null, false, { message: 'No' }), done(null, true)],
    };
    const visitor = (await start({ options: { store } })).visitor();
    expect(await visitor.start()).to.equal('one');
    expectFailure(await visitor.callback({ code: 'a', state: 'one' }), 403, 'state_invalid');
  });

  it('that refuses to begin, and names no code, is a failure state_missing, 403', async () => {
    const store = { store: (_req: object, done: StateStoreCallback) => done(null, false), verify: verified[3] };
    const visitor = (await start({ options: { store } })).visitor();
    expectFailure(await visitor.send('/callback'), 403, 'state_missing');
  });

  it('that refuses to begin, and names a code, is that failure', async () => {
    const refusal = { code: 'state_invalid', reason: 'not from here' } as const;
    const store = {
      store: (_req: object, done: StateStoreCallback) => done(null, false, refusal),
      verify: verified[3],
    };
    const visitor = (await start({ options: { store } })).visitor();
    expectFailure(await visitor.send('/callback'), 403, 'state_invalid');
  });

  it('is not asked about an error without state, whose text is not repeated', async () => {
    const store = {
      store: stored[2],
      verify: (_req: object, _state: string, done: StateVerifyCallback) => done(null, true),
    };
    const visitor = (await start({ options: { store } })).visitor();
    const query = { error: 'user_denied', error_description: 'No' };
    expect(expectFailure(await visitor.callback(query), 403, 'user_denied')).not.to.have.property('description');
    const withState = { ...query, state: 'any' };
    expect(expectFailure(await visitor.callback(withState), 403, 'user_denied')).to.include({ description: 'No' });
  });

  it('that yields no state sends none', async () => {
    const store = { store: (_req: object, done: StateStoreCallback) => done(), verify: verified[3] };
    const strategy = new PipedriveStrategy({ ...options, store }, anybody);
    expect(expectRedirect(await (await start({ strategy })).visitor().send('/auth')).has('state')).to.equal(false);
  });
});
