// What the browser brings back: every row of the outcome table that ends before Pipedrive is asked, and the happy one.
import { expect } from 'chai';
import { users } from 'pipedrive-sandbox';
import { anybody, appsForEach, expectFailure, expectRedirect, type Visitor } from '../support/app';
import { exchange, letSignIn, profileRequest, stubPipedrive, tokens } from '../support/pipedrive';

describe('callback', () => {
  stubPipedrive();
  const start = appsForEach();
  const startVisited = async (given?: Parameters<typeof start>[0]) => (await start(given)).visitor();

  /** That a flow is still there: nothing has used it up. */
  async function expectUnused(visitor: Visitor, state: string) {
    expectFailure(await visitor.callback({ error: 'user_denied', state }), 403, 'user_denied');
  }

  it('signs the user in, with the profile, and with the app state in req.authInfo', async () => {
    letSignIn();
    const visitor = await startVisited({ verify: ({ profile }) => profile, authorize: { state: '/deals?tab=1' } });
    const answer = await visitor.signIn();
    expect(answer).to.include({ outcome: 'success', status: 200 });
    expect(answer.user).to.include({ id: '1001:777', displayName: 'Ada Example' });
    expect(answer.authInfo).to.deep.equal({ state: '/deals?tab=1' });
  });

  it('leaves req.authInfo empty when the app gave no state', async () => {
    letSignIn();
    const visitor = await startVisited({ verify: anybody });
    expect((await visitor.signIn()).authInfo).to.deep.equal({});
  });

  for (const query of ['', 'state=abc', 'code=', 'error=&state=', 'foo=bar', 'error_description=No']) {
    it(`redirects to Pipedrive when neither code nor error is there: ?${query}`, async () => {
      const answer = await (await startVisited()).callback(query);
      expect(expectRedirect(answer).get('state')).to.match(/^[\w-]{43}$/);
    });
  }

  describe('with another method than GET', () => {
    for (const method of ['HEAD', 'POST', 'DELETE', 'OPTIONS']) {
      it(`answers 405 to ${method} with a code, and uses nothing up`, async () => {
        const visitor = await startVisited();
        const state = await visitor.start();
        const answer = await visitor.callback({ code: 'abc', state }, { method });
        expect(answer.status).to.equal(405);
        expect(answer.headers.get('allow')).to.equal('GET');
        if (method !== 'HEAD') expectFailure(answer, 405, 'invalid_request');
        await expectUnused(visitor, state);
      });
    }

    it('answers 405 to POST with an error, and 302 to a HEAD of a link scanner without code', async () => {
      const visitor = await startVisited();
      expectFailure(await visitor.callback({ error: 'x' }, { method: 'POST' }), 405, 'invalid_request');
      expectRedirect(await visitor.callback('', { method: 'HEAD' }));
    });
  });

  describe('malformed', () => {
    const long = 'x'.repeat(4097);
    const malformed: Record<string, (state: string) => string> = {
      'a repeated code': (state) => `code=a&code=b&state=${state}`,
      'a repeated state': (state) => `code=a&state=${state}&state=${state}`,
      'a repeated error': (state) => `error=a&error=b&state=${state}`,
      'a repeated error_description': (state) => `error=a&error_description=b&error_description=c&state=${state}`,
      'a nested code': (state) => `code[a]=b&state=${state}`,
      'a code as a list': (state) => `code[]=b&state=${state}`,
      'a nested error': (state) => `error[a][b]=c&state=${state}`,
      'a nested state': (state) => `code=a&state[x]=1&state=${state}`,
      'a nested error_uri': (state) => `error=a&error_uri[]=1&state=${state}`,
      'an over-long code': (state) => `code=${long}&state=${state}`,
      'an over-long state': () => `code=a&state=${long}`,
      'an over-long error': (state) => `error=${long}&state=${state}`,
      'an over-long error_description': (state) => `error=a&error_description=${long}&state=${state}`,
      'a code with a line break': (state) => `code=a%0Ab&state=${state}`,
      'a state with a null character': () => 'code=a&state=%00',
      'an error with a control character': (state) => `error=a%7F&state=${state}`,
      'an error_description with a DEL character': (state) => `error=a&error_description=%7F&state=${state}`,
      'an error_description with a C1 control character': (state) => `error=a&error_description=%C2%85&state=${state}`,
      'a code with an error': (state) => `code=a&error=b&state=${state}`,
    };
    for (const parser of ['simple', 'extended']) {
      for (const [what, query] of Object.entries(malformed)) {
        it(`answers 400 to ${what}, and uses nothing up (${parser})`, async () => {
          const visitor = await startVisited({ routes: (app) => app.set('query parser', parser) });
          const state = await visitor.start();
          expectFailure(await visitor.callback(query(state)), 400, 'invalid_request');
          await expectUnused(visitor, state);
        });
      }
    }

    it('takes a code of 4,096 characters', async () => {
      const code = 'c'.repeat(4096);
      exchange(code).reply(200, tokens);
      profileRequest().reply(200, { success: true, data: users.ben });
      const visitor = await startVisited({ verify: anybody });
      expect((await visitor.signIn(code)).outcome).to.equal('success');
    });

    it('does not read other parameters, whatever they are', async () => {
      letSignIn();
      const visitor = await startVisited({ verify: anybody });
      const state = await visitor.start();
      const more = `scope=a&scope=b&x[y]=1&z=${long}`;
      expect((await visitor.callback(`code=the-code-of-the-user&state=${state}&${more}`)).status).to.equal(200);
    });

    it('reads no body', async () => {
      const visitor = await startVisited({
        before: [(req, _res, next) => next(void Object.assign(req, { body: { code: 'abc' } }))],
      });
      expectRedirect(await visitor.callback(''));
    });
  });

  describe('with an error', () => {
    const rows: [error: string, status: number, code?: string][] = [
      ['user_denied', 403],
      ['access_denied', 403],
      ['temporarily_unavailable', 503],
      ['server_error', 502],
      ['invalid_scope', 400],
      ['unauthorized_client', 400],
      // Codes of ours that Pipedrive does not send get no status of ours.
      ['state_invalid', 400],
      ['invalid_grant', 400],
      ['constructor', 400],
      ['__proto__', 400],
      ['x'.repeat(64), 400],
      ['x'.repeat(65), 400, 'invalid_request'],
      ['quote"', 400, 'invalid_request'],
      ['back\\slash', 400, 'invalid_request'],
      ['ünicode', 400, 'invalid_request'],
    ];
    for (const [error, status, code = error] of rows) {
      it(`answers ${status} to error=${error.slice(0, 24)}, with Pipedrive's text and the app state (${error.length})`, async () => {
        const visitor = await startVisited({ authorize: { state: { page: 7 } } });
        const query = { error, error_description: 'In words', error_uri: 'https://example.com/why' };
        const info = expectFailure(await visitor.callback({ ...query, state: await visitor.start() }), status, code);
        expect(info).to.include({ description: 'In words', uri: 'https://example.com/why' });
        expect(info.state).to.deep.equal({ page: 7 });
      });

      it(`answers ${status} to error=${error.slice(0, 24)} of a crafted link, without its text (${error.length})`, async () => {
        const visitor = await startVisited();
        await visitor.start();
        for (const state of [undefined, 'forged', 'A'.repeat(43)]) {
          const query = {
            error,
            error_description: 'Call 0123',
            error_uri: 'https://evil.example',
            ...(state && { state }),
          };
          const info = expectFailure(await visitor.callback(query), status, code);
          expect(info).to.have.all.keys('code', 'message');
          expect(info.message).not.to.include('0123');
        }
      });
    }

    it('answers 403 user_denied when the user cancels, and the state is used up', async () => {
      const visitor = await startVisited();
      const state = await visitor.start();
      expectFailure(await visitor.callback({ error: 'user_denied', state }), 403, 'user_denied');
      expectFailure(await visitor.callback({ code: 'abc', state }), 403, 'state_invalid');
      const again = await visitor.callback({ error: 'user_denied', error_description: 'Twice', state });
      expect(expectFailure(again, 403, 'user_denied')).not.to.have.property('description');
    });

    it('answers with the same code and status when the state store fails', async () => {
      const broken = {
        store: (_req: unknown, done: (e: null, state: string) => void) => done(null, 's'),
        verify() {
          throw new Error('down');
        },
      };
      const visitor = await startVisited({ options: { store: broken } });
      expectFailure(await visitor.callback({ error: 'server_error', state: 's' }), 502, 'server_error');
    });
  });

  describe('without state', () => {
    it('drops the code of an install that the Marketplace starts, and starts over with state', async () => {
      letSignIn();
      const visitor = await startVisited({ verify: anybody });
      const answer = await visitor.callback({ code: 'an-attackers-code' });
      const query = expectRedirect(answer);
      expect(answer.location?.href).not.to.include('an-attackers-code');
      const state = query.get('state') ?? '';
      expect((await visitor.callback({ code: 'the-code-of-the-user', state })).outcome).to.equal('success');
    });

    it('tells of an install in req.authInfo.marketplace, and of an ordinary sign-in not', async () => {
      const visitor = await startVisited({ verify: anybody });
      letSignIn();
      const state = expectRedirect(await visitor.callback({ code: 'from-the-marketplace' })).get('state') ?? '';
      const install = await visitor.callback({ code: 'the-code-of-the-user', state });
      expect(install.authInfo).to.deep.equal({ marketplace: true });
      letSignIn();
      expect((await visitor.signIn()).authInfo).to.deep.equal({});
    });

    it('ends with 403 state_missing where something drops each state on the way', async () => {
      const visitor = await startVisited();
      for (const code of ['a', 'b', 'c']) expectRedirect(await visitor.callback({ code }));
      expectFailure(await visitor.callback({ code: 'd' }), 403, 'state_missing');
    });

    it('lets a prefetch of the start route push out no real sign-in', async () => {
      letSignIn();
      const visitor = await startVisited({ verify: anybody });
      const state = await visitor.start();
      for (let i = 0; i < 20; i += 1) await visitor.send('/auth', { headers: { 'Sec-Purpose': 'prefetch' } });
      expect((await visitor.callback({ code: 'the-code-of-the-user', state })).outcome).to.equal('success');
    });

    it("answers 403 state_missing with marketplaceInstall: 'reject'", async () => {
      const visitor = await startVisited({ options: { marketplaceInstall: 'reject' } });
      await visitor.start();
      expectFailure(await visitor.callback({ code: 'abc' }), 403, 'state_missing');
      expectFailure(await visitor.callback({ code: 'abc', state: '' }), 403, 'state_missing');
    });
  });

  for (const state of ['forged', 'A'.repeat(43), '__proto__', 'constructor', '%', '"', '../x', 'ä', ' ', ';', '=']) {
    it(`answers 403 state_invalid to a forged state: ${state}`, async () => {
      const visitor = await startVisited();
      const known = await visitor.start();
      expectFailure(await visitor.callback({ code: 'abc', state }), 403, 'state_invalid');
      await expectUnused(visitor, known);
    });
  }
});
