// Whatever a browser brings to the callback: nobody gets in who did not start here.
import { expect } from 'chai';
import fc from 'fast-check';
import { Passport } from 'passport';
import { type App, appsForEach, expectFailure } from '../support/app';
import { appState, cookies, headerText, parameter, query } from '../support/arbitraries';
import { bytesOfFlows, expectHolds, expectRefusal, longest, startRoute, stateHeader } from '../support/fuzz';
import { answerWell, rawServersForEach } from '../support/servers';
import { strategyWith, withStore } from '../support/stores';

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
});
