// Pipedrive's side, stubbed on the wire: what the app must send, and what Pipedrive answers.
import { expect } from 'chai';
import nock, { type DataMatcherMap, type ReplyBody, type RequestBodyMatcher } from 'nock';
import { currentUser, tokenResponse, users } from 'pipedrive-sandbox';
import { clientID, clientSecret } from './app';

export const apiDomain = 'https://examplebikes.pipedrive.com';
export const accessToken = 'Ada_may-read_deals42';
export const refreshToken = 'keepsHer77-signedIn';
export const tokens = tokenResponse({ accessToken, refreshToken, apiDomain });

/** Forbids real connections but to this machine, and expects each test to use every stub that it made. */
export function stubPipedrive(): void {
  before(() => {
    if (!nock.isActive()) nock.activate();
    nock.disableNetConnect();
    nock.enableNetConnect('127.0.0.1');
  });
  afterEach(() => {
    const pending = nock.pendingMocks();
    nock.cleanAll();
    expect(pending, 'stubs that were not used').to.deep.equal([]);
  });
  // Without it connections are real again, as for the tests with servers of their own.
  after(() => nock.restore());
}

/** The token endpoint: expects Basic credentials and exactly this form. */
export function tokenEndpoint(form?: RequestBodyMatcher, path = '/oauth/token') {
  return nock('https://oauth.pipedrive.com', { badheaders: ['cookie'] })
    .post(path, form)
    .basicAuth({ user: clientID, pass: clientSecret })
    .matchHeader('content-type', 'application/x-www-form-urlencoded');
}

/** The exchange of a code for tokens. */
export function exchange(code = 'the-code-of-the-user', more: DataMatcherMap = {}) {
  return tokenEndpoint({ grant_type: 'authorization_code', code, redirect_uri: 'http://127.0.0.1/callback', ...more });
}

/** The profile request: expects the bearer token in the header, and no query. */
export function profileRequest(domain = apiDomain) {
  return nock(domain).get('/api/v1/users/me').matchHeader('authorization', `Bearer ${accessToken}`);
}

/** A sign-in that Pipedrive lets through. */
export function letSignIn(body: ReplyBody = currentUser(users.ada)): void {
  exchange().reply(200, tokens);
  profileRequest().reply(200, body);
}
