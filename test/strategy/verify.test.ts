// The verify function in all its forms, well-behaved and not.
import { expect } from 'chai';
import {
  InternalOAuthError,
  type PipedriveProfile,
  PipedriveStrategy,
  type VerifyFunction,
  type VerifyFunctionWithRequest,
} from 'passport-pipedrive-oauth2';
import { anybody, appsForEach, expectError, mustNotBeCalled, options } from '../support/app';
import { expectNoSecrets, expectNoUnhandledRejections } from '../support/errors';
import { exchange, letSignIn, profileRequest, stubPipedrive, tokens } from '../support/pipedrive';

describe('verify', () => {
  stubPipedrive();
  expectNoUnhandledRejections();
  const start = appsForEach();

  async function signIn(verify: VerifyFunction, given: Parameters<typeof start>[0] = {}) {
    const app = await start({ verify, ...given });
    letSignIn();
    return { app, answer: await app.visitor().signIn() };
  }
  async function signInWithRequest(verify: VerifyFunctionWithRequest) {
    const strategy = new PipedriveStrategy({ ...options, passReqToCallback: true }, verify);
    return signIn(mustNotBeCalled, { strategy });
  }
  /** What the verify function was given, by name, without what differs from run to run. */
  const seen = (given: Record<string, unknown>) => given;
  const all = {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    domain: tokens.api_domain,
    id: '1001:777',
  };

  it('gives ({ req, accessToken, refreshToken, tokens, profile }) to a function of one parameter', async () => {
    const { answer } = await signIn(({ req, accessToken, refreshToken, tokens, profile }) =>
      seen({ path: req.path, accessToken, refreshToken, domain: tokens.api_domain, id: profile.id }),
    );
    expect(answer.user).to.deep.equal({ path: '/callback', ...all });
  });

  const forms: Record<string, VerifyFunction> = {
    '(accessToken, refreshToken, profile, done)': (accessToken, refreshToken, profile, done) =>
      done(null, seen({ accessToken, refreshToken, domain: all.domain, id: profile.id })),
    '(accessToken, refreshToken, params, profile, done)': (accessToken, refreshToken, params, profile, done) =>
      done(null, seen({ accessToken, refreshToken, domain: params.api_domain, id: profile.id })),
    'async (...args), as wrappers have it': async (...[accessToken, refreshToken, profile]) =>
      seen({ accessToken, refreshToken, domain: all.domain, id: profile.id }),
    'async with a result': async (accessToken, refreshToken, profile, _done) =>
      seen({ accessToken, refreshToken, domain: all.domain, id: profile.id }),
    'async with done, when it is over': async (accessToken, refreshToken, profile, done) => {
      setImmediate(done, null, seen({ accessToken, refreshToken, domain: all.domain, id: profile.id }));
    },
    'async with done': async (accessToken, refreshToken, profile, done) => {
      await Promise.resolve();
      done(null, seen({ accessToken, refreshToken, domain: all.domain, id: profile.id }));
    },
  };
  for (const [form, verify] of Object.entries(forms)) {
    it(`takes ${form}`, async () => expect((await signIn(verify)).answer.user).to.deep.equal(all));
  }

  const formsWithRequest: Record<string, VerifyFunctionWithRequest> = {
    '(req, accessToken, refreshToken, profile, done)': (req, accessToken, refreshToken, profile, done) =>
      done(null, seen({ path: req.path, accessToken, refreshToken, domain: all.domain, id: profile.id })),
    '(req, accessToken, refreshToken, params, profile, done)': (
      req,
      accessToken,
      refreshToken,
      params,
      profile,
      done,
    ) => done(null, seen({ path: req.path, accessToken, refreshToken, domain: params.api_domain, id: profile.id })),
    '(req, ...args), as wrappers have it': (req, ...[accessToken, refreshToken, profile, done]) =>
      done(null, seen({ path: req.path, accessToken, refreshToken, domain: all.domain, id: profile.id })),
  };
  for (const [form, verify] of Object.entries(formsWithRequest)) {
    it(`takes ${form} with passReqToCallback`, async () => {
      expect((await signInWithRequest(verify)).answer.user).to.deep.equal({ path: '/callback', ...all });
    });
  }

  for (const returned of [undefined, null, true, 7, 'text', {}, JSON.parse('{"then":1}')]) {
    it(`waits for done when the function returns ${JSON.stringify(returned)}`, async () => {
      const verify: VerifyFunction = (_a, _r, _p, done) => {
        setImmediate(done, null, { id: 1 });
        return returned;
      };
      expect((await signIn(verify)).answer.user).to.deep.equal({ id: 1 });
    });
  }

  it('gives the whole token response, and when the access token expires', async () => {
    const { answer } = await signIn(({ tokens }) => tokens);
    const { expires_at, ...response } = answer.user as typeof tokens & { expires_at: number };
    expect(response).to.deep.equal(tokens);
    expect(expires_at).to.be.closeTo(Date.now() / 1000 + tokens.expires_in, 5);
  });

  describe('without a user', () => {
    const nobody: Record<string, [VerifyFunction, unknown?]> = {
      'false by done': [(_a, _r, _p, done) => done(null, false)],
      'nothing by done': [(_a, _r, _p, done) => done()],
      'false and an info': [(_a, _r, _p, done) => done(null, false, { code: 'suspended' }), { code: 'suspended' }],
      'false returned': [(_context) => false],
      'null resolved': [async (_context) => null],
      'false resolved by a function of four': [async (_a, _r, _p, _done) => false],
    };
    for (const [what, [verify, info]] of Object.entries(nobody)) {
      it(`answers 401 with its own info: ${what}`, async () => {
        const { answer } = await signIn(verify);
        expect(answer).to.include({ outcome: 'failure', status: 401 });
        expect(answer.authInfo).to.deep.equal(info);
      });
    }

    it('leaves an info that is an object as it is', async () => {
      const info = Object.freeze({ code: 'suspended' });
      const { answer } = await signIn((_a, _r, _p, done) => done(null, false, info), { authorize: { state: 0 } });
      expect(answer.authInfo).to.deep.equal({ code: 'suspended' });
    });

    it('leaves an info that is a string to Passport, as the challenge', async () => {
      const { answer } = await signIn((_a, _r, _p, done) => done(null, false, 'Suspended'), {
        authorize: { state: 1 },
      });
      expect(answer.status).to.equal(401);
      expect(answer.headers.get('www-authenticate')).to.equal('Suspended');
      expect(answer.authInfo).to.equal(undefined);
    });
  });

  it("passes its info on with the user, and with the app's state in a copy", async () => {
    const info = Object.freeze({ scope: 'all' });
    const { answer } = await signIn((_a, _r, _p, done) => done(null, { id: 1 }, info), { authorize: { state: 'x' } });
    expect(answer.authInfo).to.deep.equal({ scope: 'all', state: 'x' });
    const text = await signIn((_a, _r, _p, done) => done(null, { id: 1 }, 'Welcome'), { authorize: { state: 'x' } });
    expect(text.answer.authInfo).to.deep.equal({ message: 'Welcome', state: 'x' });
    const bare = Object.freeze(Object.assign(Object.create(null), { scope: 'all' }));
    const ofNone = await signIn((_a, _r, _p, done) => done(null, { id: 1 }, bare), { authorize: { state: 'x' } });
    expect(ofNone.answer.authInfo).to.deep.equal({ scope: 'all', state: 'x' });
  });

  for (const info of [true, 7, Symbol('info')]) {
    it(`signs the user in, with the app's state, when its info is ${String(info)}`, async () => {
      const verify: VerifyFunction = (_a, _r, _p, done) => Reflect.apply(done, undefined, [null, { id: 1 }, info]);
      const { answer } = await signIn(verify, { authorize: { state: '/deals' } });
      expect(answer).to.deep.include({ outcome: 'success', authInfo: { state: '/deals' } });
    });
  }

  it("passes an info of a class on as it is, with the app's state on it where it can take it", async () => {
    class Notice {
      constructor(readonly scope: string) {}
    }
    for (const [info, state] of [
      [new Notice('all'), '/deals'],
      [Object.freeze(new Notice('all')), undefined],
    ] as const) {
      await signIn((_accessToken, _refreshToken, _profile, done) => done(null, { id: 1 }, info), {
        authorize: { state: '/deals' },
      });
      expect([info.scope, Reflect.get(info, 'state')]).to.deep.equal(['all', state]);
    }
  });

  it('leaves a lazy thenable beside done alone, such as a Mongoose query, which would run twice', async () => {
    let runs = 0;
    const query = {
      // biome-ignore lint/suspicious/noThenProperty: that is the case
      then(resolve: (user: object) => void) {
        runs += 1;
        resolve({ id: 'from the query' });
      },
    };
    const { answer } = await signIn((_accessToken, _refreshToken, _profile, done) => {
      query.then((user) => done(null, user));
      return query;
    });
    expect(answer.user).to.deep.equal({ id: 'from the query' });
    expect(runs).to.equal(1);
  });

  describe('that fails', () => {
    const boom = Object.assign(new Error('boom'), { status: 418 });
    const failing: Record<string, VerifyFunction> = {
      'throws, one parameter': (_context) => {
        throw boom;
      },
      'rejects, one parameter': (_context) => Promise.reject(boom),
      'throws, four parameters': (_a, _r, _p, _done) => {
        throw boom;
      },
      'rejects, four parameters': (_a, _r, _p, _done) => Promise.reject(boom),
      'calls done with an error': (_a, _r, _p, done) => done(boom),
      'calls done with an error, then with a user': (_a, _r, _p, done) => {
        done(boom);
        done(null, { id: 1 });
      },
    };
    for (const [what, verify] of Object.entries(failing)) {
      it(`is an error, its own: ${what}`, async () => {
        const { app, answer } = await signIn(verify, { authorize: { state: '/deals' } });
        expect(expectError(app, answer, 418))
          .to.equal(boom)
          .and.not.have.property('state');
      });
    }

    for (const thrown of [undefined, null, 0, '', false, 'route', 'router']) {
      it(`is an error also when it throws ${JSON.stringify(thrown)}`, async () => {
        const { app, answer } = await signIn((_context) => {
          throw thrown;
        });
        expect(expectError(app, answer, 500)).to.include({
          message: 'A function of the app failed without an error',
          cause: thrown,
        });
      });
    }

    it('is an error that says so when it is a generator, whose code has not run', async () => {
      for (const verify of [
        function* (_context: object) {
          yield { id: 1 };
        },
        async function* (_context: object) {
          yield { id: 1 };
        },
      ]) {
        const { app, answer } = await signIn(verify);
        expect(expectError(app, answer, 500))
          .to.be.instanceOf(TypeError)
          .with.property('message', 'The verify function is a generator: use an async function');
      }
    });

    it('is an error that says so when it returns undefined, as one parameter', async () => {
      for (const verify of [(_context: object) => undefined, async (_context: object) => {}]) {
        const { app, answer } = await signIn(verify);
        expect(expectError(app, answer, 500))
          .to.be.instanceOf(TypeError)
          .with.property('message', 'The verify function returned undefined: return the user, or false for none');
      }
    });
  });

  describe('that answers twice', () => {
    const twice: Record<string, VerifyFunction> = {
      'done twice': (_a, _r, _p, done) => {
        done(null, { id: 1 });
        done(null, { id: 2 });
      },
      'done, then an error': (_a, _r, _p, done) => {
        done(null, { id: 1 });
        done(new Error('late'));
      },
      'done, then a throw': (_a, _r, _p, done) => {
        done(null, { id: 1 });
        throw new Error('late');
      },
      'done, then a rejection': async (_a, _r, _p, done) => {
        done(null, { id: 1 });
        throw new Error('late');
      },
      'done, then a result': async (_a, _r, _p, done) => {
        done(null, { id: 1 });
        return { id: 2 };
      },
      'a result, then done': async (_a, _r, _p, done) => {
        setImmediate(done, null, { id: 2 });
        return { id: 1 };
      },
    };
    for (const [what, verify] of Object.entries(twice)) {
      it(`counts the first: ${what}`, async () => {
        const { app, answer } = await signIn(verify);
        expect(answer.user).to.deep.equal({ id: 1 });
        expect(app.errors).to.deep.equal([]);
      });
    }
  });

  describe('skipUserProfile', () => {
    type Skip = (accessToken: string, done: (error: unknown, skip?: boolean) => void) => void;
    const skipping: Record<string, boolean | (() => boolean) | Skip> = {
      true: true,
      'a function': () => true,
      'a function that answers by callback, told the access token': (accessToken, done) => {
        setImmediate(done, null, accessToken === tokens.access_token);
      },
    };
    for (const [what, skipUserProfile] of Object.entries(skipping)) {
      it(`asks for no profile with ${what}`, async () => {
        const app = await start({
          options: { skipUserProfile },
          verify: ({ profile }) => ({ profile: String(profile) }),
        });
        exchange().reply(200, tokens);
        expect((await app.visitor().signIn()).user).to.deep.equal({ profile: 'undefined' });
      });
    }

    for (const [what, skipUserProfile] of Object.entries({
      false: false,
      'a function': () => false,
      'a callback': ((_token, done) => done(null, false)) satisfies Skip,
    })) {
      it(`asks for the profile with ${what} that says false`, async () => {
        const { answer } = await signIn(anybody, { options: { skipUserProfile } });
        expect(answer.outcome).to.equal('success');
      });
    }

    const broken: Record<string, (() => boolean) | Skip> = {
      throws: () => {
        throw new Error('broken');
      },
      'calls back with an error': (_token, done) => done(new Error('broken')),
      rejects: async (_token, _done) => {
        throw new Error('broken');
      },
    };
    for (const [what, skipUserProfile] of Object.entries(broken)) {
      it(`is an error when the function ${what}`, async () => {
        const app = await start({ options: { skipUserProfile } });
        exchange().reply(200, tokens);
        expect(expectError(app, await app.visitor().signIn(), 500).message).to.equal('broken');
      });
    }
  });

  it('leaves no tokens behind in the strategy when the sign-in has ended', async () => {
    const strategy = new PipedriveStrategy(options, anybody);
    const app = await start({ strategy });
    letSignIn();
    expect((await app.visitor().signIn()).outcome).to.equal('success');
    const error = await new Promise((resolve) => strategy.userProfile(tokens.access_token, resolve));
    expect(error).to.have.property('message').that.includes('No usable api_domain is known');
  });

  it('gets what a subclass has for a profile', async () => {
    class Renamed extends PipedriveStrategy {
      override userProfile(accessToken: string, done: (error?: unknown, profile?: PipedriveProfile) => void) {
        super.userProfile(accessToken, (error, profile) => done(error, profile && { ...profile, id: 'renamed' }));
      }
    }
    const { answer } = await signIn(mustNotBeCalled, {
      strategy: new Renamed(options, ({ profile }) => ({ id: profile.id })),
    });
    expect(answer.user).to.deep.equal({ id: 'renamed' });
  });

  it('lets userProfile be called by itself only where the URL is fixed', async () => {
    const strategy = new PipedriveStrategy(
      { ...options, userProfileURL: 'https://examplebikes.pipedrive.com/api/v1/users/me' },
      mustNotBeCalled,
    );
    profileRequest().reply(401, { error: `No user of ${tokens.access_token}` });
    const error = await new Promise((resolve) => strategy.userProfile(tokens.access_token, resolve));
    expect(error).to.have.property('status', 502);
    expectNoSecrets(error);
    const { strategy: other } = await start();
    const unknown = await new Promise((resolve) => other.userProfile(tokens.access_token, resolve));
    expect(unknown).to.be.instanceOf(InternalOAuthError).and.have.property('message').that.includes('userProfileURL');
  });
});
