// Whatever a browser brings to the callback, and whatever its session holds: nobody gets in who did not start here.
import { expect } from 'chai';
import type { RequestHandler } from 'express';
import fc from 'fast-check';
import { Passport } from 'passport';
import { SessionStateStore } from 'passport-pipedrive-oauth2';
import {
  type Answer,
  type App,
  type AppOptions,
  anybody,
  appsForEach,
  callbackURL,
  clientID,
  expectFailure,
} from '../support/app';
import { appState, cookies, headerText, parameter, query, text } from '../support/arbitraries';
import { expectHolds, longest } from '../support/fuzz';
import { answerWell, rawServersForEach } from '../support/servers';
import { strategyWith, withStore } from '../support/stores';

/** Expects one of the outcomes that a browser alone can bring about, without a word of what it sent. */
function expectRefusal(app: App, answer: Answer): void {
  expect(app.errors.splice(0)).to.deep.equal([]);
  if (answer.status === 302) return void expect(answer.location?.origin).to.equal('https://oauth.pipedrive.com');
  if (answer.body === '') return void expect(answer.status).to.be.oneOf([400, 405]); // to HEAD
  const { code } = answer.authInfo as { code: string };
  const own = new Map([
    ['server_error', 502],
    ['temporarily_unavailable', 503],
  ]).get(code);
  expect(answer.status).to.be.oneOf(own ? [own] : [400, 403, 405]);
  expect(expectFailure(answer, answer.status, code)).to.have.all.keys('code', 'message');
}

/** Starts sign-ins at `/start/{name of a strategy}`, with the app state that a header of the request has. */
const startRoute =
  (passport: InstanceType<typeof Passport>): RequestHandler<{ name: string }> =>
  (req, res, next) => {
    const { state } = JSON.parse(Buffer.from(req.get('x-state') ?? '', 'base64url').toString());
    passport.authenticate(req.params.name, { session: false, state })(req, res, next);
  };
const stateHeader = (state: unknown) => ({
  'x-state': Buffer.from(JSON.stringify({ state })).toString('base64url'),
});

/** Bytes of all flows in a `Cookie` header. */
const bytesOfFlows = (cookie: string) =>
  cookie
    .split('; ')
    .filter((each) => each.includes('pipedrive-flow.'))
    .join('; ').length;

const key = 'oauth2:oauth.pipedrive.com';

describe('fuzz: callback', function () {
  this.timeout(longest);
  const startApp = appsForEach();
  const startServer = rawServersForEach();

  /** A Pipedrive that lets everybody in. */
  async function startPipedrive() {
    const server = await startServer(answerWell);
    return { server, tokenURL: `${server.origin}/oauth/token` };
  }

  it('lets nobody in without a sign-in under way, whatever the query, the cookies and the method', async () => {
    const { server, tokenURL } = await startPipedrive();
    const apps = await Promise.all([
      startApp({ options: { tokenURL } }),
      startApp(withStore('SessionStateStore', { options: { tokenURL, marketplaceInstall: 'reject' } })),
      startApp({
        options: { tokenURL, callbackURL: '/callback', proxy: true },
        routes: (app) => app.set('query parser', 'extended'),
      }),
    ]);
    const sent = fc.record({
      which: fc.nat(apps.length - 1),
      method: fc.oneof({ weight: 5, arbitrary: fc.constant('GET') }, fc.constantFrom('HEAD', 'POST', 'DELETE')),
      query,
      cookie: cookies,
      host: fc.option(headerText, { nil: 'app.example.com' }),
    });
    await expectHolds(
      0.5,
      fc.asyncProperty(sent, async ({ which, method, query, cookie, host }) => {
        const app = apps[which] as App;
        const visitor = app.visitor();
        const answer = await visitor.callback(query, { method, headers: { cookie, 'x-forwarded-host': host } });
        expectRefusal(app, answer);
        expect(bytesOfFlows(visitor.browser.cookieHeader(app.origin))).to.be.below(4_096);
        expect(server.requests).to.deep.equal([]);
      }),
    );
  });

  const flow = fc.record({
    by: fc.constantFrom('me', 'me', 'a stranger'),
    strategy: fc.constantFrom('pipedrive', 'pipedrive', 'another name', 'another client'),
    state: appState,
  });
  const change = fc.constantFrom(
    (state: string) => state,
    (state: string) => state,
    (state: string) => `${state}A`,
    (state: string) => state.slice(1),
    (state: string) => state.toLowerCase(),
    () => '',
  );
  const scenario = fc.record({
    flows: fc.array(flow, { minLength: 1, maxLength: 3 }),
    chosen: fc.nat(2),
    change,
    more: fc.array(parameter, { maxLength: 1 }),
    junk: fc.option(cookies, { nil: '' }),
    hasCookies: fc.constantFrom(true, true, true, false),
  });

  for (const name of ['CookieStateStore', 'SessionStateStore'] as const) {
    it(`lets in only who has a sign-in under way, once, with its own app state (${name})`, async () => {
      const { server, tokenURL } = await startPipedrive();
      const routes: Parameters<typeof withStore>[1] = {
        options: { tokenURL },
        routes: (express, strategy) => {
          const passport = new Passport();
          passport.use('pipedrive', strategy);
          passport.use('another name', Object.assign(strategyWith(name), { name: 'another name' }));
          passport.use('another client', strategyWith(name, { clientID: 'another' }));
          express.get('/start/:name', startRoute(passport));
        },
      };
      const app = await startApp(withStore(name, routes));
      await expectHolds(
        0.1,
        fc.asyncProperty(scenario, async ({ flows, chosen, change, more, junk, hasCookies }) => {
          const [me, stranger] = [app.visitor(), app.visitor()];
          const started = [];
          for (const each of flows) {
            const visitor = each.by === 'me' ? me : stranger;
            const { location } = await visitor.send(`/start/${each.strategy}`, { headers: stateHeader(each.state) });
            started.push({ ...each, handle: location?.searchParams.get('state') ?? '' });
          }
          const isMine = ({ by, strategy }: (typeof flows)[number]) => by === 'me' && strategy === 'pipedrive';
          const target = started[chosen % started.length];
          const state = change(target?.handle ?? '');
          const isKnown = target && isMine(target) && state === target.handle && hasCookies;
          const cookie = [hasCookies && me.browser.cookieHeader(app.origin), junk].filter(Boolean).join('; ');
          const asked = server.requests.length;

          const answer = await me.callback([`code=abc&state=${state}`, ...more].join('&'), { headers: { cookie } });
          if (answer.outcome === 'success') {
            expect(isKnown).to.equal(true);
            expect(answer.authInfo).to.deep.equal(JSON.parse(JSON.stringify({ state: target?.state })));
            expectFailure(await me.callback({ code: 'abc', state }), 403, 'state_invalid');
            expect(server.requests.length).to.equal(asked + 2);
            return;
          }
          expect(isKnown && more.length === 0).to.not.equal(true);
          expect(server.requests.length).to.equal(asked);
          if (!isKnown) expectRefusal(app, answer);
          // A refusal takes nothing from the other sign-ins of this browser.
          const left = started.find((each) => isMine(each) && each !== target);
          if (!left || !hasCookies) return;
          expect((await me.callback({ code: 'abc', state: left.handle })).outcome).to.equal('success');
        }),
      );
    });
  }

  describe('with a session that the test holds', () => {
    let held: Record<string, unknown> = {};
    const hold: RequestHandler = (req, _res, next) => next(void Object.assign(req, { session: held }));
    const bytesHeld = () => Buffer.byteLength(JSON.stringify(held[key]));

    const handle = 'A'.repeat(43);
    const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text);
    const mostly = (value: unknown) => fc.oneof({ weight: 6, arbitrary: fc.constant(value) }, junk);
    const nearFlow = fc.record(
      {
        h: mostly(handle),
        t: fc.nat(3_600_000).map((age) => Date.now() - age),
        n: mostly('pipedrive'),
        c: mostly(clientID),
        u: mostly(callbackURL),
        s: mostly('{"page":7}'),
        v: mostly('verifier'),
      },
      { requiredKeys: ['h', 't', 'n', 'c', 'u'] },
    );
    const session = fc.tuple(
      fc.dictionary(text, junk, { maxKeys: 3 }),
      fc.oneof(junk, fc.array(fc.oneof(nearFlow, junk))),
    );

    it('lets nobody in without a flow in the session, whatever else it holds', async () => {
      const { server, tokenURL } = await startPipedrive();
      const app = await startApp({
        before: [hold],
        options: { tokenURL, store: new SessionStateStore() },
        verify: anybody,
      });
      await expectHolds(
        0.1,
        fc.asyncProperty(session, fc.boolean(), async ([others, flows], isStart) => {
          held = { ...others, [key]: flows };
          const isFlow = (each: unknown) => {
            const { h, t, n, c } = Object(each);
            return h === handle && n === 'pipedrive' && c === clientID && Date.now() - t <= 1_800_000;
          };
          const hasFlow = Array.isArray(flows) && flows.some(isFlow);
          const asked = server.requests.length;
          const visitor = app.visitor();
          const answer = await (isStart ? visitor.send('/auth') : visitor.callback({ code: 'abc', state: handle }));
          if (isStart) expect(bytesHeld()).to.be.below(4_096);
          if (answer.outcome === 'success') expect(hasFlow && !isStart).to.equal(true);
          else {
            expectRefusal(app, answer);
            expect(server.requests.length).to.equal(asked);
          }
        }),
      );
    });

    it('holds less than 4,096 bytes of flows, or refuses the state before the redirect', async () => {
      const routes: AppOptions['routes'] = (express, strategy) => {
        const passport = new Passport();
        passport.use('pipedrive', strategy);
        express.get('/start/:name', startRoute(passport));
      };
      const stores = { cookies: undefined, session: new SessionStateStore() };
      const apps: App[] = [];
      for (const store of Object.values(stores))
        apps.push(await startApp({ before: [hold], options: { store }, routes }));
      const length = fc.oneof(fc.nat(400), fc.nat(1_500));
      const states = fc.array(fc.tuple(fc.constantFrom('x', '"', 'ü', '𝄞'), length), { minLength: 1, maxLength: 14 });
      await expectHolds(
        0.02,
        fc.asyncProperty(states, async (states) => {
          for (const app of apps) {
            held = { [key]: [] };
            const visitor = app.visitor();
            const bytes = () => Math.max(bytesOfFlows(visitor.browser.cookieHeader(app.origin)), bytesHeld());
            for (const [unit, count] of states) {
              const before = bytes();
              const answer = await visitor.send('/start/pipedrive', { headers: stateHeader(unit.repeat(count)) });
              expect(bytes()).to.be.below(4_096);
              if (answer.status === 302) continue;
              expect(app.errors.splice(0)).to.have.length(1).and.have.nested.property('0.name', 'RangeError');
              expect(bytes()).to.equal(before);
            }
          }
        }),
      );
    });
  });
});
