// What Pipedrive answers when it does not let the user in, and what an operator sees of it.
import { expect } from 'chai';
import type { Body } from 'nock';
import { InternalOAuthError, PipedriveStrategy, TokenError } from 'passport-pipedrive-oauth2';
import { apiErrors, currentUser, tokenErrors, users } from 'pipedrive-sandbox';
import {
  type App,
  anybody,
  appsForEach,
  clientSecret,
  expectError,
  expectFailure,
  mustNotBeCalled,
  options,
} from '../support/app';
import { basic, expectNoSecrets } from '../support/errors';
import {
  accessToken,
  apiDomain,
  exchange,
  profileRequest,
  refreshToken,
  stubPipedrive,
  tokens,
} from '../support/pipedrive';

const code = 'the-code-of-the-user';
/** An error of ours: for Express, Nest, Koa and http-errors, with a cause, and with the app's state out of sight. */
function expectOurs(app: App, answer: Parameters<typeof expectError>[1], status: number): Error {
  const error = expectError(app, answer, status);
  expect(error).to.include({ status, statusCode: status, expose: false });
  expect(error.cause).to.be.instanceOf(Error);
  expect(error.state).to.deep.equal({ page: 7 });
  const asStandard = { enumerable: false, configurable: true, writable: true };
  for (const name of ['cause', 'state']) expect(Object.getOwnPropertyDescriptor(error, name)).to.include(asStandard);
  expectNoSecrets(error, code);
  return error;
}

describe('token endpoint', () => {
  stubPipedrive();
  const start = appsForEach();

  async function signIn(status: number, body: Body) {
    const app = await start({ authorize: { state: { page: 7 } } });
    exchange().reply(status, body);
    return { app, answer: await app.visitor().signIn() };
  }

  for (const name of ['authorizationCodeInvalid', 'authorizationCodeExpired'] as const) {
    it(`answers 403 invalid_grant with Pipedrive's text and the app state to ${name}`, async () => {
      const { answer } = await signIn(400, { ...tokenErrors[name] });
      const info = expectFailure(answer, 403, 'invalid_grant');
      expect(info.description).to.equal(tokenErrors[name].message);
      expect(info.state).to.deep.equal({ page: 7 });
    });
  }

  it('leaves out a text that repeats the code', async () => {
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
      expect(error.cause).to.have.property('message', 'HTTP 400');
    });
  }

  it('reads the text where RFC 6749 has it as well, and status 401', async () => {
    const { app, answer } = await signIn(401, { error: 'invalid_client', error_description: 'No such client' });
    expect(expectOurs(app, answer, 500)).to.include({ message: 'No such client', code: 'invalid_client' });
  });

  const echo = `${clientSecret} ${basic} ${code}`;
  const echoes: Record<string, [number, Body]> = {
    'in the message of a token error': [400, { success: false, message: `Bad ${echo}`, error: 'invalid_client' }],
    'in the code of a token error': [400, { success: false, message: 'Bad', error: code }],
    'in both, with one that is encoded': [400, { error: `a ${basic}`, message: clientSecret }],
    'in a body that is not JSON': [400, `<p>${echo}</p>`],
    'in a body with status 500': [500, { message: echo, error: echo, error_info: echo }],
    'in a token response that lacks a token': [200, { ...tokens, access_token: '', refresh_token: `${code}` }],
    'in a token response that is cut': [200, JSON.stringify(tokens).slice(0, -5)],
    'in a token response for another domain': [200, { ...tokens, api_domain: `https://${code}.example` }],
  };
  for (const [where, [status, body]] of Object.entries(echoes)) {
    it(`repeats no secret, token or code: ${where}`, async () => {
      const { app, answer } = await signIn(status, body);
      expect(answer.outcome).to.equal('error');
      const [error] = app.errors;
      if (!(error instanceof Error)) throw new Error('no error');
      expectNoSecrets(error, code);
    });
  }

  it('writes no log', async () => {
    const written: unknown[] = [];
    const streams = [process.stdout, process.stderr];
    const writes = streams.map(({ write }) => write);
    for (const stream of streams) stream.write = (text: unknown) => written.push(text) > 0;
    try {
      await signIn(400, { ...tokenErrors.clientInvalid });
      await signIn(500, 'Internal Server Error');
    } finally {
      for (const [i, write] of writes.entries()) Object.assign(streams[i] as object, { write });
    }
    expect(written).to.deep.equal([]);
  });

  it('keeps a text that only contains a short code by chance', async () => {
    const harmless = 'codes are encoded, a barcode too';
    for (const [short, message, description] of [
      ['code', harmless, harmless],
      ['code', 'no such "code", sorry', undefined],
      ['code', 'code', undefined],
      ['7-chars', 'not7-chars', 'not7-chars'],
      ['8-of-all', 'not8-of-all', undefined],
    ] as const) {
      const app = await start();
      exchange(short).reply(400, { error: 'invalid_grant', message });
      const info = expectFailure(await app.visitor().signIn(short), 403, 'invalid_grant');
      expect(info.description).to.equal(description);
    }
  });

  it('leaves out a text that is over-long or has control characters', async () => {
    for (const message of ['x'.repeat(1025), 'two\nlines', '\u001b[31mred', 7, null, {}]) {
      const { app, answer } = await signIn(400, { error: 'invalid_client', message });
      expect(expectOurs(app, answer, 500)).to.include({ message: 'invalid_client', code: 'invalid_client' });
    }
    const longest = 'x'.repeat(1024);
    const { app, answer } = await signIn(400, { error: 'invalid_client', message: longest });
    expect(expectOurs(app, answer, 500).message).to.equal(longest);
  });

  const without = (name: keyof typeof tokens) =>
    Object.fromEntries(Object.entries(tokens).filter(([key]) => key !== name));
  for (const domain of [
    'https://pipedrive.com',
    'https://a-1.b.pipedrive.com',
    'https://Acme.Pipedrive.COM',
    'https://acme.pipedrive.com/',
  ]) {
    it(`takes the api_domain ${domain}`, async () => {
      const app = await start({ verify: anybody });
      exchange().reply(200, { ...tokens, api_domain: domain });
      profileRequest(new URL(domain).origin).reply(200, currentUser(users.ada));
      expect((await app.visitor().signIn()).outcome).to.equal('success');
    });
  }

  it('takes a token_type in any letter case or none, no scope, any time to live, and what else there is', async () => {
    for (const body of [
      { ...tokens, token_type: 'Bearer' },
      without('token_type'),
      { ...without('scope'), extra: 1 },
      { ...tokens, expires_in: 0 },
      { ...tokens, expires_in: Number.MAX_SAFE_INTEGER },
    ]) {
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
    exchange().matchHeader('x-app', 'deals').reply(200, tokens);
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
        .reply(200, { ...tokens, api_domain: domain });
      nock('https://api.example').get('/me').reply(200, currentUser(users.ada));
      expect((await app.visitor().signIn()).outcome).to.equal('success');
    }
  });
});

describe('/users/me', () => {
  stubPipedrive();
  const start = appsForEach();

  async function signIn(status: number, body: Body) {
    const app = await start({ authorize: { state: { page: 7 } }, verify: mustNotBeCalled });
    exchange().reply(200, tokens);
    profileRequest().reply(status, body);
    return { app, answer: await app.visitor().signIn() };
  }

  const { unauthorized, scopeMismatch, rateLimited } = apiErrors;
  const invalidCode = tokenErrors.authorizationCodeInvalid;
  const refusals: [what: string, expected: number, status: number, body: Body, ...texts: string[]][] = [
    ['401', 502, 401, unauthorized, unauthorized.error, unauthorized.error_info],
    ['403 for a missing scope', 502, 403, scopeMismatch, scopeMismatch.error, scopeMismatch.error_info],
    ['429', 503, 429, rateLimited, rateLimited.error, rateLimited.error_info],
    ['a 400 in the shape of a token error', 502, 400, invalidCode, invalidCode.message, invalidCode.error],
  ];
  for (const [what, expected, status, body, ...texts] of refusals) {
    it(`is an InternalOAuthError, ${expected}, with Pipedrive's text for ${what}`, async () => {
      const { app, answer } = await signIn(status, body);
      const error = expectOurs(app, answer, expected);
      expect(error).to.be.instanceOf(InternalOAuthError);
      expect(error.message).to.equal(`Pipedrive's /users/me answered ${[status, ...texts].join(': ')}`);
    });
  }

  it('repeats no secret, token or code', async () => {
    const echo = [accessToken, refreshToken, code, basic, clientSecret];
    for (const secret of echo) {
      const { app, answer } = await signIn(401, { error: `Bad ${secret}`, error_info: secret });
      expectOurs(app, answer, 502);
    }
  });
});
