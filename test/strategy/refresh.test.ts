// Tokens after the sign-in: refreshed, shared, revoked, refused.
import { expect } from 'chai';
import nock from 'nock';
import { PipedriveStrategy, TokenError } from 'passport-pipedrive-oauth2';
import { tokenErrors } from 'pipedrive-sandbox';
import { clientID, clientSecret, mustNotBeCalled, options } from '../support/app';
import { basic, expectNoSecrets } from '../support/errors';
import { Deferred } from '../support/installations';
import { accessToken, refreshToken, stubPipedrive, tokenEndpoint, tokens } from '../support/pipedrive';

const form = { grant_type: 'refresh_token', refresh_token: refreshToken };
const strategyWith = (more: object = {}) => new PipedriveStrategy({ ...options, ...more }, mustNotBeCalled);
const rejectionOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail('it was resolved'),
    (error) => error,
  );

describe('refresh', () => {
  stubPipedrive();
  const refreshing = () => tokenEndpoint(form);

  it('yields the whole token response, and when the access token expires', async () => {
    refreshing().reply(200, tokens);
    const before = Math.floor(Date.now() / 1000);
    const { expires_at, ...response } = await strategyWith().refresh(refreshToken);
    expect(response).to.deep.equal(tokens);
    expect(expires_at).to.be.within(before + 3600, before + 3605);
  });

  it('keeps the refresh token where the response has none, and takes a new one', async () => {
    const { refresh_token, ...rest } = tokens;
    refreshing().reply(200, rest);
    expect((await strategyWith().refresh(refreshToken)).refresh_token).to.equal(refresh_token);
    refreshing().reply(200, { ...rest, refresh_token: 'another' });
    expect((await strategyWith().refresh(refreshToken)).refresh_token).to.equal('another');
  });

  it('makes one request for a hundred calls with the same token at once', async () => {
    refreshing().once().reply(200, tokens);
    const strategy = strategyWith();
    const all = await Promise.all(Array.from({ length: 100 }, () => strategy.refresh(refreshToken)));
    expect(new Set(all.map(({ access_token }) => access_token))).to.deep.equal(new Set([accessToken]));
  });

  it('gives each of its callers a copy', async () => {
    refreshing().once().reply(200, tokens);
    const strategy = strategyWith();
    const [one, other] = await Promise.all([strategy.refresh(refreshToken), strategy.refresh(refreshToken)]);
    Object.assign(one, { access_token: 'encrypted in place' });
    expect(other.access_token).to.equal(accessToken);
  });

  it('never joins a refresh from before a revocation', async () => {
    const strategy = strategyWith();
    refreshing().reply(200, { ...tokens, access_token: 'from-before' });
    refreshing().reply(200, { ...tokens, access_token: 'from-during' });
    refreshing().reply(200, tokens);
    nock('https://oauth.pipedrive.com').post('/oauth/revoke').reply(200);
    const before = strategy.refresh(refreshToken);
    const revocation = strategy.revoke(refreshToken);
    const during = strategy.refresh(refreshToken);
    await revocation;
    const all = await Promise.all([before, during, strategy.refresh(refreshToken)]);
    expect(new Set(all.map(({ access_token }) => access_token))).to.have.property('size', 3);
  });

  it('shares a refresh from after a revocation also when one from before it has ended', async () => {
    const strategy = strategyWith();
    const [endOfBefore, endOfAfter] = [new Deferred(), new Deferred()];
    for (const { promise } of [endOfBefore, endOfAfter]) {
      refreshing().reply(200, async () => {
        await promise;
        return tokens;
      });
    }
    nock('https://oauth.pipedrive.com').post('/oauth/revoke').reply(200);
    const before = strategy.refresh(refreshToken);
    await strategy.revoke(refreshToken);
    const after = strategy.refresh(refreshToken);
    endOfBefore.resolve();
    await before;
    const joined = strategy.refresh(refreshToken);
    endOfAfter.resolve();
    expect(await joined).to.deep.equal(await after);
  });

  it('tells a hundred calls at once that the one request failed, and asks anew after it', async () => {
    refreshing().once().reply(500);
    const strategy = strategyWith();
    const all = await Promise.all(Array.from({ length: 100 }, () => rejectionOf(strategy.refresh(refreshToken))));
    for (const error of all) expect(error).to.have.property('status', 502);
    refreshing().times(2).reply(200, tokens);
    for (const _ of [1, 2]) expect(await strategy.refresh(refreshToken)).to.include({ access_token: accessToken });
  });

  it('shares nothing between different tokens', async () => {
    refreshing().reply(200, tokens);
    tokenEndpoint({ ...form, refresh_token: 'other' }).reply(200, { ...tokens, access_token: 'for-other' });
    const strategy = strategyWith();
    const [one, other] = await Promise.all([strategy.refresh(refreshToken), strategy.refresh('other')]);
    expect([one.access_token, other.access_token]).to.deep.equal([accessToken, 'for-other']);
  });

  it('is a TokenError with code invalid_grant when the user must install again', async () => {
    refreshing().reply(400, tokenErrors.refreshTokenInvalid);
    const error = await rejectionOf(strategyWith().refresh(refreshToken));
    expect(error)
      .to.be.instanceOf(TokenError)
      .and.include({ code: 'invalid_grant', message: tokenErrors.refreshTokenInvalid.message, status: 500 });
  });

  it('repeats no secret or token that Pipedrive sends back', async () => {
    for (const secret of [clientSecret, basic, refreshToken]) {
      refreshing().reply(400, { success: false, message: `Bad ${secret}`, error: 'invalid_client' });
      expectNoSecrets(await rejectionOf(strategyWith().refresh(refreshToken)));
    }
  });

  for (const nothing of ['', undefined, null, 7, {}]) {
    it(`rejects with a TypeError for ${JSON.stringify(nothing)} in place of a token`, async () => {
      const { refresh, revoke } = PipedriveStrategy.prototype;
      for (const [method, name] of [
        [refresh, 'refreshToken'],
        [revoke, 'token'],
      ] as const) {
        expect(await rejectionOf(Reflect.apply(method, strategyWith(), [nothing])))
          .to.be.instanceOf(TypeError)
          .with.property('message', `${name} must be a string`);
      }
    });
  }
});

describe('revoke', () => {
  stubPipedrive();
  const revoking = (more: object = {}) => tokenEndpoint({ token: refreshToken, ...more }, '/oauth/revoke');

  it('sends the token, and the hint if there is one', async () => {
    revoking().reply(200);
    expect(await strategyWith().revoke(refreshToken)).to.equal(undefined);
    revoking({ token_type_hint: 'refresh_token' }).reply(200, {});
    expect(await strategyWith().revoke(refreshToken, 'refresh_token')).to.equal(undefined);
  });

  it('asks the configured endpoint', async () => {
    nock('https://revoke.example')
      .post('/here', { token: refreshToken })
      .basicAuth({ user: clientID, pass: clientSecret })
      .reply(200);
    await strategyWith({ revocationURL: 'https://revoke.example/here' }).revoke(refreshToken);
  });

  it('is a TokenError when Pipedrive refuses', async () => {
    revoking().reply(400, tokenErrors.clientInvalid);
    expect(await rejectionOf(strategyWith().revoke(refreshToken)))
      .to.be.instanceOf(TokenError)
      .and.include({ code: 'invalid_client' });
  });
});
