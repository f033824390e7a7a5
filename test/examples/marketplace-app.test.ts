// examples/marketplace-app/: on two processes behind a proxy, and through Pipedrive's checks for the Marketplace.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import nock from 'nock';
import { Browser } from '../support/browser';
import { chromiumForSuite } from '../support/chromium';
import { MarketplaceApp } from '../support/marketplace-app';
import { programsOf, repository } from '../support/project';
import { type Redis, startRedis } from '../support/redis';

const directory = join(repository, 'examples', 'marketplace-app');
const hour = 3_600_000;
const secrets = /secret-of-the-app|v1u:|Bearer/;

describe('the Marketplace app', function () {
  this.timeout(60_000);
  let app: MarketplaceApp;
  before(async () => {
    nock.restore();
    app = await MarketplaceApp.start();
  });
  after(() => app?.close());

  const home = (browser: Browser) => browser.open(`${app.proxy.origin}/`);
  const api = (token: string | null) =>
    fetch(`${app.proxy.origin}/api/deals`, { headers: { Authorization: `Bearer ${token}` } });
  const panelURL = (who: string) => new URL(app.sandbox.extensionURL(app.clientId, `${app.proxy.origin}/panel`, who));
  const tokenFor = (who: string) => panelURL(who).searchParams.get('token');

  it('installs by the Installation URL, with one consent, and shows the deals', async () => {
    const browser = await app.install('ada');
    expect(browser.page.url.pathname).to.equal('/');
    expect(browser.page.html).to.include('1001:777').and.include('Ten city bikes');
  });

  it('connects a second company to the user who has signed in', async () => {
    const browser = await app.install('ada');
    await browser.press('Connect another company');
    await app.allow(browser, 'ben');
    expect(browser.page.html).to.match(/1001:777.*Ten city bikes.*100\d:(?!777).*Ten city bikes/s);
  });

  it('connects nothing to a user who has signed in meanwhile', async () => {
    const browser = await app.install('ada');
    await browser.press('Connect another company');
    const connecting = browser.page.url;
    await browser.open(await app.sandbox.install(app.clientId, 'ben'));
    await app.allow(browser, 'ben');
    expect(browser.page.html).not.to.include('1001:777');
    await browser.open(await app.sandbox.approve(connecting, { as: 'ada' }));
    expect(browser.page.html.match(/\d+:\d+/g)).to.deep.equal(['1001:777']);
  });

  it('answers Cancel with a sentence, and logs nothing', async () => {
    const browser = new Browser();
    await browser.open(`${app.proxy.origin}/auth/pipedrive`);
    const before = app.logged;
    await browser.open(await app.sandbox.cancel(browser.page.url));
    expect([browser.page.status, JSON.parse(browser.page.html).code]).to.deep.equal([403, 'user_denied']);
    expect(app.logged).to.equal(before);
  });

  describe('token refresh', () => {
    it('happens once for all calls to both processes when the access token has expired', async () => {
      await app.install('ada');
      const [before, served] = [app.refreshes, app.proxy.served.length];
      app.sandbox.advance(hour + 1_000);
      const token = tokenFor('ada');
      const responses = await Promise.all(Array.from({ length: 8 }, () => api(token)));
      expect(responses.map(({ status }) => status)).to.deep.equal(Array(8).fill(200));
      expect(new Set(app.proxy.served.slice(served))).to.have.property('size', 2);
      expect(app.refreshes - before).to.equal(1);
    });

    it('goes on when one of the processes is killed', async () => {
      const browser = await app.install('ada');
      app.sandbox.advance(hour + 1_000);
      await app.instances[0].kill();
      try {
        for (const _ of [1, 2, 3]) expect((await home(browser)).html).to.include('Ten city bikes');
      } finally {
        await app.restart();
      }
    });

    it('and every user survive a reset of the client secret, once the processes have the new one', async () => {
      const browser = await app.install('ada');
      app.sandbox.resetSecret(app.clientId, 'another secret-of-the-app');
      const logged = app.logs('invalid_client');
      const stranger = new Browser();
      await stranger.open(await app.sandbox.install(app.clientId, 'ben'));
      await app.allow(stranger, 'ben');
      expect([stranger.page.status, JSON.parse(stranger.page.html).code]).to.deep.equal([500, 'error']);
      expect(await logged).not.to.match(secrets);
      app.sandbox.advance(hour + 1_000);
      await app.restart();
      expect((await home(browser)).html).to.include('Ten city bikes');
      expect((await api(tokenFor('ada'))).status).to.equal(200);
    });
  });

  describe('https and proxies', () => {
    it('give an https redirect URI and secure cookies, behind a proxy that terminates TLS', async () => {
      const headers = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'app.example.com' };
      const url = `http://127.0.0.1:${app.instances[0].port}/auth/pipedrive`;
      const response = await fetch(url, { headers, redirect: 'manual' });
      const { searchParams } = new URL(response.headers.get('location') ?? '');
      expect(searchParams.get('redirect_uri')).to.equal('https://app.example.com/auth/pipedrive/callback');
      expect(response.headers.getSetCookie().join()).to.match(/^__Host-.*; Secure/);
    });

    it('find the callback URL alive: without parameters it starts the sign-in', async () => {
      const response = await fetch(`${app.proxy.origin}/auth/pipedrive/callback`, { redirect: 'manual' });
      expect(response.status).to.equal(302);
    });
  });

  describe('error handling', () => {
    for (const [fault, status, cause] of [
      ['outage', 502, 'InternalOAuthError'],
      ['reset', 502, 'ECONNRESET'],
      ['not-json', 502, 'InternalOAuthError'],
    ] as const)
      it(`answers ${status} and logs the cause, without a secret: ${fault} at the token endpoint`, async () => {
        const browser = new Browser();
        await browser.open(`${app.proxy.origin}/auth/pipedrive`);
        app.sandbox.fail('token', fault, { times: 2 }); // a reset is tried again
        const logged = app.logs(cause);
        await app.allow(browser, 'ada');
        expect([browser.page.status, JSON.parse(browser.page.html).code]).to.deep.equal([status, 'error']);
        expect(await logged).not.to.match(secrets);
      });

    it('answers 502 and logs no token when the API fails', async () => {
      await app.install('ada');
      app.sandbox.fail('deals', 'outage', { times: 1 });
      const logged = app.logs("Pipedrive's API answered 503");
      expect((await api(tokenFor('ada'))).status).to.equal(502);
      expect(await logged).not.to.match(secrets);
    });

    it('shows a browser a page with what to do', async () => {
      const response = await fetch(`${app.proxy.origin}/panel`, { headers: { Accept: 'text/html' } });
      expect([response.status, await response.text()].join(' ')).to.match(/^401 .*role="alert".*inside Pipedrive/s);
    });
  });

  describe('rate limits', () => {
    it('are waited for when they are short: the user sees the deals after a burst', async () => {
      const browser = await app.install('ada');
      app.sandbox.fail('deals', '429', { times: 1 });
      expect((await home(browser)).html).to.include('Ten city bikes');
    });

    it('are a 503 that says when to come back when the daily budget is spent', async () => {
      await app.install('ada');
      app.sandbox.fail('deals', 'budget', { times: 1 });
      const response = await api(tokenFor('ada'));
      expect(response.status).to.equal(503);
      expect(Number(response.headers.get('retry-after'))).to.be.greaterThan(5);
    });

    it('are a 503 at the sign-in, too, that says when to come back', async () => {
      const browser = new Browser();
      await browser.open(`${app.proxy.origin}/auth/pipedrive`);
      app.sandbox.fail('users/me', 'budget', { times: 1 });
      await app.allow(browser, 'ada');
      expect(browser.page.status).to.equal(503);
      expect(Number(browser.page.headers.get('retry-after'))).to.be.greaterThan(5);
    });
  });

  describe('the uninstall', () => {
    it('forgets the tokens, and the user is asked to sign in again', async () => {
      const browser = await app.install('cleo');
      const token = tokenFor('cleo');
      expect(await app.sandbox.uninstall(app.clientId, 'cleo')).to.equal(204);
      const page = await home(browser);
      expect([page.status, JSON.parse(page.html).code]).to.deep.equal([401, 'not_installed']);
      expect((await api(token)).status).to.equal(401);
      expect((await home(browser)).html).to.include('Sign in with Pipedrive');
    });

    it('is not believed without the credentials of the app', async () => {
      const browser = await app.install('ada');
      const body = JSON.stringify({ client_id: app.clientId, company_id: 1001, user_id: 777 });
      const forged = { method: 'DELETE', headers: { 'Content-Type': 'application/json' }, body };
      expect((await fetch(`${app.proxy.origin}/auth/pipedrive/callback`, forged)).status).to.equal(401);
      expect((await home(browser)).html).to.include('Ten city bikes');
    });
  });

  describe('the panel', () => {
    it('is for frames of Pipedrive, and its API knows the user by the token', async () => {
      await app.install('ada');
      const response = await fetch(panelURL('ada'));
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-security-policy')).to.match(/frame-ancestors https:\/\/\*\.pipedrive\.com/);
      expect(await (await api(tokenFor('ada'))).json())
        .to.have.property('deals')
        .with.length(3);
    });

    it('refuses a forged id, and a forged token', async () => {
      const url = panelURL('ada');
      url.searchParams.set('userId', '778');
      expect((await fetch(url)).status).to.equal(403);
      expect((await api(`${tokenFor('ada')?.replace(/\.[^.]*$/, '')}.Zm9yZ2Vk`)).status).to.equal(401);
    });
  });

  describe('the panel in a browser', () => {
    const chromium = chromiumForSuite();

    it("shows the deals in the frame of Pipedrive's page, or how to connect", async () => {
      const page = await chromium().newPage();
      const panel = page.frameLocator('iframe');
      try {
        const elsewhere = { user: 'ada', companyId: 1002 };
        await page.goto(app.sandbox.extensionPage(app.clientId, `${app.proxy.origin}/panel`, elsewhere));
        await panel.getByRole('link', { name: 'Connect Pipedrive' }).waitFor();
        await app.install('ada');
        await page.goto(app.sandbox.extensionPage(app.clientId, `${app.proxy.origin}/panel`, 'ada'));
        await panel.getByText('3 deals').waitFor();
        expect(await panel.getByText('Connect Pipedrive').isVisible()).to.equal(false);
      } finally {
        await page.close();
      }
    });
  });

  it('has the stores of docs/installations.md as they stand there', () => {
    const stores = readFileSync(join(directory, 'stores.mts'), 'utf8');
    for (const name of ['redisStore', 'sqliteStore']) {
      const program = programsOf('docs/installations.md').find((text) => text.includes(`function ${name}(`)) ?? '';
      expect(stores).to.include(program.slice(program.indexOf(`function ${name}(`)));
    }
  });

  it('has fewer than 200 lines, not counting blank ones', () => {
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) => path.includes('.'));
    const lines = files.flatMap((path) => readFileSync(join(directory, path), 'utf8').split('\n').filter(Boolean));
    expect(lines).to.have.lengthOf.below(200);
  });
});

describe('the Marketplace app without an Installation URL', function () {
  this.timeout(60_000);
  let app: MarketplaceApp;
  let redis: Redis | undefined;
  before(async function () {
    nock.restore();
    redis = await startRedis();
    if (!redis) return this.skip();
    const key = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY';
    app = await MarketplaceApp.start({ installationURL: undefined }, { REDIS_URL: redis.url, TOKENS_KEYS: key });
  });
  after(async () => {
    await app?.close();
    await redis?.stop();
  });

  it('starts over with state for a code without it, and keeps sealed tokens in Redis', async () => {
    const browser = await app.install('ada');
    expect(browser.page.html).to.include('Ten city bikes');
    app.sandbox.advance(hour + 1_000);
    for (const _ of [1, 2]) {
      await browser.open(`${app.proxy.origin}/`);
      expect(browser.page.html).to.include('Ten city bikes');
    }
    expect(app.refreshes).to.equal(1);
  });
});
