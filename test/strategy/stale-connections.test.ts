// When a request to Pipedrive is sent again, and when it is not: on real connections.
import http from 'node:http';
import { expect } from 'chai';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { InternalOAuthError, PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { Server as ProxyServer } from 'proxy-chain';
import { mustNotBeCalled, options } from '../support/app';
import { type HowToClose, startClosingServer } from '../support/closing-server';
import { tokens } from '../support/pipedrive';
import { type Answerer, answerOf, answerWell, rawServersForEach } from '../support/servers';

const idleTimeout = answerOf('', 408, 'Connection: close\r\n');

describe('stale connection', () => {
  const startServer = rawServersForEach();
  const keepAlive = () => new http.Agent({ keepAlive: true });
  const strategyOn = (origin: string, agent: http.Agent = keepAlive()) =>
    new PipedriveStrategy({ ...options, tokenURL: `${origin}/oauth/token`, agent }, mustNotBeCalled);

  /** Refreshes on a new connection, then on the old one, where the server does something else; yields its requests. */
  async function refreshTwice(answer: Answerer, agent?: http.Agent) {
    const server = await startServer((socket, request) =>
      request.connection === 1 && request.count === 2 ? answer(socket, request) : answerWell(socket, request),
    );
    const strategy = strategyOn(server.origin, agent);
    await strategy.refresh('first');
    const error: unknown = await strategy.refresh('second').then(
      () => undefined,
      (reason) => reason,
    );
    return { error, requests: server.requests.length };
  }

  const stale: Record<string, Answerer> = {
    'closes it': (socket) => socket.end(),
    'resets it': (socket) => socket.resetAndDestroy(),
    'answers 408': (socket) => socket.end(idleTimeout),
    'answers 408 with a body, and leaves it open': (socket) => socket.write(answerOf('{}', 408)),
    'answers 408 with a body that never ends': (socket) => socket.write(answerOf('{}', 408).slice(0, -1)),
  };
  for (const [what, answer] of Object.entries(stale)) {
    it(`is replaced when the server ${what}`, async () => {
      expect(await refreshTwice(answer)).to.deep.equal({ error: undefined, requests: 3 });
    });

    it(`is replaced when the server ${what}, behind a proxy`, async () => {
      const proxy = new ProxyServer({ port: 0, host: '127.0.0.1' });
      await proxy.listen();
      try {
        const agent = new HttpsProxyAgent(`http://127.0.0.1:${proxy.port}`, { keepAlive: true });
        expect(await refreshTwice(answer, agent)).to.deep.equal({ error: undefined, requests: 3 });
      } finally {
        await proxy.close(true);
      }
    });
  }

  const begun: Record<string, string> = {
    'a byte': 'H',
    'half a status line': 'HTTP/1.1 2',
    'half a 408': 'HTTP/1.1 408 Request Time-out\r\nConte',
    'an informational response': 'HTTP/1.1 103 Early Hints\r\n\r\n',
    'half a body': answerOf(tokens).slice(0, -20),
  };
  for (const [what, text] of Object.entries(begun)) {
    it(`is an error with status 502, and no second request, once ${what} has come`, async () => {
      const { error, requests } = await refreshTwice((socket) => socket.write(text, () => socket.resetAndDestroy()));
      expect(error).to.be.instanceOf(InternalOAuthError).and.include({ status: 502 });
      expect(requests).to.equal(2);
    });
  }

  const later: Record<string, Answerer> = {
    'resets it': (socket) => socket.resetAndDestroy(),
    'answers 408': (socket) => socket.end(idleTimeout),
  };
  for (const [what, answer] of Object.entries(later)) {
    it(`is an error with status 502 when the server ${what} after a second`, async () => {
      const { now } = performance;
      try {
        const { error, requests } = await refreshTwice((socket, request) => {
          performance.now = () => now.call(performance) + 1_000;
          answer(socket, request);
        });
        expect(error).to.be.instanceOf(InternalOAuthError).and.include({ status: 502 });
        expect(requests).to.equal(2);
      } finally {
        performance.now = now;
      }
    });
  }

  it('is not what a 408 on a new connection means', async () => {
    const server = await startServer((socket) => socket.end(idleTimeout));
    const error: unknown = await strategyOn(server.origin)
      .refresh('first')
      .catch((reason) => reason);
    expect(error).to.be.instanceOf(InternalOAuthError).and.include({ status: 502 });
    expect(server.requests).to.have.length(1);
  });

  it('is replaced for a request that waited in the queue of the agent', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    const server = await startServer((socket, request) =>
      request.connection === 1 && request.count === 2 ? socket.resetAndDestroy() : answerWell(socket, request),
    );
    const strategy = strategyOn(server.origin, agent);
    await Promise.all(['first', 'second', 'third'].map((token) => strategy.refresh(token)));
    expect(server.requests).to.have.length(4);
  });

  for (const how of ['end', 'reset', 'end and reset'] as const satisfies readonly HowToClose[]) {
    it(`is replaced when the server closed ten by "${how}" while the process was frozen`, async () => {
      const server = await startClosingServer(answerOf({ ...tokens, api_domain: 'https://acme.pipedrive.com' }));
      try {
        const strategy = strategyOn(server.origin);
        const refresh = (from: number) =>
          Promise.all(Array.from({ length: 10 }, (_, i) => strategy.refresh(`token-${from + i}`)));
        await refresh(0);
        server.closeConnections(how);
        expect(await refresh(10)).to.have.length(10);
        expect(await server.count()).to.equal(20);
      } finally {
        await server.close();
      }
    });
  }
});
