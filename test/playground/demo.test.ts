// The demo with its sandbox, over HTTP: every outcome, what no page may show, whose requests count, and `npm run demo`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { outcomes } from '../../demo/outcomes';
import type { Preview } from '../../demo/preview';
import type { Problems } from '../../demo/settings';
import { Browser } from '../support/browser';
import { callbackPath, type Demo, listen, startDemo } from '../support/demo';
import { Project } from '../support/project';

describe('demo', function () {
  this.timeout(10_000);
  let demo: Demo;
  let browser: Browser;

  const start = async (credentials?: { clientID: string; clientSecret: string }) => {
    await demo?.close();
    demo = await startDemo(credentials);
    browser = new Browser();
    await browser.open(demo.origin);
  };
  const post = (path: string, form: Record<string, string> = {}) =>
    browser.open(demo.origin + path, {
      method: 'POST',
      body: new URLSearchParams(form),
      headers: { 'Sec-Fetch-Site': 'same-origin' },
    });
  /** What the page says in a list of terms, by term. */
  const termsOf = (html: string) =>
    Object.fromEntries([...html.matchAll(/<dt>([^<]*)<\/dt>\s*<dd>([^<]*)/g)].map(([, dt = '', dd = '']) => [dt, dd]));

  beforeEach(() => start());
  afterEach(async () => {
    await demo.close();
    // Codes have 40 characters, states 43, refresh tokens 64, access tokens 512: nothing like that is on a page of the app.
    for (const { url, html } of browser.history) if (url.origin === demo.origin) expect(html).not.to.match(/[\w-]{40}/);
    for (const { html } of browser.history) expect(html).not.to.include('the secret of the app');
  });

  async function signIn(choices?: Record<string, string>) {
    await browser.open(demo.origin);
    await browser.press('Start the sign-in');
    await browser.press('Allow and install', choices);
    return browser.press('Exchange the code');
  }

  describe('an outcome', () => {
    const expected: Record<string, [string, string?, string?]> = {
      allow: ['success'],
      cancel: ['failure', '403', 'user_denied'],
      reload: ['failure', '403', 'state_invalid'],
      'used-code': ['failure', '403', 'invalid_grant'],
      'expired-code': ['failure', '403', 'invalid_grant'],
      'forged-state': ['failure', '403', 'state_invalid'],
      marketplace: ['success'],
      down: ['error', '502'],
      slow: ['error', '504'],
    };
    for (const { id, title } of outcomes)
      it(`by one click: ${title} ends in ${expected[id]?.filter(Boolean).join(' ')}`, async () => {
        const { url, html } = await post(`/outcomes/${id}`);
        expect(url.href).to.equal(`${demo.origin}/flow`);
        const terms = termsOf(html);
        expect([terms['Passport outcome'], terms.Status, terms.Code]).to.deep.equal(
          [0, 1, 2].map((index) => expected[id]?.[index]),
        );
        expect(demo.logged).to.deep.equal([]);
      });

    it("is told in Pipedrive's words where it has some", async () => {
      expect((await post('/outcomes/used-code')).html).to.include('authorization_code is invalid');
      expect((await post('/outcomes/expired-code')).html).to.include('authorization_code has expired');
      expect((await post('/outcomes/down')).html).to.include('token endpoint answered 503');
    });

    it('stays noted on the page while others are tried', async () => {
      await post('/outcomes/cancel');
      expect((await post('/outcomes/allow')).html).to.include('failure · 403 · user_denied');
    });

    it('that needs the sandbox says so with a real app, and the others still work', async () => {
      await start({ clientID: 'real', clientSecret: 'the secret of the app' });
      const { url, html } = await post('/outcomes/slow');
      expect(url.pathname).to.equal('/flow');
      expect(html.match(/Needs the sandbox/g)).to.have.length(5);
      expect((await post('/outcomes/forged-state')).html).to.include('state_invalid');
    });
  });

  describe('the flow', () => {
    const step = async (number: number) => (await browser.open(`${demo.origin}/flow?step=${number}`)).html;

    it('pauses at the code, and shows then what was sent and received, step by step', async () => {
      await browser.press('Start the sign-in');
      await browser.press('Allow and install', { user: 'ada:1002' });
      expect(browser.page.html).to.include('Paused').and.not.include('Tokens</a>');
      await browser.press('Exchange the code');
      expect(browser.page.html)
        .to.include('Ada Example of Harbour Sample &amp; Sons is signed in.')
        .and.include('/deals');

      expect(termsOf(await step(1))).to.include({ client_id: 'demo ', redirect_uri: `${demo.callbackURL} ` });
      const { state, code } = termsOf(await step(3));
      expect(state).to.match(/^[\w-]{6}… \(43 characters\)/);
      expect(termsOf(await step(1)).state).to.equal(state);
      const tokens = await step(4);
      expect(termsOf(tokens)).to.include({ Authorization: 'Basic base64(demo:••••••••)', code });
      expect(tokens).to.match(/&quot;access_token&quot;: &quot;v1u:AQ… \(512 characters\)&quot;/);
      expect(await step(5))
        .to.include('GET')
        .and.include('/api/v1/users/me')
        .and.include('Harbour Sample');
      expect(await step(6)).to.include('1002:777');
    });

    it('goes on without a pause when that is not wanted', async () => {
      await post('/start', { target: 'sandbox', clientID: 'demo', callbackURL: demo.callbackURL });
      await browser.press('Allow and install');
      expect(browser.page.html).to.include('is signed in.');
    });

    it('shows what a Marketplace install brings, and how it starts again', async () => {
      await post('/outcomes/marketplace');
      expect(await step(1))
        .to.include('A code without state')
        .and.not.include('<dt>state</dt>');
      expect(await step(2)).to.include('<dt>state</dt>');
    });

    it('asks again, with a state, when the install began on the page of the Marketplace', async () => {
      await browser.open(demo.sandbox.origin);
      await browser.press('Install');
      await browser.press('Allow and install');
      expect(browser.page.html).to.include('it has no state').and.include('A code without state');
      await browser.press('Ask again');
      await browser.press('Allow and install');
      expect(browser.page.html).to.include('Ada Example of Example Bikes is signed in.');
    });

    it('shows both callbacks of a reload', async () => {
      await post('/outcomes/reload');
      expect(await step(6))
        .to.include('Ada Example of Example Bikes is signed in.')
        .and.include('Passport&#39;s success');
      expect(termsOf(await step(7)).code).to.equal(termsOf(await step(3)).code);
    });

    it('shows that nothing came, when Pipedrive is slow', async () => {
      await post('/outcomes/slow');
      expect(await step(4))
        .to.include('no answer')
        .and.include('No answer within 1000 ms');
    });

    it('waits on its page while the user is still at Pipedrive, and for steps that are not there shows the last', async () => {
      expect(await step(3)).to.include('Nothing has happened yet');
      await browser.open(demo.origin);
      await browser.press('Start the sign-in');
      expect(await step(9)).to.include('Waiting for Pipedrive');
    });

    it('escapes what a link puts into the callback', async () => {
      await browser.open(`${demo.callbackURL}?error=%3Cscript%3E&error_description=%3Cb%3Ebold`);
      expect(await step(1))
        .to.include('&lt;script&gt;')
        .and.not.include('<b>bold');
    });
  });

  describe('the form', () => {
    const choices = () => ({ target: 'pipedrive', clientID: 'real', callbackURL: demo.callbackURL, state: '/x' });
    const preview = async (form: Record<string, string>): Promise<Preview & { problems: Problems }> => {
      const answer = await browser.send(`${demo.origin}/preview?${new URLSearchParams(form)}`);
      return JSON.parse(await answer.text());
    };

    it('previews the very redirect that comes, but for its random state', async () => {
      const form = { target: 'sandbox', clientID: 'demo', callbackURL: demo.callbackURL };
      await post('/start', form);
      const redirect = (await browser.send(`${demo.origin}/auth/pipedrive`)).headers.get('location') ?? '';
      expect((await preview(form)).authorizeURL).to.equal(redirect.replace(/state=[\w-]{43}/, 'state=RANDOM'));
    });

    it('gives code that compiles as it is, whatever is typed', async () => {
      const project = await Project.create(['express', 'passport', '@types/express', '@types/passport', '@types/node']);
      try {
        const odd = { clientID: `it's "odd" \\ \${x}`, callbackURL: `http://localhost/it's`, state: "'" };
        await project.write('real.ts', (await preview({ ...choices(), ...odd })).snippet);
        await project.write('sandbox.ts', (await preview({ ...choices(), target: 'sandbox' })).snippet);
        await project.compile();
      } finally {
        await project.remove();
      }
    }).timeout(60_000);

    it('keeps the secret of a real app on the server, while it is the same app', async () => {
      const secret = 'the secret of the app in the form';
      const redirected = async () => (await browser.send(`${demo.origin}/auth/pipedrive`)).headers.get('location');
      const save = (form: Record<string, string>) =>
        browser.send(`${demo.origin}/start`, { method: 'POST', body: new URLSearchParams({ ...choices(), ...form }) });
      await save({ clientSecret: secret });
      expect(await redirected()).to.match(/^https:\/\/oauth\.pipedrive\.com\/oauth\/authorize\?.*client_id=real/);
      expect((await browser.open(demo.origin)).html)
        .to.include('Kept on the server')
        .and.not.include(secret);
      await save({});
      expect(await redirected()).to.include('client_id=real');
      await save({ target: 'sandbox', clientID: 'demo' });
      expect(await redirected()).to.include('client_id=demo');
      await save({});
      expect(await redirected()).to.include('client_id=real');
      await save({ clientID: 'another' });
      expect(await redirected()).to.equal('/');
      expect((await browser.open(demo.origin)).html).to.include('Needed: Pipedrive gives tokens to nobody else.');
      await post('/reset');
      expect(browser.page.html).to.include('value="demo"').and.not.include('Kept on the server');
    });

    it('says what is wrong with a field, and does not start', async () => {
      const problems = async (form: Record<string, string>) => (await preview({ ...choices(), ...form })).problems;
      expect(await problems({})).to.deep.equal({});
      expect(await problems({ clientID: ' ' })).to.have.keys('clientID');
      expect(await problems({ state: 'x'.repeat(501) })).to.have.keys('state');
      for (const callbackURL of [
        '',
        '/callback',
        'https://app.example.com/auth/pipedrive/callback',
        `${demo.callbackURL}#`,
      ])
        expect(await problems({ callbackURL })).to.have.keys('callbackURL');
      expect(await problems({ callbackURL: `${demo.callbackURL}?tenant=7` })).to.deep.equal({});
      const { url, html } = await post('/start', { target: 'sandbox', clientID: 'demo', callbackURL: '/callback' });
      expect(url.pathname).to.equal('/');
      expect(html).to.include('Nobody would come back here').and.include('aria-invalid');
      expect((await post('/outcomes/allow')).url.pathname).to.equal('/');
    });
  });

  describe('an install', () => {
    beforeEach(async () => {
      await signIn();
      await browser.open(`${demo.origin}/account`);
    });

    it('opens the API by the gateway, for the calls that are there and no others', async () => {
      expect((await post('/gateway', { path: '/api/v1/users/me' })).html).to.include('Europe/Helsinki&quot;');
      expect((await post('/gateway', { path: '/api/v1/deals?limit=3' })).html).to.include('Ten city bikes');
      expect((await post('/gateway', { path: '/oauth/authorize' })).html).to.include('Ten city bikes');
    });

    it('gets a new token by Refresh, and is shown how', async () => {
      await browser.press('Refresh');
      expect(browser.page.html).to.include('Refreshed').and.include('<dd>refresh_token');
    });

    it('outlives Sign out', async () => {
      await browser.press('Sign out');
      expect(browser.page.html).to.include('Nobody is signed in');
      expect((await browser.open(demo.sandbox.origin)).html).to.include('Ada Example at Example Bikes');
    });

    it('ends by Revoke', async () => {
      await browser.press('Revoke');
      expect(browser.page.html).to.include('not installed any more').and.include('token_type_hint');
      expect((await browser.open(demo.sandbox.origin)).html).to.include('Nobody has installed an app yet');
    });

    it("ends by Uninstall on Pipedrive's side, and the app's server hears of it", async () => {
      await browser.press('Uninstall');
      await browser.press('Uninstall');
      await browser.open(`${demo.origin}/account`);
      expect(browser.page.html).to.include('not installed any more').and.include('company_id&quot;: 1001');
      const stranger = await browser.send(demo.callbackURL, { method: 'DELETE' });
      expect(stranger.status).to.equal(401);
    });

    it('of a real app ends in the same way', async () => {
      await start({ clientID: 'real', clientSecret: 'the secret of the app' });
      const notice = { client_id: 'real', company_id: 1, user_id: 2, timestamp: '2026-01-01T00:00:00Z' };
      const uninstall = async (clientSecret: string) => {
        const credentials = Buffer.from(`real:${clientSecret}`).toString('base64');
        const headers = { Authorization: `Basic ${credentials}`, 'Content-Type': 'application/json' };
        return (await fetch(demo.callbackURL, { method: 'DELETE', headers, body: JSON.stringify(notice) })).status;
      };
      expect(await uninstall('the secret of the app')).to.equal(204);
      expect(await uninstall('a guess')).to.equal(401);
    });

    it('survives an outage of Pipedrive, and ends when Pipedrive has forgotten it', async () => {
      await demo.sandbox.close();
      expect((await browser.press('Refresh')).html)
        .to.include('could not be reached')
        .and.include('Hello, Ada');
      expect((await browser.press('Revoke')).html)
        .to.include('could not be reached')
        .and.include('Hello, Ada');
      expect((await post('/gateway', { path: '/api/v1/deals?limit=3' })).html).to.include('no answer');
      await demo.restartSandbox();
      expect((await post('/gateway', { path: '/api/v1/deals?limit=3' })).html).to.include('access_token is invalid');
      expect((await browser.press('Refresh')).html)
        .to.include('not installed any more')
        .and.include('invalid_grant');
    });

    it("is not touched by another site's form", async () => {
      const status = async (headers: Record<string, string>) =>
        (await browser.send(`${demo.origin}/revoke`, { method: 'POST', headers })).status;
      expect(await status({ 'Sec-Fetch-Site': 'cross-site' })).to.equal(403);
      expect(await status({ 'Sec-Fetch-Site': 'same-site' })).to.equal(403);
      expect(await status({ Origin: demo.sandbox.origin })).to.equal(403);
      expect((await browser.open(`${demo.origin}/account`)).html).to.include('Hello, Ada Example');
    });
  });

  it('cannot be framed or cached, runs no script but its own file, and keeps its cookies from scripts and other sites', async () => {
    const { headers, html } = browser.page;
    const policy = headers.get('content-security-policy');
    expect(policy).to.include("default-src 'none'").and.include("frame-ancestors 'none'").and.not.include('unsafe');
    expect(html.match(/<script\b[^>]*>/g)).to.deep.equal(['<script type="module" src="/playground.js">']);
    expect(html).not.to.match(/\son\w+=|\sstyle=|<style/);
    expect(headers.get('cache-control')).to.equal('no-store');
    expect(headers.get('x-powered-by')).to.equal(null);
    const cookies = [
      ...(await new Browser().send(demo.origin)).headers.getSetCookie(),
      ...(await browser.send(`${demo.origin}/auth/pipedrive`)).headers.getSetCookie(),
    ];
    expect(cookies).to.have.length(2);
    for (const cookie of cookies)
      expect(cookie)
        .to.match(/; HttpOnly/i)
        .and.match(/; SameSite=Lax/i);
  });

  it('leads other names of this machine to its own, and answers nobody who comes by a foreign one', async () => {
    const page = await browser.open(`${demo.origin.replace('localhost', '127.0.0.1')}/flow?step=1`);
    expect(page.url.href).to.equal(`${demo.origin}/flow?step=1`);
    const { port } = new URL(demo.origin);
    const request = `GET / HTTP/1.1\r\nHost: evil.example:${port}\r\nConnection: close\r\n\r\n`;
    const socket = connect(Number(port), '127.0.0.1').end(request);
    expect(await text(socket)).to.match(/^HTTP\/1\.1 421 /);
  });

  it('has a page for what is not there', async () => {
    const { status, html } = await browser.open(`${demo.origin}/nowhere`);
    expect(status).to.equal(404);
    expect(html).to.include('Back to the start');
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

  async function opened(env: NodeJS.ProcessEnv, use: (browser: Browser) => Promise<void>) {
    const demo = run({ PORT: '0', ...env });
    try {
      const [first] = await once(demo.stdout, 'data');
      const browser = new Browser();
      await browser.open(/Open (http:\/\/localhost:\d+)\n/.exec(String(first))?.[1] ?? '');
      await use(browser);
    } finally {
      demo.kill();
    }
  }

  it('prints the address of an app that works', () =>
    opened({}, async (browser) => {
      await browser.press('Start the sign-in');
      await browser.press('Allow and install');
      await browser.press('Exchange the code');
      expect(browser.page.html).to.include('Ada Example of Example Bikes is signed in.');
    })).timeout(20_000);

  it('uses the real app that the environment names', () =>
    opened({ PIPEDRIVE_CLIENT_ID: 'real-id', PIPEDRIVE_CLIENT_SECRET: 'real-secret' }, async ({ page }) => {
      expect(page.html).to.include('value="real-id"').and.include('https://oauth.pipedrive.com/oauth/authorize');
      expect(page.html).to.include('Kept on the server').and.not.include('real-secret');
    })).timeout(20_000);

  it('says in one line what to do about a busy port, a bad port and half a pair of credentials', async () => {
    const { server, port } = await listen();
    expect(await advice({ PORT: String(port) })).to.include(`Port ${port} is in use`);
    server.close();
    expect(await advice({ PORT: 'http' })).to.include('PORT must be a number');
    expect(await advice({ PIPEDRIVE_CLIENT_ID: 'id' })).to.include('PIPEDRIVE_CLIENT_SECRET');
    const credentials = { PIPEDRIVE_CLIENT_ID: 'id', PIPEDRIVE_CLIENT_SECRET: 's3cret' };
    expect(await advice({ ...credentials, PIPEDRIVE_CALLBACK_URL: callbackPath })).to.include('must be absolute');
  }).timeout(20_000);
});
