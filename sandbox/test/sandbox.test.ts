// The sandbox alone, over HTTP: what a user, an app and an attacker find there.
import { expect } from 'chai';
import { apiErrors, type Sandbox, startSandbox, tokenErrors, users } from 'pipedrive-sandbox';
import { answerOf, basic, Driver, type Form, post, tokensOf } from './driver';

const callbackURL = 'http://127.0.0.1:9/callback?tenant=7';
const registered = { clientId: 'app', clientSecret: 's3cret', name: 'Deals & <Co>', callbackURL };
const rival = { ...registered, clientId: 'rival', scopes: ['base'], installationURL: 'http://127.0.0.1:9/start' };
const soundQuery = new URLSearchParams({ client_id: 'app', redirect_uri: callbackURL }).toString();
const days = 86_400_000;

async function expectRefusal(response: Response, error: object) {
  expect(response.status).to.equal(400);
  expect(await response.json()).to.include(error);
}

describe('the sandbox over HTTP', () => {
  let sandbox: Sandbox;
  let app: Driver;
  let other: Driver;

  beforeEach(async () => {
    sandbox = await startSandbox({ apps: [registered, rival] });
    [app, other] = [new Driver(sandbox.origin, registered), new Driver(sandbox.origin, rival)];
  });
  afterEach(() => sandbox.close());

  const get = (path: string) => fetch(sandbox.origin + path, { redirect: 'manual' });
  const token = (form: Form, headers = basic(registered)) => post(`${sandbox.origin}/oauth/token`, form, headers);

  describe('consent', () => {
    it('names the app, its scopes and the people to be, and cannot be framed or scripted', async () => {
      const page = await get(`/oauth/authorize?${soundQuery}`);
      const html = await page.text();
      const words = ['Deals &amp; &lt;Co&gt;', 'deals:read', 'Ada Example', 'Allow and install', 'Cancel'];
      for (const word of words) expect(html).to.include(word);
      const policy = page.headers.get('content-security-policy');
      expect(policy).to.include("default-src 'none'").and.include("frame-ancestors 'none'");
    });

    it('can be opened in a popup by an app, and leaves no address with a code behind elsewhere', async () => {
      const { headers } = await get(`/oauth/authorize?${soundQuery}`);
      expect(headers.has('cross-origin-opener-policy')).to.equal(false);
      expect(headers.get('referrer-policy')).to.equal('same-origin');
      expect(headers.get('cache-control')).to.equal('no-store');
    });

    for (const [what, query] of Object.entries({
      'an unknown client_id': soundQuery.replace('app', 'nobody'),
      'no client_id': soundQuery.replace('client_id', 'client'),
      'no redirect_uri': 'client_id=app',
      'a redirect_uri that only begins like the registered one': `${soundQuery}0`,
      'a repeated parameter': `${soundQuery}&state=1&state=2`,
      'an empty scope': `${soundQuery}&scope=`,
    }))
      it(`shows a page and redirects nowhere for ${what}`, async () => {
        const form = [...new URLSearchParams(`${query}&decision=allow&user=ada`)];
        const shown = await get(`/oauth/authorize?${query}`);
        const forced = await post(`${sandbox.origin}/oauth/authorize`, form);
        expect([shown.status, forced.status]).to.deep.equal([400, 400]);
        expect(shown.headers.has('location') || forced.headers.has('location')).to.equal(false);
      });

    it('ignores a scope that is asked for', async () => {
      expect((await get(`/oauth/authorize?${soundQuery}&scope=deals:full`)).status).to.equal(200);
      const tokens = await app.install({ scope: 'deals:full' });
      expect(tokens.scope).to.equal('base,deals:read,users:read');
    });

    it('comes back with a code and the state unchanged after Allow', async () => {
      const response = await app.decide({ state: 'a b&c=d/é%20' });
      expect(response.headers.get('location')).to.match(/^http:\/\/127\.0\.0\.1:9\/callback\?tenant=7&code=/);
      expect(answerOf(response).get('state')).to.equal('a b&c=d/é%20');
    });

    it('comes back with user_denied after Cancel, and without a state that nobody sent', async () => {
      const answer = answerOf(await app.decide({ decision: 'cancel' }));
      expect(answer.toString()).to.equal('tenant=7&error=user_denied');
    });

    it("counts only as a form of the sandbox's own page", async () => {
      expect((await get(`/oauth/authorize?${soundQuery}&decision=allow&user=ada`)).status).to.equal(200);
      const status = async (name: string, value: string) => (await app.decide({}, { [name]: value })).status;
      expect(await status('Sec-Fetch-Site', 'cross-site')).to.equal(403);
      expect(await status('Sec-Fetch-Site', 'same-site')).to.equal(403);
      expect(await status('Origin', 'http://evil.example')).to.equal(403);
      expect(await status('Origin', sandbox.origin)).to.equal(303);
      expect(await status('Sec-Fetch-Site', 'same-origin')).to.equal(303);
    });
  });

  it('installs from its Marketplace by the Installation URL, or else without a state', async () => {
    const target = async (id: string) => (await get(`/marketplace/install?client_id=${id}`)).headers.get('location');
    expect(await target('rival')).to.equal('http://127.0.0.1:9/start');
    expect(await target('app')).to.equal(`/oauth/authorize?${soundQuery}`);
  });

  describe('token endpoint', () => {
    it('gives tokens that open the API for the chosen user in the chosen company', async () => {
      const { access_token, refresh_token, ...rest } = await app.install({ user: 'ada:1002' });
      const scope = 'base,deals:read,users:read';
      expect(rest).to.deep.equal({ token_type: 'bearer', scope, expires_in: 3600, api_domain: sandbox.origin });
      expect(access_token)
        .to.match(/^v1u:AQIB[\w+/]+=+$/)
        .and.to.have.lengthOf(512)
        .and.include('+')
        .and.include('/');
      expect(refresh_token).to.match(/^1002:777:[0-9a-f]{40}$/);
      const me = await app.api('/users/me', access_token);
      expect(await me.json()).to.deep.equal({ success: true, data: users.adaAtHarbour });
      expect((await app.api('/deals', access_token)).status).to.equal(200);
    });

    it('takes a code once, and for 5 minutes', async () => {
      const [used, late] = [await app.newCode(), await app.newCode()];
      sandbox.advance(299_000);
      expect((await app.exchange(used)).status).to.equal(200);
      await expectRefusal(await app.exchange(used), tokenErrors.authorizationCodeInvalid);
      sandbox.advance(2_000);
      await expectRefusal(await app.exchange(late), tokenErrors.authorizationCodeExpired);
    });

    it('takes a code only from the client and with the redirect_uri that it was made for', async () => {
      await expectRefusal(await other.exchange(await app.newCode()), tokenErrors.authorizationCodeInvalid);
      const exchange = async (redirect_uri: string) => app.exchange(await app.newCode(), { redirect_uri });
      await expectRefusal(await exchange('http://127.0.0.1:9/'), tokenErrors.redirectUriInvalid);
      await expectRefusal(await exchange(''), tokenErrors.redirectUriNotValid);
    });

    const refresh = { grant_type: 'refresh_token', refresh_token: 'unknown' };
    const pkceOnly = { grant_type: 'authorization_code', client_id: 'app', code_verifier: 'v'.repeat(43) };
    const wrong = basic({ ...registered, clientSecret: 'guess' });
    const refused: [string, Form, ReturnType<typeof basic> | undefined, object][] = [
      ['no grant_type', {}, undefined, tokenErrors.missingGrantType],
      ['an unknown grant_type', { grant_type: 'magic' }, undefined, tokenErrors.unsupportedGrantType],
      ['the password grant', { grant_type: 'password' }, undefined, tokenErrors.unsupportedGrantType],
      ['an unknown refresh token', refresh, undefined, tokenErrors.refreshTokenInvalid],
      ['no refresh token', { grant_type: 'refresh_token' }, undefined, { error: 'invalid_request' }],
      ['no credentials', refresh, {}, tokenErrors.clientNotRetrieved],
      ['an API token', { grant_type: 'exchange_api_token', api_token: 'x' }, undefined, tokenErrors.apiTokenInvalid],
      ['an API token without credentials', { grant_type: 'exchange_api_token' }, {}, tokenErrors.clientNotRetrieved],
      ['a wrong secret', refresh, wrong, tokenErrors.clientInvalid],
      ['a PKCE verifier in place of the secret', pkceOnly, {}, tokenErrors.clientInvalid],
      [
        'a repeated parameter',
        [...Object.entries(refresh), ['refresh_token', '']],
        undefined,
        { error: 'invalid_request' },
      ],
      [
        'credentials in header and body',
        { ...refresh, client_secret: 's3cret' },
        undefined,
        { error: 'invalid_request' },
      ],
    ];
    for (const [what, form, headers, error] of refused)
      it(`refuses ${what}`, async () => expectRefusal(await token(form, headers), error));

    it('refuses a body that is not form-encoded, and takes credentials in one that is', async () => {
      const json = {
        method: 'POST',
        body: '{}',
        headers: { ...basic(registered), 'Content-Type': 'application/json' },
      };
      await expectRefusal(await fetch(`${sandbox.origin}/oauth/token`, json), tokenErrors.contentType);
      const inBody = { client_id: 'app', client_secret: 's3cret' };
      expect((await app.exchange(await app.newCode(), inBody, {})).status).to.equal(200);
    });

    it('refuses a form that it cannot read, and prints nothing of it', async () => {
      const { error: print } = console;
      const printed: unknown[] = [];
      console.error = (...values) => printed.push(...values);
      try {
        const many = Array.from({ length: 1_001 }, (_, index): [string, string] => [`secret${index}`, 's3cret']);
        for (const form of [many, { code: 'x'.repeat(200_000) }]) {
          const response = await token(form);
          expect(response.status).to.equal(413);
          expect(await response.json()).to.include({ success: false, error: 'invalid_request' });
        }
      } finally {
        console.error = print;
      }
      expect(printed).to.deep.equal([]);
    });

    it('refreshes to a new access token and the same refresh token, which ends when unused for 60 days', async () => {
      const first = await app.install();
      sandbox.advance(59 * days);
      expect((await app.api('/users/me', first.access_token)).status).to.equal(401);
      const second = await tokensOf(await app.refresh(first.refresh_token));
      expect(second.refresh_token).to.equal(first.refresh_token);
      expect((await app.api('/users/me', second.access_token)).status).to.equal(200);
      await expectRefusal(await other.refresh(first.refresh_token), tokenErrors.refreshTokenInvalid);
      sandbox.advance(59 * days);
      expect((await app.refresh(first.refresh_token)).status).to.equal(200);
      sandbox.advance(60 * days);
      await expectRefusal(await app.refresh(first.refresh_token), tokenErrors.refreshTokenInvalid);
    });

    it('ignores a scope that a client asks for', async () => {
      await using rotating = await startSandbox({ apps: [registered], rotate: true });
      for (const { origin } of [sandbox, rotating]) {
        const driver = new Driver(origin, registered);
        const { scope, refresh_token } = await tokensOf(
          await driver.exchange(await driver.newCode(), { scope: 'all' }),
        );
        for (const asked of [scope, 'all', '"']) {
          const refreshed = await tokensOf(await driver.refresh(refresh_token, { scope: asked }));
          expect(refreshed).to.include({ scope });
          if (origin === rotating.origin) break;
        }
      }
    });

    it('with rotate, a refresh yields another refresh token, and the old one is invalid', async () => {
      await using rotating = await startSandbox({ apps: [registered], rotate: true });
      const client = new Driver(rotating.origin, registered);
      const first = await client.install();
      const second = await tokensOf(await client.refresh(first.refresh_token));
      expect(second.refresh_token)
        .to.match(/^1001:777:/)
        .and.not.equal(first.refresh_token);
      await expectRefusal(await client.refresh(first.refresh_token), tokenErrors.refreshTokenInvalid);
      expect((await client.api('/users/me', first.access_token)).status).to.equal(200);
      const both = await Promise.all([client.refresh(second.refresh_token), client.refresh(second.refresh_token)]);
      expect(both.map(({ status }) => status).sort()).to.deep.equal([200, 400]);
    });

    it('lets only one of two simultaneous exchanges of a code succeed', async () => {
      const code = await app.newCode();
      const both = await Promise.all([app.exchange(code), app.exchange(code)]);
      expect(both.map(({ status }) => status).sort()).to.deep.equal([200, 400]);
    });

    it('holds a client that sent a code_challenge to its verifier', async () => {
      const code_verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'; // RFC 7636, appendix B
      const challenge = {
        code_challenge: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
        code_challenge_method: 'S256',
      };
      const plain = { code_challenge: code_verifier };
      for (const form of [challenge, { ...plain, code_challenge_method: 'plain' }, plain] as Record<string, string>[]) {
        expect((await app.exchange(await app.newCode(form), { code_verifier })).status).to.equal(200);
        const refused = await app.exchange(await app.newCode(form), { code_verifier: 'x'.repeat(43) });
        await expectRefusal(refused, { error: 'invalid_grant' });
      }
    });
  });

  describe('revoke', () => {
    it('ends one access token, and leaves the app installed', async () => {
      const [one, two] = [await app.install(), await app.install()];
      expect((await app.revoke(one.access_token)).status).to.equal(200);
      expect((await app.api('/users/me', one.access_token)).status).to.equal(401);
      expect((await app.api('/users/me', two.access_token)).status).to.equal(200);
      expect((await app.refresh(one.refresh_token)).status).to.equal(200);
    });

    it('finds an access token that was encoded twice, as the official SDK sends it', async () => {
      const { access_token } = await app.install();
      expect((await app.revoke(encodeURIComponent(access_token))).status).to.equal(200);
      expect((await app.api('/users/me', access_token)).status).to.equal(401);
    });

    it('refuses a request without credentials or without a token', async () => {
      const url = `${sandbox.origin}/oauth/revoke`;
      await expectRefusal(await post(url, { token: 'x' }), tokenErrors.clientNotRetrieved);
      await expectRefusal(await post(url, {}, basic(registered)), { error: 'invalid_request' });
    });

    it('uninstalls with the refresh token', async () => {
      const { access_token, refresh_token } = await app.install();
      expect((await app.revoke(refresh_token)).status).to.equal(200);
      expect((await app.api('/users/me', access_token)).status).to.equal(401);
      await expectRefusal(await app.refresh(refresh_token), tokenErrors.refreshTokenInvalid);
    });

    it("answers 200 for an unknown token, ends no other app's token, and knows its apps", async () => {
      const { access_token, refresh_token } = await app.install();
      for (const foreign of [access_token, refresh_token, 'unknown'])
        expect((await other.revoke(foreign)).status).to.equal(200);
      expect((await app.api('/users/me', access_token)).status).to.equal(200);
      const stranger = new Driver(sandbox.origin, { ...registered, clientSecret: 'guess' });
      await expectRefusal(await stranger.revoke(access_token), tokenErrors.clientInvalid);
    });
  });

  describe('API', () => {
    const call = async (path: string, authorization?: string) => {
      const response = await fetch(sandbox.origin + path, { headers: authorization ? { authorization } : {} });
      return { status: response.status, body: await response.json() };
    };

    for (const version of ['v1', 'v2'])
      it(`refuses whoever comes to ${version}/deals without a token, with a bad one, or without the scope`, async () => {
        const path = `/api/${version}/deals`;
        const { access_token } = await other.install();
        const { unauthorized, tokenInvalid, malformedAuthorization, scopeMismatch } = apiErrors;
        expect(await call(path)).to.deep.equal({ status: 401, body: unauthorized });
        expect(await call(path, 'Bearer unknown')).to.deep.equal({ status: 401, body: tokenInvalid });
        expect(await call(`${path}?access_token=${access_token}`)).to.deep.equal({ status: 401, body: unauthorized });
        for (const malformed of ['Bearer', 'Bearer a b', access_token, 'Basic YTpi'])
          expect(await call(path, malformed)).to.deep.equal({ status: 400, body: malformedAuthorization });
        expect(await call(path, `Bearer ${access_token}`)).to.deep.equal({ status: 403, body: scopeMismatch });
        expect((await call('/api/v1/users/me', `Bearer ${access_token}`)).status).to.equal(200);
      });

    it('pages through the deals, by start in v1 and by cursor in v2', async () => {
      const bearer = `Bearer ${(await app.install()).access_token}`;
      const ids = ({ body }: Awaited<ReturnType<typeof call>>) => body.data.map(({ id }: { id: number }) => id);
      const first = await call('/api/v1/deals?limit=2', bearer);
      expect([ids(first), first.body.additional_data.pagination]).to.deep.equal([
        [1, 2],
        { start: 0, limit: 2, more_items_in_collection: true, next_start: 2 },
      ]);
      const last = await call('/api/v1/deals?limit=2&start=2', bearer);
      expect([ids(last), last.body.additional_data.pagination.more_items_in_collection]).to.deep.equal([[3], false]);
      const page = await call('/api/v2/deals?limit=2', bearer);
      const { next_cursor } = page.body.additional_data;
      const rest = await call(`/api/v2/deals?cursor=${next_cursor}`, bearer);
      expect([ids(page), ids(rest), rest.body.additional_data]).to.deep.equal([[1, 2], [3], { next_cursor: null }]);
    });

    it('has no users/me in v2', async () => {
      const { access_token } = await app.install();
      expect((await call('/api/v2/users/me', `Bearer ${access_token}`)).status).to.equal(404);
    });

    it('tells administrators by their account settings', async () => {
      const apps = async (user: string) => {
        const { access_token } = await app.install({ user });
        const { body } = await call('/api/v1/users/me', `Bearer ${access_token}`);
        return body.data.access.map(({ app }: { app: string }) => app);
      };
      expect(await apps('ada')).to.include('account_settings');
      expect(await apps('cleo')).not.to.include('account_settings');
    });
  });

  describe('a reset client secret', () => {
    const renewed = basic({ ...registered, clientSecret: 'n3w-s3cret' });

    it('ends the old one at once, and users keep their tokens', async () => {
      const { access_token, refresh_token } = await app.install();
      sandbox.resetSecret('app', 'n3w-s3cret');
      expect(sandbox.env.PIPEDRIVE_CLIENT_SECRET).to.equal('n3w-s3cret');
      const form = { grant_type: 'refresh_token', refresh_token };
      await expectRefusal(await token(form), tokenErrors.clientInvalid);
      expect((await token(form, renewed)).status).to.equal(200);
      expect((await app.api('/users/me', access_token)).status).to.equal(200);
      expect(() => sandbox.resetSecret('app', '')).to.throw(TypeError, 'clientSecret');
    });

    it('signs the tokens of extensions, too, and is masked in the requests', async () => {
      const signed = () => new URL(sandbox.extensionURL('app', callbackURL)).searchParams.get('token')?.split('.')[2];
      const before = signed();
      sandbox.resetSecret('app', 'n3w-s3cret');
      expect(signed()).not.to.equal(before);
      await token({ grant_type: 'refresh_token', refresh_token: 'n3w-s3cret', note: 'n3w-s3cret' }, renewed);
      expect(JSON.stringify(sandbox.requests)).not.to.include('n3w-s3cret');
    });
  });

  it('has a page for what is not there', async () => {
    const missing = await get('/nowhere');
    expect([missing.status, missing.headers.get('content-type')]).to.deep.equal([404, 'text/html; charset=utf-8']);
  });
});
