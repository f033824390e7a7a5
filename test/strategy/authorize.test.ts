// The redirect to Pipedrive, and the options that shape it.
import { expect } from 'chai';
import {
  type PipedriveAuthenticateOptions,
  PipedriveStrategy,
  type PipedriveStrategyOptions,
} from 'passport-pipedrive-oauth2';
import { currentUser, users } from 'pipedrive-sandbox';
import {
  type Answer,
  anybody,
  appsForEach,
  expectFailure,
  expectRedirect,
  mustNotBeCalled,
  options,
} from '../support/app';
import { exchange, profileRequest, stubPipedrive, tokens } from '../support/pipedrive';

describe('authorize', () => {
  stubPipedrive();
  const start = appsForEach();
  const startVisited = async (given?: Parameters<typeof start>[0]) => (await start(given)).visitor();
  const redirectURI = (answer: Answer) => expectRedirect(answer).get('redirect_uri');

  it('redirects to Pipedrive with exactly what it documents, and a state of 256 bits', async () => {
    const { location } = await (await startVisited()).send('/auth');
    expect(location?.origin).to.equal('https://oauth.pipedrive.com');
    expect(location?.pathname).to.equal('/oauth/authorize');
    const { state = '', ...query } = Object.fromEntries(location?.searchParams ?? []);
    expect(query).to.deep.equal({
      response_type: 'code',
      client_id: 'client-id',
      redirect_uri: 'http://127.0.0.1/callback',
    });
    expect(Buffer.from(state, 'base64url')).to.have.length(32);
  });

  it('never sends the same state twice', async () => {
    const visitor = await startVisited({ authorize: { state: 'same' } });
    const states = await Promise.all(Array.from({ length: 50 }, () => visitor.start()));
    expect(new Set(states).size).to.equal(50);
  });

  for (const state of ['/deals', { page: '/deals' }]) {
    it(`keeps the app's state out of the URL: ${JSON.stringify(state)}`, async () => {
      const { location } = await (await startVisited({ authorize: { state } })).send('/auth');
      expect(location?.href).not.to.include('deals');
    });
  }

  it('has no scope: Developer Hub has it', async () => {
    const visitor = await startVisited({ authorize: { scope: ['deals:full'] } });
    expect(expectRedirect(await visitor.send('/auth')).has('scope')).to.equal(false);
  });

  it('keeps the query of an authorizationURL, with a question mark in it', async () => {
    const visitor = await startVisited({
      options: { authorizationURL: 'https://oauth.pipedrive.com/oauth/authorize?theme=dark&page=/?a' },
    });
    const query = expectRedirect(await visitor.send('/auth'));
    expect([query.get('theme'), query.get('page'), query.get('client_id')]).to.deep.equal(['dark', '/?a', 'client-id']);
  });

  it('sends what a subclass adds by authorizationParams and tokenParams', async () => {
    class Themed extends PipedriveStrategy {
      override authorizationParams(given: PipedriveAuthenticateOptions) {
        return { theme: given.prompt, client_id: 'not this' };
      }
      override tokenParams() {
        return { audience: 'api', code: 'not this' };
      }
    }
    const strategy = new Themed(options, anybody);
    const visitor = await startVisited({ strategy, authorize: { prompt: 'dark' } });
    const query = expectRedirect(await visitor.send('/auth'));
    expect([query.get('theme'), query.getAll('client_id').join()]).to.deep.equal(['dark', 'client-id']);
    exchange('the-code-of-the-user', { audience: 'api' }).reply(200, tokens);
    profileRequest().reply(200, currentUser(users.ada));
    expect((await visitor.signIn()).outcome).to.equal('success');
  });

  describe('callback URL', () => {
    const relative: Partial<PipedriveStrategyOptions> = { callbackURL: '/callback?tenant=7' };
    const forwarded = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'app.example.com' };

    it("completes a path with the request's origin", async () => {
      const visitor = await startVisited({ options: relative });
      expect(redirectURI(await visitor.send('/auth'))).to.equal(`${visitor.origin}/callback?tenant=7`);
    });

    it('believes no forwarding header by default', async () => {
      const visitor = await startVisited({ options: relative });
      expect(redirectURI(await visitor.send('/auth', { headers: forwarded }))).to.match(/^http:\/\/127\.0\.0\.1:/);
    });

    for (const [how, given] of Object.entries({
      'the option proxy': { options: { ...relative, proxy: true } },
      'the setting "trust proxy"': {
        options: relative,
        routes: (app: { set(name: string, value: boolean): unknown }) => app.set('trust proxy', true),
      },
    })) {
      it(`believes forwarding headers with ${how}, of several the first`, async () => {
        const visitor = await startVisited(given);
        expect(redirectURI(await visitor.send('/auth', { headers: forwarded }))).to.equal(
          'https://app.example.com/callback?tenant=7',
        );
        const chain = { 'X-Forwarded-Proto': 'HTTPS , http', 'X-Forwarded-Host': 'app.example.com , inner' };
        expect(redirectURI(await visitor.send('/auth', { headers: chain }))).to.equal(
          'https://app.example.com/callback?tenant=7',
        );
        expect(redirectURI(await visitor.send('/auth'))).to.match(/^http:\/\/127\.0\.0\.1:/);
      });
    }

    it('answers 400 invalid_request where the host cannot be one', async () => {
      const visitor = await startVisited({ options: { ...relative, proxy: true } });
      for (const host of ['evil.example/path', 'a@evil.example', 'a b', '%']) {
        const answer = await visitor.send('/callback', { headers: { 'X-Forwarded-Host': host } });
        expectFailure(answer, 400, 'invalid_request');
        expectFailure(
          await visitor.send('/callback?code=a&state=b', { headers: { 'X-Forwarded-Host': host } }),
          400,
          'invalid_request',
        );
      }
    });

    for (const [own, given] of [
      ['/callback', 'https://app.example.com/callback'],
      ['https://app.example.com/callback', '/callback'],
    ]) {
      it(`answers 400 where the host cannot be one, with ${own}, and ${given} for the request`, async () => {
        const visitor = await startVisited({
          options: { callbackURL: own, proxy: true },
          authorize: { callbackURL: given },
        });
        const answer = await visitor.send('/auth', { headers: { 'X-Forwarded-Host': 'a b' } });
        expect(answer.status).to.equal(400);
      });
    }

    it('takes another one for a request, and sends that one with the code', async () => {
      const visitor = await startVisited({
        authorize: { callbackURL: 'http://127.0.0.1/callback?for=once' },
        verify: anybody,
      });
      expect(redirectURI(await visitor.send('/auth'))).to.equal('http://127.0.0.1/callback?for=once');
      exchange('the-code-of-the-user', { redirect_uri: 'http://127.0.0.1/callback?for=once' }).reply(200, tokens);
      profileRequest().reply(200, currentUser(users.ada));
      expect((await visitor.signIn()).outcome).to.equal('success');
    });

    it('calls a bad one for a request an error that names the option', async () => {
      const app = await start({ authorize: { callbackURL: 'javascript:alert(1)' } });
      expect((await app.visitor().send('/auth')).outcome).to.equal('error');
      expect(app.errors[0])
        .to.be.instanceOf(TypeError)
        .with.property('message', 'callbackURL given to authenticate must be an absolute URL, or a path');
    });
  });

  it('throws a TypeError that names the option for PKCE without state', () => {
    expect(() => new PipedriveStrategy({ ...options, state: false, pkce: true }, mustNotBeCalled)).to.throw(
      TypeError,
      /state.*PKCE/,
    );
  });
});
