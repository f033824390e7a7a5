// examples/marketplace-app/: on two processes behind a proxy with each database, and through Pipedrive's checks.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import nock from 'nock';
import { Browser } from '../support/browser';
import { chromiumForSuite } from '../support/chromium';
import { Instance, MarketplaceApp } from '../support/marketplace-app';
import { startPostgres } from '../support/postgres';
import { freePort, programsOf, repository } from '../support/project';
import { startRedis } from '../support/redis';

const directory = join(repository, 'examples', 'marketplace-app');
const hour = 3_600_000;
const secrets = /secret-of-the-app|v1u:|Bearer/;

/** Starts the database's server. Yields nothing where the system has none. */
const databases = {
  SQLite: async () => ({ env: {}, stop: async () => {} }),
  Redis: async () => {
    const redis = await startRedis();
    return redis && { env: { REDIS_URL: redis.url }, stop: redis.stop };
  },
  PostgreSQL: async () => {
    const postgres = await startPostgres();
    return postgres && { env: { DATABASE_URL: postgres.url }, stop: postgres.stop };
  },
};

for (const [name, start] of Object.entries(databases))
  describe(`the Marketplace app with ${name}`, function () {
    this.timeout(60_000);
    let app: MarketplaceApp;
    let database: Awaited<ReturnType<typeof start>>;
    before(async function () {
      nock.restore();
      database = await start();
      if (!database) return this.skip();
      app = await MarketplaceApp.start({}, database.env);
    });
    after(async () => {
      await app?.close();
      await database?.stop();
    });

    it('keeps the tokens there', async () => {
      await app.install('ada');
      expect(existsSync(app.sqliteFile)).to.equal(name === 'SQLite');
    });

    it('refreshes once for all calls to both processes when the access token has expired', async () => {
      await app.install('ada');
      const [before, served] = [app.refreshes, app.proxy.served.length];
      app.sandbox.advance(hour + 1_000);
      const token = app.tokenFor('ada');
      const responses = await Promise.all(Array.from({ length: 8 }, () => app.deals(token)));
      expect(responses.map(({ status }) => status)).to.deep.equal(Array(8).fill(200));
      expect(new Set(app.proxy.served.slice(served))).to.have.property('size', 2);
      expect(app.refreshes - before).to.equal(1);
    });

    it('goes on when one of the processes is killed', async () => {
      const browser = await app.install('ada');
      app.sandbox.advance(hour + 1_000);
      const [killed] = app.instances;
      await killed.kill();
      try {
        for (const _ of [1, 2, 3]) expect((await app.home(browser)).html).to.include('Ten city bikes');
      } finally {
        await app.restart(killed);
      }
    });

    it('keeps every user through a reset of the client secret, once the processes have the new one', async () => {
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
      expect((await app.home(browser)).html).to.include('Ten city bikes');
      expect((await app.deals(app.tokenFor('ada'))).status).to.equal(200);
    });

    it('forgets the tokens at an uninstall, and asks the user to sign in again', async () => {
      const browser = await app.install('cleo');
      const token = app.tokenFor('cleo');
      expect(await app.sandbox.uninstall(app.clientId, 'cleo')).to.equal(204);
      const page = await app.home(browser);
      expect([page.status, JSON.parse(page.html).code]).to.deep.equal([401, 'not_installed']);
      expect((await app.deals(token)).status).to.equal(401);
      expect((await app.home(browser)).html).to.include('Sign in with Pipedrive');
    });
  });

describe('the Marketplace app', function () {
  this.timeout(60_000);
  let app: MarketplaceApp;
  before(async () => {
    nock.restore();
    app = await MarketplaceApp.start();
  });
  after(() => app?.close());

  it('installs by the Installation URL, with one consent, and shows the deals', async () => {
    const browser = await app.install('ada');
    expect(browser.page.url.pathname).to.equal('/');
    expect(browser.page.html).to.include('Ada Example at Example Bikes').and.include('Ten city bikes');
  });

  it('connects a second company to the user who has signed in', async () => {
    const browser = await app.install('ada');
    await browser.press('Connect another company');
    await app.allow(browser, 'ben');
    expect(browser.page.html).to.match(/Ada Example.*Ten city bikes.*Ben Sample.*Ten city bikes/s);
  });

  it('connects nothing to a user who has signed in meanwhile', async () => {
    const browser = await app.install('ada');
    await browser.press('Connect another company');
    const connecting = browser.page.url;
    await browser.open(await app.sandbox.install(app.clientId, 'ben'));
    await app.allow(browser, 'ben');
    expect(browser.page.html).not.to.include('Ada Example');
    await browser.open(await app.sandbox.approve(connecting, { as: 'ada' }));
    expect(browser.page.html).to.include('Ada Example').and.not.include('Ben Sample');
  });

  it('answers Cancel with a sentence, and logs nothing', async () => {
    const browser = new Browser();
    await browser.open(`${app.proxy.origin}/auth/pipedrive`);
    const before = app.logged;
    await browser.open(await app.sandbox.cancel(browser.page.url));
    expect([browser.page.status, JSON.parse(browser.page.html).code]).to.deep.equal([403, 'user_denied']);
    expect(app.logged).to.equal(before);
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
        app.sandbox.fail('token', fault); // for longer than the connections that a reset is tried again on
        const logged = app.logs(cause);
        await app.allow(browser, 'ada');
        app.sandbox.fail('token', null);
        expect([browser.page.status, JSON.parse(browser.page.html).code]).to.deep.equal([status, 'error']);
        expect(await logged).not.to.match(secrets);
      });

    it('answers 502 and logs no token when the API fails', async () => {
      await app.install('ada');
      app.sandbox.fail('deals', 'outage', { times: 1 });
      const logged = app.logs("Pipedrive's API answered 503");
      expect((await app.deals(app.tokenFor('ada'))).status).to.equal(502);
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
      expect((await app.home(browser)).html).to.include('Ten city bikes');
    });

    it('are a 503 that says when to come back when the daily budget is spent', async () => {
      await app.install('ada');
      app.sandbox.fail('deals', 'budget', { times: 1 });
      const response = await app.deals(app.tokenFor('ada'));
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
    it('is not believed without the credentials of the app', async () => {
      const browser = await app.install('ada');
      const body = JSON.stringify({ client_id: app.clientId, company_id: 1001, user_id: 777 });
      const forged = { method: 'DELETE', headers: { 'Content-Type': 'application/json' }, body };
      expect((await fetch(`${app.proxy.origin}/auth/pipedrive/callback`, forged)).status).to.equal(401);
      expect((await app.home(browser)).html).to.include('Ten city bikes');
    });
  });

  describe('the panel', () => {
    it('is for frames of Pipedrive, and its API knows the user by the token', async () => {
      await app.install('ada');
      const response = await fetch(app.panelURL('ada'));
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-security-policy')).to.match(/frame-ancestors https:\/\/\*\.pipedrive\.com/);
      expect(await (await app.deals(app.tokenFor('ada'))).json())
        .to.have.property('deals')
        .with.length(3);
    });

    it('refuses a forged id, and a forged token', async () => {
      const url = app.panelURL('ada');
      url.searchParams.set('userId', '778');
      expect((await fetch(url)).status).to.equal(403);
      expect((await app.deals(`${app.tokenFor('ada')?.replace(/\.[^.]*$/, '')}.Zm9yZ2Vk`)).status).to.equal(401);
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

  describe('that cannot start says why', () => {
    const environment = {
      PIPEDRIVE_CLIENT_ID: 'id',
      PIPEDRIVE_CLIENT_SECRET: 'secret-of-the-app',
      SESSION_SECRET: 'secret-of-the-app, with 32 characters',
      SQLITE_FILE: ':memory:',
    };
    async function printed(changes: NodeJS.ProcessEnv, port?: number): Promise<string> {
      const instance = new Instance(port ?? (await freePort()));
      const starting = instance.start({ ...environment, ...changes });
      return starting.then(() => 'It has started.', String).finally(() => instance.kill());
    }

    for (const [what, changes, said] of [
      ['with a short session secret', { SESSION_SECRET: 'secret-of-the-app' }, /Error: Set .* SESSION_SECRET with 32/],
      [
        'while its database is down',
        { DATABASE_URL: 'postgres://tests:secret-of-the-app@127.0.0.1:1' },
        /Error: The token database cannot be opened: connect ECONNREFUSED 127\.0\.0\.1:1\n/,
      ],
      [
        'with the address of a database that is none',
        { REDIS_URL: 'redis://:secret-of-the-app@:/' },
        /Error: The token database cannot be opened: Invalid URL\n/,
      ],
    ] as const)
      it(`and prints no secret: ${what}`, async () => {
        expect(await printed(changes))
          .to.match(said)
          .and.not.match(secrets);
      });

    it('when its port is in use', async () => {
      const { port } = app.instances[0];
      expect(await printed({}, port)).to.include(`Error: listen EADDRINUSE: address already in use :::${port}\n`);
    });
  });

  it('has the stores of docs/installations.md as they stand there', () => {
    const stores = readFileSync(join(directory, 'stores.mts'), 'utf8');
    for (const name of ['postgresStore', 'redisStore', 'sqliteStore']) {
      const program = programsOf('docs/installations.md').find((text) => text.includes(`function ${name}(`)) ?? '';
      expect(stores).to.include(program.slice(program.indexOf(`function ${name}(`)));
    }
  });

  it('has fewer than 200 lines of TypeScript and templates, not counting blank ones', () => {
    const files = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((path) =>
      /(mts|eta)$/.test(path),
    );
    const lines = files.flatMap((path) => readFileSync(join(directory, path), 'utf8').split('\n').filter(Boolean));
    expect(lines).to.have.lengthOf.below(200);
  });
});

describe('the Marketplace app without an Installation URL', function () {
  this.timeout(60_000);
  let app: MarketplaceApp;
  before(async () => {
    nock.restore();
    const key = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY';
    app = await MarketplaceApp.start({ installationURL: undefined }, { TOKENS_KEYS: key });
  });
  after(() => app?.close());

  it('starts over with state for a code without it, and keeps tokens that nobody else can read', async () => {
    const browser = await app.install('ada');
    expect(browser.page.html).to.include('Ten city bikes');
    app.sandbox.advance(hour + 1_000);
    for (const _ of [1, 2]) expect((await app.home(browser)).html).to.include('Ten city bikes');
    expect(app.refreshes).to.equal(1);
    expect(readFileSync(app.sqliteFile, 'latin1')).to.include('"sealed"').and.not.include('v1u:');
  });
});
