// What Pipedrive answers when it does not let the user in: token errors, refusals, lies; and what an operator sees of it.
import { expect } from 'chai';
import type { Body, ReplyHeaders } from 'nock';
import { InternalOAuthError, PipedriveStrategy, TokenError } from 'passport-pipedrive-oauth2';
import { apiErrors, currentUser, tokenErrors, users } from '../sandbox';
import {
  type App,
  anybody,
  appsForEach,
  clientSecret,
  expectError,
  expectFailure,
  mustNotBeCalled,
  options,
} from './support/app';
import { basic, expectNoSecrets } from './support/errors';
import {
  accessToken,
  apiDomain,
  exchange,
  profileRequest,
  refreshToken,
  stubPipedrive,
  tokens,
} from './support/pipedrive';

const code = 'the-code-of-the-user';
/** An error of ours: for Express, Nest, Koa and http-errors, with a cause, and with the app's state out of sight. */
function expectOurs(app: App, answer: Parameters<typeof expectError>[1], status: number): Error {
  const error = expectError(app, answer, status);
  expect(error).to.include({ status, statusCode: status, expose: false });
  expect(error.cause).to.be.instanceOf(Error);
  expect(error.state).to.deep.equal({ page: 7 });
  expect(Object.keys(error)).not.to.include('state');
  expectNoSecrets(error, code);
  return error;
}

describe('token endpoint', () => {
  stubPipedrive();
  const start = appsForEach();

  async function signIn(status: number, body: Body, headers?: ReplyHeaders) {
    const app = await start({ authorize: { state: { page: 7 } } });
    exchange().reply(status, body, headers);
    return { app, answer: await app.visitor().signIn() };
  }

  for (const name of ['authorizationCodeInvalid', 'authorizationCodeExpired'] as const) {
    it(`answers 403 invalid_grant with Pipedrive's words and the app state to ${name}`, async () => {
      const { answer } = await signIn(400, { ...tokenErrors[name] });
      const info = expectFailure(answer, 403, 'invalid_grant');
      expect(info.description).to.equal(tokenErrors[name].message);
      expect(info.state).to.deep.equal({ page: 7 });
    });
  }

  it('leaves out words that repeat the code', async () => {
    const { answer } = await signIn(400, { ...tokenErrors.authorizationCodeInvalid, message: `No code ${code}` });
    expect(expectFailure(answer, 403, 'invalid_grant')).not.to.have.property('description');
  });

  it('answers 403 invalid_grant when the callback page is loaded again after its state was used', async () => {
    const app = await start();
    const visitor = app.visitor();
    const state = await visitor.start();
    exchange().reply(400, tokenErrors.authorizationCodeInvalid);
    expectFailure(await visitor.callback({ code, state }), 403, 'invalid_grant');
    expectFailure(await visitor.callback({ code, state }), 403, 'state_invalid');
  });

  const others = Object.entries(tokenErrors).filter(([, { error }]) => error !== 'invalid_grant');
  for (const [name, body] of others) {
    it(`is a TokenError with Pipedrive's message and code for ${name}`, async () => {
      const { app, answer } = await signIn(400, { ...body });
      const error = expectOurs(app, answer, 500);
      expect(error).to.be.instanceOf(TokenError).and.include({ message: body.message, code: body.error });
    });
  }

  it('reads the words of RFC 6749 as well, and status 401', async () => {
    const { app, answer } = await signIn(401, { error: 'invalid_client', error_description: 'No such client' });
    expect(expectOurs(app, answer, 500)).to.include({ message: 'No such client', code: 'invalid_client' });
  });

  const echo = `${clientSecret} ${basic} ${code}`;
  const secretWords: Record<string, [number, Body]> = {
    'in the message of a token error': [400, { success: false, message: `Bad ${echo}`, error: 'invalid_client' }],
    'in the code of a token error': [400, { success: false, message: 'Bad', error: code }],
    'in both, with one that is encoded': [400, { error: `a ${basic}`, message: clientSecret }],
    'in a body that is not JSON': [400, `<p>${echo}</p>`],
    'in a body with status 500': [500, { message: echo, error: echo, error_info: echo }],
    'in a token response that lacks a token': [200, { ...tokens, access_token: '', refresh_token: `${code}` }],
    'in a token response that is cut': [200, JSON.stringify(tokens).slice(0, -5)],
    'in a token response for another domain': [200, { ...tokens, api_domain: `https://${code}.example` }],
  };
  for (const [where, [status, body]] of Object.entries(secretWords)) {
    it(`repeats no secret, token or code: ${where}`, async () => {
      const { app, answer } = await signIn(status, body);
      expect(answer.outcome).to.equal('error');
      const [error] = app.errors;
      if (!(error instanceof Error)) throw new Error('no error');
      expectNoSecrets(error, code);
    });
  }

  it('leaves words alone that only contain a short code by chance', async () => {
    for (const [message, description] of [
      ['codes are encoded, a barcode too', 'codes are encoded, a barcode too'],
      ['no such "code"', undefined],
      ['code', undefined],
    ] as const) {
      const app = await start();
      exchange('code').reply(400, { error: 'invalid_grant', message });
      const info = expectFailure(await app.visitor().signIn('code'), 403, 'invalid_grant');
      expect(info.description).to.equal(description);
    }
  });

  it('leaves out words that are over-long or have control characters', async () => {
    for (const message of ['x'.repeat(1025), 'two\nlines', '\u001b[31mred', 7, null, {}]) {
      const { app, answer } = await signIn(400, { error: 'invalid_client', message });
      expect(expectOurs(app, answer, 500)).to.include({ message: 'invalid_client', code: 'invalid_client' });
    }
  });

  const refusals: [what: string, expected: number, status: number, body: Body, headers?: ReplyHeaders][] = [
    ['429', 503, 429, { success: false, error: 'Request over limit' }, { 'Retry-After': '30' }],
    ['429 in the shape of a token error', 503, 429, tokenErrors.authorizationCodeInvalid],
    ['429 with bytes that are not UTF-8', 503, 429, Buffer.from([0x7b, 0xff, 0x7d])],
    ['400 with HTML', 502, 400, '<h1>Bad Request</h1>'],
    ['400 with JSON of another shape', 502, 400, { error: { code: 'invalid_grant' } }],
    ['400 with null', 502, 400, 'null'],
    ['400 with an error that is no code', 502, 400, { error: 'quote"' }],
    ['404', 502, 404, ''],
    ['500', 502, 500, 'Internal Server Error'],
    ['500 in the shape of a token error', 502, 500, tokenErrors.authorizationCodeInvalid],
    ['503 with HTML', 502, 503, '<h1>Maintenance</h1>'],
    ['302', 502, 302, '', { Location: 'https://oauth.pipedrive.com/oauth/token2' }],
    ['307', 502, 307, '', { Location: 'https://evil.example/' }],
    ['304', 502, 304, ''],
  ];
  for (const [what, expected, status, body, headers] of refusals) {
    it(`is an InternalOAuthError with status ${expected} for ${what}`, async () => {
      const { app, answer } = await signIn(status, body, headers);
      const error = expectOurs(app, answer, expected);
      expect(error).to.be.instanceOf(InternalOAuthError);
      expect(error.cause).to.have.property('message').that.includes(`HTTP ${status}`);
      if (status === 429 && headers) expect(error.cause).to.have.property('message').that.includes('Retry-After: 30');
    });
  }

  const { access_token, refresh_token, token_type, expires_in, api_domain, ...rest } = tokens;
  const whole = { access_token, refresh_token, token_type, expires_in, api_domain, ...rest };
  const without = (name: keyof typeof whole) =>
    Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name));
  const lies: Record<string, Body> = {
    'an empty body': '',
    null: 'null',
    'a string': '"access_token"',
    'a list': JSON.stringify([whole]),
    HTML: '<html></html>',
    'a form': new URLSearchParams({ access_token, refresh_token, api_domain }).toString(),
    'bytes that are not UTF-8': Buffer.from([0x7b, 0xff, 0x7d]),
    'an empty object': {},
    'no access_token': without('access_token'),
    'an access_token that is an object': { ...whole, access_token: {} },
    'an access_token with a line break': { ...whole, access_token: 'a\r\nX-Injected: b' },
    'an access_token that is not ASCII': { ...whole, access_token: 'tökén' },
    'no refresh_token': without('refresh_token'),
    'a refresh_token that is null': { ...whole, refresh_token: null },
    'another token_type': { ...whole, token_type: 'mac' },
    'a token_type that is a number': { ...whole, token_type: 7 },
    'a scope that is a list': { ...whole, scope: ['base'] },
    'no expires_in': without('expires_in'),
    'expires_in as text': { ...whole, expires_in: '3600' },
    'expires_in below zero': { ...whole, expires_in: -1 },
    'expires_in without end': JSON.stringify(whole).replace('3600', '1e999'),
    'no api_domain': without('api_domain'),
  };
  for (const [what, body] of Object.entries(lies)) {
    it(`is an InternalOAuthError with status 502 for a token response with ${what}`, async () => {
      const { app, answer } = await signIn(200, body);
      expect(expectOurs(app, answer, 502)).to.be.instanceOf(InternalOAuthError);
    });
  }

  const hostile = [
    'https://pipedrive.com.evil.example',
    'https://evil.example#.pipedrive.com',
    'https://evil.example?.pipedrive.com',
    'https://evil.example/.pipedrive.com',
    'https://evil.example\\.pipedrive.com',
    'https://x@evil.example',
    'https://acme.pipedrive.com@evil.example',
    'https://user:password@acme.pipedrive.com',
    'https://acme.pipedrive.com:8443',
    'https://acme.pipedrive.com/api',
    'https://acme.pipedrive.com?x=1',
    'https://acme.pipedrive.com#x',
    'https://evilpipedrive.com',
    'https://pipedrive.com.',
    'https://acme.pipedrive.co',
    'https://acme.pipedrive.com\t',
    'https://acme.pipe\ndrive.com',
    'https://acme%2epipedrive.com',
    'https://acme。pipedrive.com',
    ' https://acme.pipedrive.com',
    'http://acme.pipedrive.com',
    'https:acme.pipedrive.com',
    'https:///acme.pipedrive.com',
    '//acme.pipedrive.com',
    'acme.pipedrive.com',
    'ftp://acme.pipedrive.com',
    'javascript:1',
    'http://127.0.0.1',
    'https://.pipedrive.com.evil.example',
    '',
    7,
    null,
    ['https://acme.pipedrive.com'],
  ];
  for (const domain of hostile) {
    it(`sends no token to the api_domain ${JSON.stringify(domain)}`, async () => {
      const { app, answer } = await signIn(200, { ...whole, api_domain: domain });
      const { cause } = expectOurs(app, answer, 502);
      expect(cause).to.have.property('message', 'The token response has no usable api_domain');
    });
  }

  for (const domain of [
    'https://pipedrive.com',
    'https://a-1.b.pipedrive.com',
    'https://Acme.Pipedrive.COM',
    'https://acme.pipedrive.com/',
  ]) {
    it(`takes the api_domain ${domain}`, async () => {
      const app = await start({ verify: anybody });
      exchange().reply(200, { ...whole, api_domain: domain });
      profileRequest(new URL(domain).origin).reply(200, currentUser(users.ada));
      expect((await app.visitor().signIn()).outcome).to.equal('success');
    });
  }

  it('takes a token_type in any letter case or none, no scope, and what else there is', async () => {
    for (const body of [{ ...whole, token_type: 'Bearer' }, without('token_type'), { ...without('scope'), extra: 1 }]) {
      const app = await start({ options: { skipUserProfile: true }, verify: ({ tokens }) => tokens });
      exchange().reply(200, body);
      const { user } = await app.visitor().signIn();
      const { token_type: type = 'bearer', ...others } = { scope: '', ...body, token_type: undefined, ...body };
      expect(user).to.include({ ...others, token_type: type });
    }
  });

  it('sends customHeaders, but no Authorization among them, in any letter case', async () => {
    const customHeaders = { 'X-App': 'deals', authorization: 'Basic nonsense', AUTHORIZATION: 'Bearer nonsense' };
    const app = await start({ options: { customHeaders }, verify: anybody });
    exchange().matchHeader('x-app', 'deals').reply(200, whole);
    profileRequest().matchHeader('x-app', 'deals').reply(200, currentUser(users.ada));
    expect((await app.visitor().signIn()).outcome).to.equal('success');
  });

  it('asks the configured endpoints, whose origins may be the api_domain', async () => {
    const strategy = new PipedriveStrategy(
      { ...options, tokenURL: 'https://token.example/oauth/token', userProfileURL: 'https://api.example/me' },
      anybody,
    );
    const app = await start({ strategy });
    const { default: nock } = await import('nock');
    for (const domain of ['https://token.example', 'https://api.example', apiDomain]) {
      nock('https://token.example')
        .post('/oauth/token')
        .reply(200, { ...whole, api_domain: domain });
      nock('https://api.example').get('/me').reply(200, currentUser(users.ada));
      expect((await app.visitor().signIn()).outcome).to.equal('success');
    }
  });
});

describe('/users/me', () => {
  stubPipedrive();
  const start = appsForEach();

  async function signIn(status: number, body: Body, headers?: ReplyHeaders) {
    const app = await start({ authorize: { state: { page: 7 } }, verify: mustNotBeCalled });
    exchange().reply(200, tokens);
    profileRequest().reply(status, body, headers);
    return { app, answer: await app.visitor().signIn() };
  }

  const refusals: [what: string, expected: number, status: number, body: Body, words?: string][] = [
    ['401', 502, 401, apiErrors.unauthorized, apiErrors.unauthorized.error],
    [
      '403 for a missing scope',
      502,
      403,
      apiErrors.scopeMismatch,
      'Scope and URL mismatch: Please check developers.pipedrive.com',
    ],
    ['429', 503, 429, apiErrors.rateLimited, apiErrors.rateLimited.error],
    ['500', 502, 500, 'Internal Server Error'],
    ['a redirect', 502, 302, ''],
    ['a 400 in the shape of a token error', 502, 400, tokenErrors.authorizationCodeInvalid],
  ];
  for (const [what, expected, status, body, words = ''] of refusals) {
    it(`is an InternalOAuthError with status ${expected} and Pipedrive's words for ${what}`, async () => {
      const { app, answer } = await signIn(status, body);
      const error = expectOurs(app, answer, expected);
      expect(error).to.be.instanceOf(InternalOAuthError);
      expect(error.message).to.include(`answered ${status}`).and.include(words);
    });
  }

  it('repeats no secret, token or code', async () => {
    const echo = [accessToken, refreshToken, code, basic, clientSecret];
    for (const secret of echo) {
      const { app, answer } = await signIn(401, { error: `Bad ${secret}`, error_info: secret });
      expectOurs(app, answer, 502);
    }
  });

  const { id, company_id, ...nobody } = users.ada;
  const unreadable: Record<string, Body> = {
    'an empty body': '',
    null: 'null',
    HTML: '<html></html>',
    'no data': { success: true },
    'data that is null': { success: true, data: null },
    'data that is a list': { success: true, data: [users.ada] },
    'no user id': { data: { ...nobody, company_id } },
    'no company id': { data: { ...nobody, id } },
    'a company id of 0': { data: { ...nobody, id, company_id: 0 } },
    'a user id as text': { data: { ...nobody, id: '777', company_id } },
    'a user id over what a number can hold': JSON.stringify({ data: { ...nobody, id: 'X', company_id } }).replace(
      '"X"',
      '9007199254740993',
    ),
  };
  for (const [what, body] of Object.entries(unreadable)) {
    it(`is an InternalOAuthError with status 502 for ${what}, not half a profile`, async () => {
      const { app, answer } = await signIn(200, body);
      expect(expectOurs(app, answer, 502)).to.be.instanceOf(InternalOAuthError);
    });
  }
});
