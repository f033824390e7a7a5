// The demo with its sandbox, as a user meets them: every button, every way to fail, and what `npm run demo` says.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { createApp } from '../demo/app';
import { type Sandbox, startSandbox } from '../sandbox';
import { Browser } from './support/browser';

const client = { clientId: 'demo', clientSecret: 's3cret', name: 'Demo app' };
const callbackPath = '/auth/pipedrive/callback';

async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

describe('demo', () => {
  let server: Server;
  let origin: string;
  let sandbox: Sandbox;
  let browser: Browser;
  let logged: unknown[];

  const startPipedrive = (port = 0) =>
    startSandbox({ port, clients: [{ ...client, redirectUri: origin + callbackPath }] });

  beforeEach(async () => {
    const listening = await listen();
    server = listening.server;
    origin = `http://localhost:${listening.port}`;
    sandbox = await startPipedrive();
    logged = [];
    const app = createApp({
      clientID: client.clientId,
      clientSecret: client.clientSecret,
      callbackURL: origin + callbackPath,
      sandbox: sandbox.origin,
      log: (error) => logged.push(error),
    });
    server.on('request', app);
    browser = new Browser();
    await browser.open(origin);
  });

  afterEach(async () => {
    // Access tokens have 512 characters, refresh tokens 64: nothing of that length may be on a page of the app.
    for (const { url, html } of browser.history) if (url.origin === origin) expect(html).not.to.match(/[\w-]{60}/);
    server.closeAllConnections();
    await Promise.all([new Promise((closed) => server.close(closed)), sandbox.close()]);
  });

  async function signIn(choices?: Record<string, string>) {
    await browser.press('Sign in with Pipedrive');
    return browser.press('Allow and install', choices);
  }
  function expectFailure(status: number, code: string) {
    expect(browser.page.status).to.equal(status);
    expect(browser.page.html).to.include(`<code>${code}</code>`);
  }
  const expectHome = (...words: string[]) => {
    expect(browser.page.url.href).to.equal(`${origin}/`);
    for (const word of words) expect(browser.page.html).to.include(word);
  };

  describe('sign-in', () => {
    it('ends on a page that says who is signed in, for which company and for how long', async () => {
      await signIn();
      expectHome('Hello, Ada Example', 'Example Bikes', 'Europe/Helsinki', '1001:777', 'in 60 minutes');
    });

    it('tells apart two companies of one person', async () => {
      await signIn({ user: 'adaAtHarbour' });
      expectHome('Hello, Ada Example', 'Harbour Sample &amp; Sons', '1002:777');
    });

    it('says 403 user_denied after Cancel, and can be tried again', async () => {
      await browser.press('Sign in with Pipedrive');
      await browser.press('Cancel');
      expectFailure(403, 'user_denied');
      await browser.press('Try again');
      await browser.press('Allow and install');
      expectHome('Hello, Ada Example');
    });

    it('says 403 state_invalid when the callback is loaded again, and the user stays signed in', async () => {
      const callback = await callbackOf(await consentFor());
      await browser.open(callback);
      expectHome('Hello, Ada Example');
      await browser.open(callback);
      expectFailure(403, 'state_invalid');
      await browser.press('Back');
      expectHome('Hello, Ada Example');
    });

    it('says 403 invalid_grant in the words of Pipedrive when a code was used before', async () => {
      const used = await callbackOf(await consentFor());
      await browser.open(used);
      const fresh = await consentFor();
      used.searchParams.set('state', fresh.searchParams.get('state') ?? '');
      await browser.open(used);
      expectFailure(403, 'invalid_grant');
      expect(browser.page.html).to.include('Invalid grant: authorization_code is invalid');
    });

    it('says 403 state_invalid for a forged state, and shows nothing of what was forged', async () => {
      await browser.open(`${origin}${callbackPath}?code=forged-code&state=%3Cb%3Eforged`);
      expectFailure(403, 'state_invalid');
      expect(browser.page.html).not.to.include('forged');
    });

    it('asks again, with a state, when the install began in the Marketplace', async () => {
      await browser.open(sandbox.origin);
      await browser.press('Install');
      expect(browser.page.html).to.include('no <code>state</code>');
      await browser.press('Allow and install');
      expect(browser.page.html).to.include('Allow and install').and.not.include('no <code>state</code>');
      await browser.press('Allow and install');
      expectHome('Hello, Ada Example');
    });

    it('sends a user who comes by another name of this machine to the one that the callback has', async () => {
      const page = await browser.open(`${origin.replace('localhost', '127.0.0.1')}/?tab=1`);
      expect(page.url.href).to.equal(`${origin}/?tab=1`);
    });

    /** The address of the consent page, for a new flow of this browser. */
    async function consentFor(): Promise<URL> {
      return (await browser.open(`${origin}/auth/pipedrive`)).url;
    }
    /** The callback that Allow on this consent page leads to, not yet opened. */
    async function callbackOf(consent: URL): Promise<URL> {
      const body = new URLSearchParams([...consent.searchParams, ['user', 'ada'], ['decision', 'allow']]);
      const answer = await browser.send(`${sandbox.origin}/oauth/authorize`, { method: 'POST', body });
      return new URL(answer.headers.get('location') ?? '');
    }
  });

  describe('an install', () => {
    beforeEach(() => signIn());

    it('gets a new token by Refresh', async () => {
      await browser.press('Refresh the token');
      expectHome('The token was refreshed', 'Hello, Ada Example');
      await browser.open(origin);
      expect(browser.page.html).not.to.include('The token was refreshed');
    });

    it('outlives Sign out', async () => {
      await browser.press('Sign out');
      expectHome('The app stays installed', 'Sign in with Pipedrive');
      expect((await browser.open(sandbox.origin)).html).to.include('Ada Example at Example Bikes');
    });

    it('ends by Revoke', async () => {
      await browser.press('Revoke');
      expectHome('the app is uninstalled', 'Sign in with Pipedrive');
      expect((await browser.open(sandbox.origin)).html).to.include('Nobody has installed an app yet');
    });

    it("ends by Uninstall on Pipedrive's side, and the app's server hears of it", async () => {
      await browser.open(sandbox.origin);
      await browser.press('Uninstall');
      expect(browser.page.html).to.include('Nobody has installed an app yet');
      await browser.open(origin);
      expectHome('no longer installed', 'Sign in with Pipedrive');
    });

    it('survives an outage of Pipedrive, which is a page with status 502 and no detail', async () => {
      await sandbox.close();
      await browser.press('Refresh the token');
      expect(browser.page.status).to.equal(502);
      expect(browser.page.html).to.include('Pipedrive could not be reached').and.not.include('ECONN');
      expect(logged).to.have.length(1);
      // The one that comes up again has forgotten every install.
      sandbox = await startPipedrive(Number(new URL(sandbox.origin).port));
      await browser.press('Back');
      await browser.press('Refresh the token');
      expectHome('no longer installed', 'Sign in with Pipedrive');
    });

    it("is not touched by another site's form", async () => {
      const status = async (headers: Record<string, string>) =>
        (await browser.send(`${origin}/revoke`, { method: 'POST', headers })).status;
      expect(await status({ 'Sec-Fetch-Site': 'cross-site' })).to.equal(403);
      expect(await status({ Origin: sandbox.origin })).to.equal(403);
      await browser.open(origin);
      expectHome('Hello, Ada Example');
    });
  });

  it('cannot be scripted, framed or cached, and keeps its cookies from scripts and other sites', async () => {
    const { headers } = browser.page;
    expect(headers.get('content-security-policy'))
      .to.include("default-src 'none'")
      .and.include("frame-ancestors 'none'");
    expect(headers.get('cache-control')).to.equal('no-store');
    expect(headers.get('x-powered-by')).to.equal(null);
    const cookies = (await browser.send(`${origin}/auth/pipedrive`)).headers.getSetCookie();
    expect(cookies).not.to.have.length(0);
    for (const cookie of cookies)
      expect(cookie)
        .to.match(/; HttpOnly/i)
        .and.match(/; SameSite=Lax/i);
  });
});

describe('npm run demo', () => {
  const run = (env: NodeJS.ProcessEnv) =>
    spawn(process.execPath, ['--import', 'tsx', 'demo/main.ts'], { env: { PATH: process.env.PATH, ...env } });

  async function advice(env: NodeJS.ProcessEnv) {
    const demo = run(env);
    const [output, [code]] = await Promise.all([text(demo.stderr), once(demo, 'exit')]);
    expect(code).to.equal(1);
    expect(output.trim().split('\n')).to.have.length(1);
    return output;
  }

  it('prints the address of an app that works', async () => {
    const demo = run({ PORT: '0' });
    try {
      const [first] = await once(demo.stdout, 'data');
      const address = /Open (http:\/\/localhost:\d+)\n/.exec(String(first))?.[1] ?? '';
      const browser = new Browser();
      await browser.open(address);
      await browser.press('Sign in with Pipedrive');
      await browser.press('Allow and install');
      expect(browser.page.html).to.include('Hello, Ada Example');
    } finally {
      demo.kill();
    }
  }).timeout(20_000);

  it('says in one line what to do about a busy port, a bad port and half a pair of credentials', async () => {
    const { server, port } = await listen();
    expect(await advice({ PORT: String(port) })).to.include(`Port ${port} is in use`);
    server.close();
    expect(await advice({ PORT: 'http' })).to.include('PORT must be a number');
    expect(await advice({ PIPEDRIVE_CLIENT_ID: 'id' })).to.include('PIPEDRIVE_CLIENT_SECRET');
    const credentials = { PIPEDRIVE_CLIENT_ID: 'id', PIPEDRIVE_CLIENT_SECRET: 's3cret' };
    expect(await advice({ ...credentials, PIPEDRIVE_CALLBACK_URL: '/callback' })).to.include('must be absolute');
  }).timeout(20_000);
});
