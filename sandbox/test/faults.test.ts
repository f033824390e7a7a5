// Faults on demand, as a client of Pipedrive meets them.
import { expect } from 'chai';
import { apiErrors, type Endpoint, type Fault, type Sandbox, startSandbox, users } from 'pipedrive-sandbox';
import { Driver } from './driver';

const app = { clientId: 'app', clientSecret: 's3cret', callbackURL: 'http://127.0.0.1:9/callback' };

interface Met {
  status?: number;
  body?: string;
  headers?: Headers;
  /** Why there is no whole response. */
  error?: string;
}

describe('a fault', () => {
  let sandbox: Sandbox;
  let driver: Driver;
  let code: string;
  let token: string;
  beforeEach(async () => {
    sandbox = await startSandbox({ apps: [app] });
    driver = new Driver(sandbox.origin, app);
    token = (await driver.install()).access_token;
    code = await driver.newCode();
  });
  afterEach(() => sandbox.close());

  const query = new URLSearchParams({ client_id: app.clientId, redirect_uri: app.callbackURL });
  const requests: Record<Endpoint, (signal?: AbortSignal) => Promise<Response>> = {
    authorize: (signal) => fetch(`${sandbox.origin}/oauth/authorize?${query}`, { redirect: 'manual', signal }),
    token: (signal) => driver.exchange(code, {}, undefined, signal),
    'users/me': (signal) => driver.api('/users/me', token, signal),
    deals: (signal) => driver.api('/deals', token, signal),
    revoke: (signal) => driver.revoke('unknown', signal),
  };
  const endpoints = Object.keys(requests) as Endpoint[];

  /** What a request to the endpoint meets; `silence` after a time in which a good response would have come. */
  async function meet(endpoint: Endpoint, patience = 5_000): Promise<Met> {
    try {
      const response = await requests[endpoint](AbortSignal.timeout(patience));
      return { status: response.status, headers: response.headers, body: await response.text() };
    } catch (error) {
      return { error: error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'broken' };
    }
  }

  for (const endpoint of endpoints) {
    describe(`at ${endpoint}`, () => {
      const replaced: [Fault, number, string][] = [
        ['outage', 503, 'text/html; charset=utf-8'],
        ['html', 403, 'text/html; charset=utf-8'],
        ['not-json', 200, 'application/json; charset=utf-8'],
        ['429', 429, 'application/json; charset=utf-8'],
        ['budget', 429, 'application/json; charset=utf-8'],
      ];
      for (const [fault, status, type] of replaced)
        it(`${fault} is a response with ${status}, twice, and then all is well`, async () => {
          sandbox.fail(endpoint, fault, { times: 2 });
          for (const _ of [1, 2]) {
            const met = await meet(endpoint);
            expect([met.status, met.headers?.get('content-type')]).to.deep.equal([status, type]);
          }
          expect((await meet(endpoint)).status).to.equal(200);
        });

      it('redirect leads elsewhere', async () => {
        sandbox.fail(endpoint, 'redirect', { times: 1 });
        const response = await requests[endpoint]();
        expect([response.status, response.headers.get('location')]).to.deep.equal([302, '/']);
      });

      for (const fault of ['reset', 'truncate'] as const)
        it(`${fault} breaks the connection`, async () => {
          sandbox.fail(endpoint, fault, { times: 1 });
          expect(await meet(endpoint)).to.deep.equal({ error: 'broken' });
        });

      for (const fault of ['silence', 'stall', 'drip'] as const)
        it(`${fault} leaves the client waiting`, async () => {
          sandbox.fail(endpoint, fault, { times: 1, delay: 100_000 });
          expect(await meet(endpoint, 100)).to.deep.equal({ error: 'timeout' });
        });

      // Where the body is short: it comes with a byte in each millisecond.
      for (const fault of endpoint === 'revoke' ? (['slow', 'drip'] as const) : (['slow'] as const))
        it(`${fault} is the good response in the end`, async () => {
          const good = endpoint === 'token' ? undefined : (await meet(endpoint)).body;
          sandbox.fail(endpoint, fault, { times: 1, delay: 1 });
          const met = await meet(endpoint);
          expect(met.status).to.equal(200);
          if (endpoint === 'token') expect(met.body).to.include('access_token');
          else expect(met.body || '{}').to.equal(good || '{}');
        });
    });
  }

  it('happens to every request until it is taken back', async () => {
    sandbox.fail('users/me', 'outage');
    for (const _ of [1, 2, 3]) expect((await meet('users/me')).status).to.equal(503);
    sandbox.fail('users/me', null);
    expect(JSON.parse((await meet('users/me')).body ?? '')).to.have.nested.property('data.name', users.ada.name);
  });

  it('at one endpoint leaves the others alone', async () => {
    for (const endpoint of endpoints) {
      sandbox.fail(endpoint, 'outage');
      for (const other of endpoints) expect((await meet(other)).status === 503).to.equal(other === endpoint);
      sandbox.fail(endpoint, null);
      code = await driver.newCode();
    }
  });

  it('in place of a response leaves the code as it was, one on the way back does not', async () => {
    sandbox.fail('token', 'outage', { times: 1 });
    await meet('token');
    sandbox.fail('token', 'truncate', { times: 1 });
    expect((await meet('token')).error).to.equal('broken');
    expect((await meet('token')).body).to.include('authorization_code is invalid');
  });

  it('429 says of a burst when to come back, of a spent budget that it is at midnight', async () => {
    sandbox.fail('users/me', '429', { times: 1 });
    const burst = await meet('users/me');
    expect(JSON.parse(burst.body ?? '')).to.deep.equal(apiErrors.rateLimited);
    const header = (name: string) => burst.headers?.get(name);
    const names = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'retry-after'];
    expect(names.map(header)).to.deep.equal(['80', '0', '2', '2']);
    sandbox.fail('users/me', 'budget', { times: 1 });
    const { headers } = await meet('users/me');
    const midnight = Math.ceil(Date.now() / 86_400_000) * 86_400;
    expect(Number(headers?.get('retry-after'))).to.be.closeTo(midnight - Date.now() / 1000, 5);
    expect(headers?.get('x-ratelimit-reset')).to.equal(null);
  });

  it('at authorize is what approve is rejected with', async () => {
    sandbox.fail('authorize', 'outage', { times: 1 });
    const error = await sandbox.approve(`${sandbox.origin}/oauth/authorize?${query}`).catch((rejected) => rejected);
    expect(error.message).to.include('503');
  });

  it('does not keep the sandbox from closing', async () => {
    for (const fault of ['silence', 'stall', 'slow', 'drip'] as const) {
      sandbox.fail('users/me', fault, { times: 1, delay: 1_000_000 });
      requests['users/me']()
        .then((response) => response.text())
        .catch(() => {});
    }
    await meet('revoke');
    await sandbox.close();
  });

  for (const [what, wrong] of Object.entries<[string, string | null, object?]>({
    endpoint: ['tokens', 'outage'],
    fault: ['token', 'broken'],
    'fault of an object': ['token', 'constructor'],
    times: ['token', 'outage', { times: 0 }],
    delay: ['token', 'slow', { delay: -1 }],
  }))
    it(`is refused with an unknown or senseless ${what}`, () => {
      const fail = () => Reflect.apply(sandbox.fail, sandbox, wrong);
      expect(fail).to.throw(TypeError, `${what.split(' ')[0]} must be`);
    });
});
