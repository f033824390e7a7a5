// Requests that wait for one of the few sockets that an agent may open: when their time starts, and when it ends.
import http from 'node:http';
import { type Clock, install } from '@sinonjs/fake-timers';
import { expect } from 'chai';
import nock from 'nock';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { mustNotBeCalled, options } from '../support/app';
import { TokenEndpoint } from '../support/token-endpoint';

const TIMEOUT = 10_000;

describe('request that waits for a socket of its agent', () => {
  let endpoint: TokenEndpoint;
  let clock: Clock;
  before(() => nock.restore());
  after(() => nock.activate());
  beforeEach(async () => {
    endpoint = await new TokenEndpoint().start();
    clock = install({ toFake: ['setTimeout', 'clearTimeout'] });
  });
  afterEach(async () => {
    clock.uninstall();
    await endpoint.close();
  });

  const strategyWith = (agent: http.Agent) =>
    new PipedriveStrategy(
      { ...options, tokenURL: `${endpoint.origin}/oauth/token`, timeout: TIMEOUT, agent },
      mustNotBeCalled,
    );
  const statusOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 200,
      ({ status }) => status,
    );

  it('has its whole time from the moment when it gets one', async () => {
    const strategy = strategyWith(new http.Agent({ keepAlive: true, maxSockets: 1 }));
    endpoint.hold();
    const all = ['first', 'second', 'third'].map((token) => statusOf(strategy.refresh(token)));
    for (const [index, refresh] of all.entries()) {
      await endpoint.arrived(index + 1);
      clock.tick(TIMEOUT - 1);
      endpoint.release();
      endpoint.hold();
      expect(await refresh).to.equal(200);
    }
  });

  it('times out when it has got one and no response comes', async () => {
    const strategy = strategyWith(new http.Agent({ maxSockets: 1 }));
    endpoint.hold();
    const [first, second] = ['first', 'second'].map((token) => statusOf(strategy.refresh(token)));
    await endpoint.arrived(1);
    endpoint.release();
    endpoint.hold();
    expect(await first).to.equal(200);
    await endpoint.arrived(2);
    clock.tick(TIMEOUT);
    expect(await second).to.equal(504);
  });

  it('times out when requests of others keep all sockets', async () => {
    const agent = new http.Agent({ maxSockets: 1 });
    endpoint.hold();
    http.get(endpoint.origin, { agent }).on('error', () => {});
    const refreshes = ['first', 'second'].map((token) => statusOf(strategyWith(agent).refresh(token)));
    await endpoint.arrived(1);
    clock.tick(TIMEOUT);
    expect(await Promise.all(refreshes)).to.deep.equal([504, 504]);
    expect(endpoint.requests).to.equal(1);
  });

  it('times out when the agent never gives it one, and has no queue', async () => {
    class Silent extends http.Agent {
      addRequest(): void {}
    }
    const refresh = statusOf(strategyWith(new Silent()).refresh('first'));
    await new Promise(setImmediate);
    clock.tick(TIMEOUT);
    expect(await refresh).to.equal(504);
  });

  it('times out where fake time has an end, and so do those after it', async () => {
    endpoint.hold();
    const strategy = strategyWith(new http.Agent());
    for (const token of ['first', 'second']) {
      const fakeTime = install({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate'] });
      const refresh = statusOf(strategy.refresh(token));
      fakeTime.tick(TIMEOUT);
      fakeTime.uninstall();
      expect(await refresh).to.equal(504);
    }
  });

  it('is one of a thousand that all end well, over two sockets', async () => {
    const strategy = strategyWith(new http.Agent({ keepAlive: true, maxSockets: 2 }));
    const tokens = Array.from({ length: 1_000 }, (_, index) => `token-${index}`);
    const all = await Promise.all(tokens.map((token) => statusOf(strategy.refresh(token))));
    expect(new Set(all)).to.deep.equal(new Set([200]));
    expect(endpoint.mostConnections).to.be.at.most(2);
  });
});
