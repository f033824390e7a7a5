// The playground over HTTP: every outcome, each arrow beside the sandbox's log, the account, whose requests count, and
// `npm run demo`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import { outcomes } from '../../demo/outcomes';
import { Browser } from '../support/browser';
import { type Demo, startDemo } from '../support/demo';

const hour = 3_600_000;

describe('the playground', function () {
  this.timeout(15_000);
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
  const open = async (path: string) => (await browser.open(demo.origin + path)).html;
  /** What the page says in lists of terms, by term. */
  const termsOf = (html: string) =>
    Object.fromEntries([...html.matchAll(/<dt>([^<]*)<\/dt>\s*<dd>([^<]*)/g)].map(([, dt = '', dd = '']) => [dt, dd]));
  const titleOf = (html: string) => /<title>(.*) · Pipedrive OAuth playground<\/title>/.exec(html)?.[1];
  const textOf = (html: string) => html.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
  /** The arrows of the diagram, by their names. */
  const arrowsOf = (html: string) =>
    [...html.matchAll(/<a href="\/flow\?exchange=\d+#exchange" aria-label="\d+\. ([^"]*)"/g)].map(
      ([, name = '']) => name,
    );
  /** Every exchange of the flow, each on its own page. */
  async function exchanges() {
    const count = arrowsOf(await open('/flow')).length;
    const pages = [];
    for (let number = 1; number <= count; number += 1) pages.push(await open(`/flow?exchange=${number}`));
    return pages;
  }

  beforeEach(() => start());
  afterEach(async () => {
    await demo.close();
    // Codes have 40 characters, states 43, refresh tokens 40 and more, access tokens 512: no page of the app has such.
    for (const { url, html } of browser.history)
      if (url.origin === demo.origin) {
        expect(html, url.pathname).not.to.match(/[\w-]{40}/);
        expect(html).not.to.include('the secret of the app');
      }
  });

  async function signIn() {
    await browser.open(demo.origin);
    await browser.press('Start the sign-in');
    await browser.press('Allow and install');
    return browser.press('Exchange the code');
  }

  describe('an outcome', () => {
    const expected: Record<string, string[]> = {
      allow: ['success', '302'],
      cancel: ['failure', '403', 'user_denied'],
      reload: ['failure', '403', 'state_invalid'],
      'used-code': ['failure', '403', 'invalid_grant'],
      'expired-code': ['failure', '403', 'invalid_grant'],
      'forged-state': ['failure', '403', 'state_invalid'],
      marketplace: ['success', '302'],
      down: ['error', '502'],
      slow: ['error', '504'],
      budget: ['error', '503'],
    };
    for (const { id, title } of outcomes)
      it(`by one click: ${title} ends in ${expected[id]?.join(' ')}`, async () => {
        const { url, html } = await post(`/outcomes/${id}`);
        expect(url.pathname + url.hash).to.equal('/flow#result');
        const terms = termsOf(html.split('class="columns sides"')[0] ?? '');
        const [outcome, status, code] = expected[id] ?? [];
        expect([terms['Passport outcome'], terms.Status, terms.Code]).to.deep.equal([outcome, status, code]);
        expect(titleOf(html)).to.equal(`${status} · ${title}`);
        expect(textOf(html)).to.include(`${expected[id]?.join(' · ')} `);
        expect(demo.logged).to.deep.equal([]);
      });

    for (const { id, title } of outcomes)
      it(`has an arrow for each line of the sandbox's log, and no other: ${title}`, async () => {
        const { html } = await post(`/outcomes/${id}`);
        const { requests } = demo.sandbox;
        const own = requests.find(({ form }) => form.client_id === 'with-the-package')?.form.redirect_uri;
        const shortened = (path: string) => path.replace('/api/v1', '…');
        const logged = requests
          .filter(({ path, form }) => form.redirect_uri === own || path === '/api/v1/users/me')
          .map(
            ({ method, path, status }) =>
              `${method} ${shortened(path)} ${status === 303 ? '303 → …/callback' : (status ?? 'no response')}`,
          );
        const isAtPipedrive = (name: string) => /^\w+ (\/oauth|…\/users\/me)/.test(name);
        expect(arrowsOf(html).filter(isAtPipedrive)).to.deep.equal(logged);
      });

    it('that is a sign-in leads on to a page of the app', async () => {
      expect(arrowsOf((await post('/outcomes/allow')).html).at(-1)).to.equal('GET /deals 200');
      expect(arrowsOf((await post('/outcomes/marketplace')).html).at(-1)).to.equal('GET / 200');
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

    it('shows the lines of the app that handle it, as they are in the file that runs', async () => {
      expect(textOf((await post('/outcomes/cancel')).html)).to.include('onFailure');
      expect(textOf((await post('/outcomes/down')).html)).to.include('onError');
      expect(textOf((await post('/outcomes/allow')).html)).to.include('onSuccess');
    });

    it('works with a real app in the form, since it is always played in the sandbox', async () => {
      await start({ clientID: 'real', clientSecret: 'the secret of the app' });
      expect(titleOf((await post('/outcomes/budget')).html)).to.equal('503 · Spent budget');
    });

    it('does not leave its fault behind for the next sign-in', async () => {
      await post('/outcomes/down');
      await post('/outcomes/slow');
      await post('/outcomes/budget');
      expect(textOf((await signIn()).html)).to.include('Ada Example of Example Bikes is signed in.');
    });
  });

  describe('beside it, an app on bare passport-oauth2', () => {
    const besides = async (id: string) => {
      const { html } = await post(`/outcomes/${id}`);
      return textOf(html.split('aria-label="Beside it')[1]?.split('</section>')[0] ?? '');
    };

    it('answers 500 to Cancel, with an error without a message in its log', async () => {
      expect(await besides('cancel'))
        .to.include('Status 500')
        .and.include('The log has AuthorizationError at OAuth2Strategy');
    });

    it('answers 403 to a reload, and says nothing but Forbidden', async () => {
      expect(await besides('reload')).to.match(/Status 403 The user sees Forbidden The log has nothing/);
    });

    it('lets the user wait when Pipedrive is silent', async () => {
      expect(await besides('slow'))
        .to.include('Status none')
        .and.include('No response');
    });

    it('gets the same click: it asks the sandbox as the app with this package does', async () => {
      await besides('cancel');
      const asked = demo.sandbox.requests.map(({ path, form }) => [path, form.client_id]);
      expect(asked.filter(([, id]) => id === 'bare-passport-oauth2')).to.have.length(2);
      expect(asked.filter(([, id]) => id === 'with-the-package')).to.have.length(2);
    });
  });

  describe('the flow', () => {
    it('pauses at the code, and shows then what was sent and received, exchange by exchange', async () => {
      await browser.press('Start the sign-in');
      await browser.press('Allow and install', { user: 'ada:1002' });
      expect(browser.page.url.hash).to.equal('#result');
      expect(titleOf(browser.page.html)).to.equal('Paused · Flow');
      expect(arrowsOf(browser.page.html).join()).not.to.include('/oauth/token');
      await browser.press('Exchange the code');
      const text = textOf(browser.page.html);
      expect(text).to.include('Ada Example of Harbour Sample &amp; Sons is signed in.').and.include('/deals');

      const pages = await exchanges();
      const of = (name: string) =>
        pages.find((html) => new RegExp(`aria-label="\\d+\\. ${name}[^"]*" aria-current`).test(html)) ?? '';
      expect(termsOf(of('GET /oauth/authorize'))).to.include({
        client_id: 'demo ',
        redirect_uri: `${demo.callbackURL} `,
      });
      const { state, code } = termsOf(of('GET …/callback'));
      expect(state).to.match(/^[\w-]{6}… \(43 characters\)/);
      expect(termsOf(of('GET /oauth/authorize')).state).to.equal(state);
      const tokens = of('POST /oauth/token');
      expect(termsOf(tokens)).to.include({ Authorization: 'Basic base64(demo:••••••••)', code });
      expect(textOf(tokens)).to.include('v1u:AQ… (512 characters)');
      expect(textOf(of('GET …/users/me'))).to.include('Harbour Sample');
    });

    it('goes on without a pause when that is not wanted', async () => {
      await post('/start', { target: 'sandbox', client_id: 'demo', redirect_uri: demo.callbackURL });
      await browser.press('Allow and install');
      expect(browser.page.html).to.include('is signed in.');
    });

    it('begins at Pipedrive when the install began in the Marketplace, and asks again with a state', async () => {
      await browser.open(demo.sandbox.origin);
      await browser.press('Install');
      await browser.press('Allow and install');
      expect(browser.page.html).to.include('it has no state');
      expect(arrowsOf(browser.page.html)[0]).to.equal('GET /oauth/authorize 200');
      await browser.press('Ask again');
      await browser.press('Allow and install');
      expect(browser.page.html).to.include('Ada Example of Example Bikes is signed in.');
      const names = arrowsOf(browser.page.html);
      expect(names.filter((name) => name === 'POST /oauth/authorize 303 → …/callback')).to.have.length(2);
      expect(names.some((name) => name.startsWith('GET /auth/pipedrive'))).to.equal(false);
    });

    it('draws no consent that did not happen for a code that somebody made up', async () => {
      await browser.open(demo.sandbox.origin);
      await browser.press('Install');
      await browser.press('Allow and install');
      await browser.open(`${demo.callbackURL}?code=made-up`);
      await post('/flow/continue');
      await browser.open(`${demo.origin}/flow`);
      const names = arrowsOf(browser.page.html);
      expect(names.filter((name) => name.startsWith('POST /oauth/authorize'))).to.have.length(1);
    });

    it('shows a reload of the callback as it was, without the consent that came before', async () => {
      await post('/start', { target: 'sandbox', client_id: 'demo', redirect_uri: demo.callbackURL });
      const callback = await demo.sandbox.approve(browser.page.url);
      await browser.open(callback);
      const { html } = await browser.open(callback);
      expect(html).to.include('state_invalid');
      expect(arrowsOf(html)).to.deep.equal(['GET …/callback?code&amp;state 302 → /flow']);
    });

    it('shows a request without a response where none came', async () => {
      const { html } = await post('/outcomes/slow');
      expect(arrowsOf(html)).to.include('POST /oauth/token no response');
      expect(html).to.include('class="missing"');
    });

    it('waits on its page while the user is still at Pipedrive', async () => {
      expect(await open('/flow')).to.include('Nothing has happened yet');
      await browser.open(demo.origin);
      await browser.press('Start the sign-in');
      expect(await open('/flow?exchange=9')).to.include('Waiting for Pipedrive');
    });

    it('escapes what a link puts into the callback', async () => {
      await browser.open(`${demo.callbackURL}?error=%3Cscript%3E&error_description=%3Cb%3Ebold`);
      expect(await open('/flow?exchange=1'))
        .to.include('&lt;script&gt;')
        .and.not.include('<b>bold');
    });

    it('has each exchange as a curl command', async () => {
      await post('/outcomes/allow');
      const commands = (await exchanges()).map((html) =>
        textOf(html.split('As curl</summary>')[1]?.split('</pre>')[0] ?? ''),
      );
      expect(commands).to.have.length(7);
      for (const command of commands) expect(command).to.match(/^ *curl /);
    });
  });

  describe('the form', () => {
    const choices = () => ({
      ...{ target: 'pipedrive', client_id: 'real', redirect_uri: demo.callbackURL, return_state: '/x' },
    });

    it('previews the very redirect that comes, but for its random state', async () => {
      const form = { target: 'sandbox', client_id: 'demo', redirect_uri: demo.callbackURL };
      await post('/start', form);
      const redirect = (await browser.send(`${demo.origin}/auth/pipedrive`)).headers.get('location') ?? '';
      const html = await open(`/?${new URLSearchParams(form)}`);
      const previewed = /id="authorize-url">([^<]*)</.exec(html)?.[1]?.replaceAll('&amp;', '&');
      expect(previewed).to.equal(redirect.replace(/state=[\w-]{43}/, 'state=RANDOM'));
    });

    it('documents the operation and each field with its wire name', async () => {
      const words = textOf(browser.page.html);
      for (const phrase of [
        'Requesting authorization',
        'client_id string required',
        'redirect_uri string, URL required',
      ])
        expect(words).to.include(phrase);
      expect(words).to.include('state=RANDOM string optional').and.include('return_state string optional');
      expect(words).to.include('A refusal comes to the redirect URI, too').and.include('RFC 6749 §10.12');
    });

    it('keeps the secret of a real app on the server, while it is the same app', async () => {
      const client_secret = 'the secret of the app in the form';
      const redirected = async () => (await browser.send(`${demo.origin}/auth/pipedrive`)).headers.get('location');
      const save = (form: Record<string, string>) =>
        browser.send(`${demo.origin}/start`, { method: 'POST', body: new URLSearchParams({ ...choices(), ...form }) });
      await save({ client_secret });
      expect(await redirected()).to.match(/^https:\/\/oauth\.pipedrive\.com\/oauth\/authorize\?.*client_id=real/);
      expect(await open('/'))
        .to.include('Kept on the server')
        .and.not.include(client_secret);
      await save({});
      expect(await redirected()).to.include('client_id=real');
      await save({ target: 'sandbox', client_id: 'demo' });
      expect(await redirected()).to.include('client_id=demo');
      await save({});
      expect(await redirected()).to.include('client_id=real');
      await save({ client_id: 'another' });
      expect(await redirected()).to.equal('/');
      expect(await open('/')).to.include('Required: Pipedrive gives tokens to nobody else.');
      await post('/reset');
      expect(browser.page.html).to.include('value="demo"').and.not.include('Kept on the server');
    });

    for (const [name, form] of Object.entries({
      'an empty client_id': { client_id: ' ' },
      'a long return_state': { return_state: 'long '.repeat(101).concat('er') },
      'an empty redirect_uri': { redirect_uri: '' },
      'a relative redirect_uri': { redirect_uri: '/callback' },
      "another app's redirect_uri": { redirect_uri: 'https://app.example.com/auth/pipedrive/callback' },
      'a client that the sandbox does not know': { target: 'sandbox', client_id: 'real' },
    }))
      it(`says what is wrong with ${name}, and does not start`, async () => {
        const { url, html } = await post('/start', { ...choices(), client_secret: 'the secret of the app', ...form });
        expect(url.pathname + url.hash).to.equal('/#problems');
        const field = Object.keys(form).at(-1);
        expect(html).to.match(new RegExp(`<input id="${field}"[^>]* aria-invalid="true"`));
        expect(html).to.match(new RegExp(`<li><a href="#${field}">`));
      });

    it('takes a redirect_uri with a query of its own', async () => {
      const form = {
        ...choices(),
        client_secret: 'the secret of the app',
        redirect_uri: `${demo.callbackURL}?tenant=7`,
      };
      const html = await open(`/?${new URLSearchParams(form)}`);
      expect(html).not.to.include('aria-invalid');
    });
  });

  describe('the gateway', () => {
    it('is disabled on both pages, with the reason, until somebody is signed in', async () => {
      for (const path of ['/', '/account']) {
        const html = await open(path);
        expect(html.match(/name="path"[^>]* disabled aria-describedby="gateway-reason"/g)).to.have.length(2);
        expect(html).to.include('Sending is disabled: nobody is signed in');
      }
      await signIn();
      expect(await open('/')).not.to.include('disabled');
    });

    it('makes the calls that are there and no others, and shows them where it was pressed', async () => {
      await signIn();
      const call = async (path: string) => {
        const { url, html } = await post('/gateway', { path, page: 'reference' });
        expect(url.pathname + url.hash).to.equal('/#happened');
        return textOf(html);
      };
      expect(await call('/api/v1/users/me')).to.include('Europe/Helsinki');
      expect(await call('/api/v1/deals?limit=3')).to.include('Ten city bikes');
      expect(await call('/oauth/authorize')).to.include('No such call');
      expect((await post('/gateway', { path: '/api/v1/users/me' })).url.pathname).to.equal('/account');
    });

    it('gets a new token when Pipedrive rejects the one that it has', async () => {
      await signIn();
      await post('/hour');
      const { html } = await post('/gateway', { path: '/api/v1/deals?limit=3' });
      expect(textOf(html)).to.include('rejected the access token').and.include('Ten city bikes');
      expect(html.match(/<code>GET http/g)).to.have.length(2);
      expect(html.match(/<code>POST http/g)).to.have.length(1);
    });
  });

  describe('an install', () => {
    beforeEach(async () => {
      await signIn();
      await open('/account');
    });

    it('gets a new token by Refresh, and is shown how', async () => {
      await browser.press('Refresh');
      expect(titleOf(browser.page.html)).to.equal('Refreshed · Account');
      expect(browser.page.html).to.include('<dd>refresh_token');
    });

    it('outlives Sign out', async () => {
      await browser.press('Sign out');
      expect(browser.page.html).to.include('Nobody is signed in');
      expect((await browser.open(demo.sandbox.origin)).html).to.include('Ada Example at Example Bikes');
    });

    it('ends by Revoke', async () => {
      await browser.press('Revoke');
      expect(browser.page.html).to.include('no longer installed').and.include('token_type_hint');
      expect((await browser.open(demo.sandbox.origin)).html).to.include('Nobody has installed an app yet');
    });

    it("ends by Uninstall on Pipedrive's side, which the app's server is told, and no page says otherwise", async () => {
      await browser.press('Uninstall');
      await browser.press('Uninstall');
      const html = await open('/account');
      expect(textOf(html))
        .to.include('no longer installed')
        .and.match(/company_id&quot;\s*:\s*1001/);
      for (const path of ['/', '/flow', '/account']) expect(await open(path)).not.to.include('is signed in.');
      expect(await open('/flow')).to.include('The app has been uninstalled since.');
      expect((await browser.send(demo.callbackURL, { method: 'DELETE' })).status).to.equal(401);
    });

    it('that an outcome made ends in the same way', async () => {
      await post('/outcomes/allow');
      expect(await demo.sandbox.uninstall('with-the-package', 'ada')).to.equal(204);
      expect(await open('/flow')).not.to.include('is signed in.');
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
      for (const endpoint of ['token', 'revoke'] as const) demo.sandbox.fail(endpoint, 'reset');
      expect((await browser.press('Refresh')).html)
        .to.include('could not be reached')
        .and.include('Hello, Ada');
      expect((await browser.press('Revoke')).html)
        .to.include('could not be reached')
        .and.include('Hello, Ada');
      demo.sandbox.fail('token', null);
      demo.sandbox.advance(61 * 24 * hour);
      expect((await browser.press('Refresh')).html)
        .to.include('no longer installed')
        .and.include('invalid_grant');
    });

    it('has a panel, in which only the signed token says who is looking', async () => {
      const { html, url } = await browser.open(`${demo.origin}/panel/frame`);
      expect(url.origin).to.equal(demo.sandbox.origin);
      const framed = /data-src="([^"]*)"/.exec(html)?.[1]?.replaceAll('&amp;', '&') ?? '';
      const panel = await browser.open(framed);
      expect(textOf(panel.html)).to.include('1001:777').and.include('Ada Example').and.include('deal 1');
      const policy = panel.headers.get('content-security-policy');
      expect(policy).to.include(`frame-ancestors ${demo.sandbox.origin}`);
      const forged = await browser.open(`${demo.origin}/panel?userId=777&companyId=1001`);
      expect([forged.status, textOf(forged.html).includes('Ada Example')]).to.deep.equal([401, false]);
    });

    it("is not touched by another site's form", async () => {
      const status = async (headers: Record<string, string>) =>
        (await browser.send(`${demo.origin}/revoke`, { method: 'POST', headers })).status;
      expect(await status({ 'Sec-Fetch-Site': 'cross-site' })).to.equal(403);
      expect(await status({ 'Sec-Fetch-Site': 'same-site' })).to.equal(403);
      expect(await status({ Origin: demo.sandbox.origin })).to.equal(403);
      expect(await open('/account')).to.include('Hello, Ada Example');
    });
  });

  it('cannot be framed or cached, runs only its own script, and keeps its cookies from others', async () => {
    const { headers, html } = browser.page;
    const policy = headers.get('content-security-policy');
    expect(policy).to.include("default-src 'none'").and.include("frame-ancestors 'none'").and.not.include('unsafe');
    expect(html.match(/<script\b[^>]*>/g)).to.deep.equal(['<script type="module" src="/playground.js">']);
    expect(html).not.to.match(/\son\w+=|\sstyle=|<style/);
    expect(headers.get('cache-control')).to.equal('no-store');
    expect(headers.get('x-powered-by')).to.equal(null);
    expect(headers.get('x-content-type-options')).to.equal('nosniff');
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
    const page = await browser.open(`${demo.origin.replace('localhost', '127.0.0.1')}/flow?exchange=1`);
    expect(page.url.href).to.equal(`${demo.origin}/flow?exchange=1`);
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

  it('uses the real app that the environment names, whatever the browser has saved', () =>
    opened({ PIPEDRIVE_CLIENT_ID: 'real-id', PIPEDRIVE_CLIENT_SECRET: 'real-secret' }, async ({ page }) => {
      expect(page.html).to.include('value="real-id"').and.include('https://oauth.pipedrive.com/oauth/authorize');
      expect(page.html).to.include('Kept on the server').and.not.include('real-secret');
      expect(page.html).to.include('data-environment').and.include('the environment takes precedence');
    })).timeout(20_000);

  it('says in one line what to do about a busy port, a bad port and half a pair of credentials', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    expect(await advice({ PORT: String(port) })).to.include(`Port ${port} is in use`);
    server.close();
    expect(await advice({ PORT: 'http' })).to.include('PORT must be a number');
    expect(await advice({ PIPEDRIVE_CLIENT_ID: 'id' })).to.include('PIPEDRIVE_CLIENT_SECRET');
    const credentials = { PIPEDRIVE_CLIENT_ID: 'id', PIPEDRIVE_CLIENT_SECRET: 's3cret' };
    const callback = '/auth/pipedrive/callback';
    expect(await advice({ ...credentials, PIPEDRIVE_CALLBACK_URL: callback })).to.include('must be absolute');
  }).timeout(20_000);
});
