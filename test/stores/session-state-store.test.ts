// What is special to flows in the session: how they are saved, and what Passport's regeneration does to other tabs.
import { expect } from 'chai';
import type { RequestHandler } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { PipedriveStrategy, SessionStateStore } from 'passport-pipedrive-oauth2';
import { type AppOptions, anybody, appsForEach, expectFailure, options } from '../support/app';
import { letSignIn, stubPipedrive } from '../support/pipedrive';
import { clockForEach, StoreClient } from '../support/stores';

const sessions = () => session({ secret: 'x', resave: false, saveUninitialized: false });

/** A session that saves nothing but what is assigned to it, as some do. It is one for all requests. */
function savingSession() {
  const saved: Record<string, string> = {};
  const handler: RequestHandler = (req, _res, next) => {
    const values: Record<string, unknown> = Object.fromEntries(
      Object.entries(saved).map(([key, value]) => [key, JSON.parse(value)]),
    );
    const set = (target: typeof values, key: string, value: unknown) => {
      saved[key] = JSON.stringify(value);
      return Reflect.set(target, key, value);
    };
    Object.assign(req, { session: new Proxy(values, { set }) });
    next();
  };
  return { saved, handler };
}

describe('SessionStateStore', () => {
  stubPipedrive();
  const start = appsForEach();
  const passTime = clockForEach();
  const withSession = (given: AppOptions = {}): AppOptions => ({
    before: [sessions()],
    verify: anybody,
    ...given,
    options: { store: new SessionStateStore(), ...given.options },
  });

  it('is an error that names the other store, where there is no session', async () => {
    const app = await start({ options: { store: new SessionStateStore() } });
    for (const path of ['/auth', '/callback?code=a&state=b']) {
      expect((await app.visitor().send(path)).outcome).to.equal('error');
      expect(app.errors.pop())
        .to.have.property('message')
        .that.equals(
          'SessionStateStore needs req.session: use a session middleware, or CookieStateStore, which needs none but req.res; where the framework does not set that, set req.res = res before Passport runs. See docs/troubleshooting.md',
        );
    }
  });

  it('keeps no member that is undefined, which some sessions would turn into null', async () => {
    for (const state of [undefined, () => {}]) {
      const browser = StoreClient.of('SessionStateStore');
      await browser.begin({}, state);
      const [flow] = Object(browser.session['pipedrive-oauth2:flows']);
      expect(Object.values(flow)).to.have.length.above(0).and.not.include(undefined);
    }
  });

  it('assigns a new value at the top level each time', async () => {
    const { saved, handler } = savingSession();
    const visitor = (await start(withSession({ before: [handler] }))).visitor();
    const state = await visitor.start();
    expect(JSON.parse(saved['pipedrive-oauth2:flows'] ?? '')).to.have.length(1);
    letSignIn();
    expect((await visitor.callback({ code: 'the-code-of-the-user', state })).outcome).to.equal('success');
    expect(saved).to.deep.equal({ 'pipedrive-oauth2:flows': '[]' });
  });

  it('is one small array, no larger after 1000 flows than after 10', async () => {
    const { saved, handler } = savingSession();
    const visitor = (await start(withSession({ before: [handler] }))).visitor();
    const sizes: number[] = [];
    for (let flow = 0; flow < 1_000; flow += 1) {
      await visitor.start();
      sizes.push(saved['pipedrive-oauth2:flows']?.length ?? 0);
    }
    expect(Math.max(...sizes.slice(10))).to.be.at.most(Math.max(...sizes.slice(0, 10)));
    expect(Math.max(...sizes)).to.be.at.most(2_048);
  }).timeout(20_000);

  it('stays under 2,048 bytes with states of any size', () => {
    const store = new SessionStateStore({ key: 'flows' });
    const meta = {
      ...options,
      authorizationURL: '',
      tokenURL: '',
      ownCallbackURL: options.callbackURL,
      strategy: 'pipedrive',
    };
    for (let length = 0; length < 3_000; length += 1) {
      const req = Object.assign(Object.create(null), { session: {} });
      const start = () => store.store(req, undefined, 'x'.repeat(length), meta, () => {});
      for (let flow = 0; flow < 3; flow += 1) {
        if (length < 1_800) start();
        else if (length > 1_950) expect(start).to.throw(RangeError, /^The state given to authenticate is too large/);
      }
      expect(JSON.stringify(req.session)).to.have.length.at.most(2_048);
    }
  });

  it('drops expired flows with the next start and with the next callback', async () => {
    const browser = StoreClient.of('SessionStateStore');
    const held = () => browser.session['pipedrive-oauth2:flows'];
    await browser.begin();
    passTime(20 * 60_000);
    const { handle } = await browser.begin();
    expect(held()).to.have.length(2);
    passTime(15 * 60_000);
    await browser.begin();
    expect(held()).to.have.length(2);
    passTime(15 * 60_000);
    expect(await browser.end(handle)).to.include({ ok: true });
    expect(held()).to.have.length(1);
    passTime(16 * 60_000);
    const { handle: last } = await browser.begin();
    await browser.end(last);
    expect(held()).to.have.length(0);
  });

  it('drops flows that expire while another one is open', async () => {
    const browser = StoreClient.of('SessionStateStore');
    await browser.begin();
    passTime(20 * 60_000);
    const { handle } = await browser.begin();
    passTime(15 * 60_000);
    await browser.end(handle);
    expect(browser.session['pipedrive-oauth2:flows']).to.deep.equal([]);
  });

  it('says why a state is refused', async () => {
    const browser = StoreClient.of('SessionStateStore');
    const { handle } = await browser.begin();
    expect((await browser.end('x')).state).to.deep.equal({
      code: 'state_invalid',
      reason: "no open flow of this state (used, pushed out, or another browser's)",
    });
    for (const other of [{ strategy: 'other' }, { clientID: 'other' }]) {
      const { state } = await browser.end(handle, other);
      expect(state).to.deep.equal({ code: 'state_invalid', reason: 'of another strategy or client' });
    }
  });

  const keys: Record<string, [AppOptions, string]> = {
    'key of the store': [{ options: { store: new SessionStateStore({ key: 'own' }) } }, 'own'],
    'sessionKey of the strategy, for the default store': [{ options: { store: undefined, sessionKey: 'own' } }, 'own'],
  };
  for (const [what, [given, key]] of Object.entries(keys)) {
    it(`uses the ${what}`, async () => {
      const { saved, handler } = savingSession();
      const hide: RequestHandler = (req, _res, next) =>
        next(void Object.defineProperty(req, 'res', { value: undefined }));
      await (await start(withSession({ ...given, before: [handler, hide] }))).visitor().send('/auth');
      expect(Object.keys(saved)).to.deep.equal([key]);
    });
  }

  const junks = ['text', 7, null, {}, [null, 7, {}]].map((junk): [string, (flow: object) => unknown] => [
    JSON.stringify(junk),
    () => junk,
  ]);
  for (const member of [{ h: 1 }, { t: '2' }, { t: null }, { u: 3 }, { s: '/deals' }, { s: {} }, { s: 5 }, { v: 5 }]) {
    junks.push([`a flow with ${JSON.stringify(member)}`, (flow) => [{ ...flow, ...member }]]);
  }
  for (const [what, junkOf] of junks) {
    it(`does without what else is under its key: ${what}`, async () => {
      const { saved, handler } = savingSession();
      const visitor = (await start(withSession({ before: [handler] }))).visitor();
      const state = await visitor.start();
      const [flow] = JSON.parse(String(saved['pipedrive-oauth2:flows']));
      saved['pipedrive-oauth2:flows'] = JSON.stringify(junkOf(flow));
      expectFailure(await visitor.callback({ code: 'a', state }), 403, 'state_invalid');
      letSignIn();
      expect((await visitor.signIn()).outcome).to.equal('success');
      expect(saved['pipedrive-oauth2:flows']).to.equal('[]');
    });
  }

  describe('when Passport starts a new session at login', () => {
    /** Signs in tab A, then comes back in tab B, which had begun before. */
    async function secondTab(more: object) {
      const passport = new Passport();
      passport.use(new PipedriveStrategy({ ...options, store: new SessionStateStore() }, anybody));
      passport.serializeUser((_user, done) => done(null, 1));
      const authenticate = passport.authenticate('pipedrive', { failWithError: true, ...more });
      const handler: RequestHandler = (_req, res) => void res.json({ outcome: 'success' });
      const app = await start({
        before: [sessions()],
        routes: (express) => express.get('/login', authenticate, handler),
      });
      const visitor = app.visitor();
      const [a, b] = [await visitor.start('/login'), await visitor.start('/login')];
      letSignIn();
      expect((await visitor.send(`/login?code=the-code-of-the-user&state=${a}`)).outcome).to.equal('success');
      return visitor.send(`/login?code=the-code-of-the-user&state=${b}`);
    }

    it('ends the sign-in of a second tab with state_invalid', async () => {
      expectFailure(await secondTab({}), 403, 'state_invalid');
    });

    it('keeps it with keepSessionInfo', async () => {
      letSignIn();
      expect((await secondTab({ keepSessionInfo: true })).outcome).to.equal('success');
    });
  });
});
