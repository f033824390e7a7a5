// Many sign-ins that start at once, behind the real nginx and in a real browser: the app stays reachable.
import { expect } from 'chai';
import { Passport } from 'passport';
import { type App, type AppOptions, anybody, appsForEach } from '../support/app';
import { Browser } from '../support/browser';
import { chromiumForSuite } from '../support/chromium';
import { startRoute, stateHeader } from '../support/fuzz';
import { type Nginx, startNginx } from '../support/nginx';
import { stubPipedrive } from '../support/pipedrive';

const reachable: AppOptions['routes'] = (express, strategy) => {
  const passport = new Passport();
  passport.use('pipedrive', strategy);
  express.get('/start/:name', startRoute(passport));
  express.get('/', (_req, res) => void res.send('<!doctype html><title>App</title>'));
};

describe('sign-ins that start at once', function () {
  this.timeout(60_000);
  stubPipedrive();
  const start = appsForEach();
  let nginx: Nginx | undefined;
  let app: App;

  /** The app behind nginx, or nothing where there is none. */
  async function startBehindNginx(given: AppOptions): Promise<string | undefined> {
    app = await start({ verify: anybody, routes: reachable, ...given });
    nginx = await startNginx(app.origin);
    return nginx?.origin;
  }
  afterEach(async () => {
    await nginx?.stop();
    nginx = undefined;
  });

  describe('behind nginx', () => {
    const states: Record<string, (index: number) => unknown> = {
      'no state': () => undefined,
      'a short path': () => '/deals/1234?view=list',
      '300 bytes': () => 'x'.repeat(300),
      '1,500 bytes': () => 'x'.repeat(1_500),
      '0 B to 2 kB, mixed': (index) => 'x'.repeat((index * 331) % 2_000),
      'small ones, then large ones': (index) => 'x'.repeat(index % 2 ? 1_500 : 0),
    };
    for (const [what, state] of Object.entries(states)) {
      it(`never lock the browser out: 2 to 500 starts, ${what}`, async function () {
        const callbackURL = 'https://app.example.com/auth/pipedrive/callback';
        const origin = await startBehindNginx({ options: { callbackURL, pkce: what === 'a short path' } });
        if (!origin) {
          console.log('      nginx is not installed: skipped');
          return this.skip();
        }
        const browser = new Browser();
        for (const count of [2, 10, 50, 500]) {
          const cookie = browser.cookieHeader(origin);
          for (let sent = 0; sent < count; sent += 50) {
            const batch = Array.from({ length: Math.min(50, count - sent) }, (_, index) =>
              browser.send(`${origin}/start/pipedrive`, { headers: { cookie, ...stateHeader(state(sent + index)) } }),
            );
            for (const { status } of await Promise.all(batch)) expect(status).to.be.oneOf([302, 500]); // too large a state
          }
          expect(browser.cookieHeader(origin).length).to.be.below(7_500);
          expect((await browser.send(origin)).status, `after ${count}`).to.equal(200);
        }
        const last = await browser.send(`${origin}/start/pipedrive`, { headers: stateHeader(state(1)) });
        expect(last.status).to.equal(302);
        expect(browser.cookieHeader(origin).length).to.be.below(4_096);
      });
    }

    it('are told from a header that is too large, which nginx answers with 400', async function () {
      const origin = await startBehindNginx({});
      if (!origin) return this.skip();
      const { status } = await new Browser().send(origin, { headers: { cookie: `a=${'x'.repeat(8_200)}` } });
      expect(status).to.equal(400);
    });
  });

  describe('in Chromium', () => {
    const chromium = chromiumForSuite();
    for (const [what, authorize] of Object.entries({
      'without state': {},
      'with 300 bytes': { state: 'x'.repeat(300) },
      'with 1,500 bytes': { state: 'x'.repeat(1_500) },
    })) {
      it(`leave the app reachable after 50 parallel requests of a page, ${what}`, async function () {
        const origin = await startBehindNginx({ authorize });
        if (!origin) return this.skip();
        const context = await chromium().newContext();
        try {
          const page = await context.newPage();
          await page.goto(origin);
          await page.evaluate(`Promise.all(Array.from({ length: 50 }, () => fetch('/auth', { redirect: 'manual' })))`);
          const cookies = await context.cookies(origin);
          expect(cookies).not.to.have.length(0);
          expect(cookies.map(({ name, value }) => `${name}=${value}; `).join('').length).to.be.below(4_096);
          expect((await page.goto(origin))?.status()).to.equal(200);
        } finally {
          await context.close();
        }
      });
    }
  });
});
