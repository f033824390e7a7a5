// Whatever a session holds, and whatever state the app gives: nobody gets in who did not start here, and flows stay small.
import { expect } from 'chai';
import type { RequestHandler } from 'express';
import fc from 'fast-check';
import { Passport } from 'passport';
import { SessionStateStore } from 'passport-pipedrive-oauth2';
import { type App, type AppOptions, anybody, appsForEach, callbackURL } from '../support/app';
import { text } from '../support/arbitraries';
import { bytesOfFlows, expectHolds, expectRefusal, longest, startRoute, stateHeader } from '../support/fuzz';
import { answerWell, rawServersForEach } from '../support/servers';
import { StoreClient } from '../support/stores';

const key = 'pipedrive-oauth2:flows';

/** The store's name for this strategy and client, as it is in a flow that the store makes. */
function readFingerprint(): unknown {
  const client = StoreClient.of('SessionStateStore');
  client.begin();
  return Object(client.session[key])[0].f;
}

describe('fuzz: state stores', function () {
  this.timeout(longest);
  const startApp = appsForEach();
  const startServer = rawServersForEach();

  let held: Record<string, unknown> = {};
  const hold: RequestHandler = (req, _res, next) => next(void Object.assign(req, { session: held }));
  const bytesHeld = () => Buffer.byteLength(JSON.stringify(held[key]));

  const handle = 'A'.repeat(43);
  const fingerprint = readFingerprint();
  const junk = fc.oneof(fc.jsonValue({ maxDepth: 2 }), text);
  const mostly = (value: unknown) => fc.oneof({ weight: 6, arbitrary: fc.constant(value) }, junk);
  const nearFlow = fc.record(
    {
      h: mostly(handle),
      t: fc.nat(3_600_000).map((age) => Date.now() - age),
      f: mostly(fingerprint),
      u: mostly(callbackURL),
      s: mostly('{"page":7}'),
      v: mostly('verifier'),
    },
    { requiredKeys: ['h', 't', 'f', 'u'] },
  );
  const session = fc.tuple(
    fc.dictionary(text, junk, { maxKeys: 3 }),
    fc.oneof(junk, fc.array(fc.oneof(nearFlow, junk))),
  );

  it('lets nobody in without a flow in the session, whatever else it holds', async () => {
    const server = await startServer(answerWell);
    const tokenURL = `${server.origin}/oauth/token`;
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
          const { h, t, f } = Object(each);
          return h === handle && f === fingerprint && Date.now() - t <= 1_800_000;
        };
        const hasFlow = Array.isArray(flows) && flows.some(isFlow);
        const asked = server.requests.length;
        const visitor = app.visitor();
        const answer = await (isStart ? visitor.send('/auth') : visitor.callback({ code: 'abc', state: handle }));
        if (isStart) expect(bytesHeld()).to.be.at.most(2_048);
        if (answer.outcome === 'success') expect(hasFlow && !isStart).to.equal(true);
        else {
          expectRefusal(app, answer);
          expect(server.requests.length).to.equal(asked);
        }
      }),
    );
  });

  it('holds at most 4,096 bytes of flows, 2,048 in a session, or refuses the state before the redirect', async () => {
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
          const bytes = () => Math.max(bytesOfFlows(visitor.browser.cookieHeader(app.origin)), 2 * bytesHeld());
          for (const [unit, count] of states) {
            const before = bytes();
            const answer = await visitor.send('/start/pipedrive', { headers: stateHeader(unit.repeat(count)) });
            expect(bytes()).to.be.at.most(4_096);
            if (answer.status === 302) continue;
            expect(app.errors.splice(0)).to.have.length(1).and.have.nested.property('0.name', 'RangeError');
            expect(bytes()).to.equal(before);
          }
        }
      }),
    );
  });
});
