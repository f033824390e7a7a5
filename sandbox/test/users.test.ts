// What a test does in the place of the user and of Pipedrive: allow, cancel, install, uninstall, share, and let time pass.
import { expect } from 'chai';
import { type Sandbox, type SandboxOptions, startSandbox, type Users, users } from 'pipedrive-sandbox';
import { Browser } from '../../test/support/browser';
import { basic, Driver, tokensOf } from './driver';
import { type Listener, startListener } from './listener';

const app = { clientId: 'app', clientSecret: 's3cret', callbackURL: 'http://127.0.0.1:9/callback' };

/** What a promise is rejected with. */
const rejected = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => expect.fail('It was not rejected'),
    (error) => error,
  );

describe('a test with the sandbox', () => {
  let sandbox: Sandbox;
  let driver: Driver;
  let listener: Listener;
  beforeEach(async () => {
    listener = await startListener();
    const told = {
      ...app,
      clientId: 'told',
      callbackURL: listener.callbackURL,
      installationURL: 'http://127.0.0.1:9/start',
    };
    sandbox = await startSandbox({ apps: [app, told] });
    driver = new Driver(sandbox.origin, app);
  });
  afterEach(() => Promise.all([sandbox.close(), listener.close()]));

  const authorizeURL = (more: Record<string, string> = {}) =>
    `${sandbox.origin}/oauth/authorize?${new URLSearchParams({ client_id: 'app', redirect_uri: app.callbackURL, ...more })}`;

  /** The user id and the company id that the code of a callback URL leads to. */
  async function signedIn(callbackURL: string) {
    const tokens = await tokensOf(await driver.exchange(new URL(callbackURL).searchParams.get('code') ?? ''));
    const { data } = await (await driver.api('/users/me', tokens.access_token)).json();
    return [data.id, data.company_id];
  }

  it('approves an authorize URL, and gets the callback URL with the code and the state', async () => {
    const callback = new URL(await sandbox.approve(authorizeURL({ state: 'a b&c' })));
    expect(callback.origin + callback.pathname).to.equal(app.callbackURL);
    expect([...callback.searchParams.keys()]).to.deep.equal(['code', 'state']);
    expect(callback.searchParams.get('state')).to.equal('a b&c');
  });

  it('cancels, and gets the callback URL with user_denied', async () => {
    expect(await sandbox.cancel(authorizeURL({ state: 's' }))).to.equal(`${app.callbackURL}?error=user_denied&state=s`);
  });

  it('approves as a user by name, in the first company or in another', async () => {
    const as = async (who?: Parameters<Sandbox['approve']>[1]) => signedIn(await sandbox.approve(authorizeURL(), who));
    expect(await as()).to.deep.equal([777, 1001]);
    expect(await as({ as: 'ada' })).to.deep.equal([777, 1001]);
    expect(await as({ as: { user: 'ada', companyId: 1002 } })).to.deep.equal([777, 1002]);
    expect(await as({ as: 'cleo' })).to.deep.equal([912, 1002]);
  });

  it('is told which users there are when it names another', async () => {
    expect((await rejected(sandbox.approve(authorizeURL(), { as: 'eve' }))).message).to.include('ada, ben, cleo');
    const elsewhere = { as: { user: 'ben', companyId: 1002 } };
    expect((await rejected(sandbox.cancel(authorizeURL(), elsewhere))).message).to.include('not in the company 1002');
  });

  for (const decision of ['approve', 'cancel'] as const)
    it(`cannot ${decision} what authorize refuses, and is told why`, async () => {
      const error = await rejected(sandbox[decision](authorizeURL({ redirect_uri: 'http://127.0.0.1:9/other' })));
      expect(error.message).to.include('400').and.include('redirect_uri must be exactly');
      expect((await rejected(sandbox[decision](authorizeURL({ client_id: 'x' })))).message).to.include('client_id');
      const foreign = await rejected(sandbox[decision]('https://oauth.pipedrive.com/oauth/authorize?client_id=app'));
      expect(foreign.message).to.include(sandbox.origin);
    });

  it('installs from the Marketplace without a state, or by the Installation URL', async () => {
    expect(await signedIn(await sandbox.install('app', 'ben'))).to.deep.equal([778, 1001]);
    expect([...new URL(await sandbox.install('app')).searchParams.keys()]).to.deep.equal(['code']);
    expect(await sandbox.install('told', 'ada')).to.equal('http://127.0.0.1:9/start');
    expect((await rejected(sandbox.install('nobody'))).message).to.include('app, told');
  });

  it("uninstalls: the tokens end, and the app's server is told by DELETE with Basic credentials", async () => {
    const told = new Driver(sandbox.origin, { ...app, clientId: 'told', callbackURL: listener.callbackURL });
    const { access_token } = await told.install({ user: 'ada:1002' });
    expect(await sandbox.uninstall('told', { user: 'ada', companyId: 1002 })).to.equal(204);
    expect((await told.api('/users/me', access_token)).status).to.equal(401);
    const [{ method, headers, body } = {}] = listener.notices;
    expect(method).to.equal('DELETE');
    expect(headers).to.include({ 'content-type': 'application/json', authorization: basic(told.client).Authorization });
    const ids = { client_id: 'told', company_id: 1002, user_id: 777 };
    expect(body)
      .to.include(ids)
      .and.to.have.property('timestamp')
      .that.matches(/^\d{4}-\d\d-\d\dT/);
    expect(listener.notices).to.have.length(1);
  });

  it('cannot uninstall for somebody who has not installed', async () => {
    expect((await rejected(sandbox.uninstall('app', 'ben'))).message).to.include('Ben Sample has not installed');
    await sandbox.approve(authorizeURL()); // whose code nobody exchanges
    expect((await rejected(sandbox.uninstall('app', 'ada'))).message).to.include('no code was exchanged');
  });

  it('shares the app and ends that, by a POST without credentials', async () => {
    expect(await sandbox.share('told', 'cleo')).to.equal(204);
    await sandbox.share('told', 'cleo', false);
    const ids = { company_id: 1002, user_id: 912 };
    expect(listener.notices.map(({ body }) => body)).to.deep.equal([
      { ...ids, isShared: true },
      { ...ids, isShared: false },
    ]);
    expect(listener.notices.map(({ method, headers }) => [method, headers.authorization])).to.deep.equal([
      ['POST', undefined],
      ['POST', undefined],
    ]);
  });

  it("does the same on the Marketplace's page, where an extension can be opened too", async () => {
    const told = new Driver(sandbox.origin, { ...app, clientId: 'told', callbackURL: listener.callbackURL });
    await told.install({ user: 'cleo' });
    const browser = new Browser();
    await browser.open(sandbox.origin);
    await browser.press('Share');
    expect(browser.page.html).to.include('about sharing');
    await browser.press('Stop sharing');
    expect(browser.page.html).to.match(/action="\/extension">\s+<input type="hidden" name="client_id" value="told">/);
    await browser.press('Uninstall');
    expect(browser.page.html).to.include('Nobody has installed an app yet');
    expect(listener.notices.map(({ method }) => method)).to.deep.equal(['POST', 'POST', 'DELETE']);
    expect(listener.notices.map(({ body }) => body)[1]).to.have.property('isShared', false);
  });

  it('gets no status where nobody answers at the callback URL', async () => {
    expect(await sandbox.share('app', 'ada')).to.equal(undefined);
  });

  it('has nothing sent to a host that is not loopback by its name, wherever that leads', async () => {
    const elsewhere = { ...app, callbackURL: listener.callbackURL.replace('localhost', '0.0.0.0') }; // to this machine
    await using other = await startSandbox({ apps: [elsewhere] });
    await new Driver(other.origin, elsewhere).install();
    expect(await other.share('app', 'ada')).to.equal(undefined);
    expect(await other.uninstall('app', 'ada')).to.equal(undefined);
    expect(listener.notices).to.deep.equal([]);
  });

  it('gives an app in a process of its own what it needs in the environment', () => {
    expect(sandbox.env).to.deep.equal({
      PIPEDRIVE_CLIENT_ID: 'app',
      PIPEDRIVE_CLIENT_SECRET: 's3cret',
      PIPEDRIVE_AUTHORIZATION_SERVER: sandbox.origin,
    });
  });

  it("lets time pass by the sandbox's clock only, and never back", async () => {
    const before = Date.now();
    const callback = await sandbox.approve(authorizeURL());
    sandbox.advance(5 * 60_000 + 1);
    const code = new URL(callback).searchParams.get('code') ?? '';
    expect(await (await driver.exchange(code)).json())
      .to.have.property('message')
      .that.includes('has expired');
    expect(Date.now() - before).to.be.below(60_000);
    for (const wrong of [-1, Number.NaN]) expect(() => sandbox.advance(wrong)).to.throw(TypeError, 'milliseconds');
  });

  it('frees its port at the end of the block, by `await using`', async () => {
    let port = 0;
    {
      await using short = await startSandbox({ apps: [app] });
      port = Number(new URL(short.origin).port);
    }
    const again = await startSandbox({ apps: [app], port });
    expect(again.origin).to.equal(`http://127.0.0.1:${port}`);
    await again.close();
    await again.close();
  });

  it('has users of its own, who are sent as they are given', async () => {
    const old = { id: 5, company_id: 6, name: 'Old Answer', is_admin: 1 };
    const own: Users = { old, two: [users.ben, { ...users.ben, company_id: 7 }] };
    await using other = await startSandbox({ apps: [app], users: own });
    const client = new Driver(other.origin, app);
    const { access_token } = await client.install({ user: 'old' });
    expect(await (await client.api('/users/me', access_token)).json()).to.deep.equal({ success: true, data: old });
    const html = await (await fetch(`${other.origin}/oauth/authorize?${new URL(authorizeURL()).searchParams}`)).text();
    for (const words of ['Old Answer', 'company 6', 'two:7']) expect(html).to.include(words);
  });

  it('can have a hundred sandboxes at once, none of which knows the tokens of another', async () => {
    const all = await Promise.all(Array.from({ length: 100 }, () => startSandbox({ apps: [app] })));
    try {
      expect(new Set(all.map(({ origin }) => origin))).to.have.property('size', 100);
      const drivers = all.map(({ origin }) => new Driver(origin, app));
      const tokens = await Promise.all(drivers.map((one) => one.install()));
      const status = (one: Driver, index: number) =>
        one.api('/users/me', tokens[index % 100]?.access_token ?? '').then((response) => response.status);
      expect(new Set(await Promise.all(drivers.map(status)))).to.deep.equal(new Set([200]));
      expect(new Set(await Promise.all(drivers.map((one, index) => status(one, index + 1))))).to.deep.equal(
        new Set([401]),
      );
    } finally {
      await Promise.all(all.map((one) => one.close()));
    }
  }).timeout(20_000);

  describe('is told which option is wrong, without its value:', () => {
    const user = { id: 1, company_id: 1, name: 's3cret' };
    const wrong: [option: string, what: string, changed: object][] = [
      ['apps', 'no app', { apps: [] }],
      ['apps', 'absent', { apps: undefined }],
      ['apps', 'two of one client id', { apps: [app, app] }],
      ['apps[0].clientId', 'empty', { apps: [{ ...app, clientId: '' }] }],
      ['apps[0].clientId', 'with a colon', { apps: [{ ...app, clientId: 's3cret:' }] }],
      ['apps[0].clientSecret', 'absent', { apps: [{ ...app, clientSecret: undefined }] }],
      ['apps[0].callbackURL', 'a path', { apps: [{ ...app, callbackURL: '/s3cret' }] }],
      ['apps[0].callbackURL', 'with a fragment', { apps: [{ ...app, callbackURL: 'http://localhost/s3cret#' }] }],
      ['apps[0].installationURL', 'a word', { apps: [{ ...app, installationURL: 's3cret' }] }],
      ['apps[0].scopes', 'text', { apps: [{ ...app, scopes: 's3cret' }] }],
      ['users', 'nobody', { users: {} }],
      ['users.ada', 'an empty list', { users: { ada: [] } }],
      ['users.ada', 'twice in a company', { users: { ada: [user, { ...user, id: 2 }] } }],
      ['users.ada.id', 'text', { users: { ada: { id: 's3cret', company_id: 1, name: 'Ada' } } }],
      ['users.ada.name', 'absent', { users: { ada: { id: 1, company_id: 1 } } }],
      ['port', 'too high', { port: 65_536 }],
      ['rotate', 'text', { rotate: 's3cret' }],
    ];
    it('options: absent', async () => {
      const error = await rejected(Reflect.apply(startSandbox, undefined, []));
      expect(error).to.be.instanceOf(TypeError).with.property('message', 'options must be an object with apps');
    });

    for (const [option, what, changed] of wrong)
      it(`${option}: ${what}`, async () => {
        const options: object = { apps: [app], ...changed };
        const error = await rejected(startSandbox(options as SandboxOptions));
        expect(error).to.be.instanceOf(TypeError);
        expect(error.message.startsWith(`${option} must be `)).to.equal(true);
        expect(error.message).not.to.include('s3cret');
      });
  });
});
