// Requests to Pipedrive through agents and under subscribers that nobody would expect: they work or fail, and the
// process lives on.
import diagnostics from 'node:diagnostics_channel';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import { expect } from 'chai';
import { InternalOAuthError, PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { mustNotBeCalled, options } from '../support/app';
import { collectGarbage } from '../support/garbage';
import { refreshToken, tokens } from '../support/pipedrive';
import { answerOf, answerWell, rawServersForEach } from '../support/servers';

describe('request to Pipedrive', () => {
  const startServer = rawServersForEach();
  const strategyOn = (origin: string, more: { agent?: http.Agent; timeout?: number } = {}) =>
    new PipedriveStrategy({ ...options, tokenURL: `${origin}/oauth/token`, ...more }, mustNotBeCalled);
  const refreshError = (strategy: PipedriveStrategy): Promise<unknown> =>
    strategy.refresh(refreshToken).then(
      () => undefined,
      (error) => error,
    );

  /** Calls a function with what each request publishes on a channel, until the returned function is called. */
  function subscribe(channel: string, listener: (message: object) => void): () => void {
    const listen = (message: unknown) => listener(Object(message));
    diagnostics.subscribe(channel, listen);
    return () => void diagnostics.unsubscribe(channel, listen);
  }

  for (const encoding of ['utf8', 'latin1', 'hex', 'base64', 'base64url', 'utf16le'] as const) {
    it(`works when a subscriber of a diagnostics channel has set the encoding ${encoding}`, async () => {
      const server = await startServer((socket) => {
        socket.write(answerOf({ ...tokens, api_domain: server.origin, scope: 'décor' }));
      });
      const unsubscribe = subscribe('http.client.response.finish', (message) => {
        (message as { response: IncomingMessage }).response.setEncoding(encoding);
      });
      try {
        expect(await strategyOn(server.origin).refresh(refreshToken)).to.include({ scope: 'décor' });
      } finally {
        unsubscribe();
      }
    });
  }

  const subscribers: Record<string, [channel: string, (message: object) => void]> = {
    'destroys the response': [
      'http.client.response.finish',
      (message) => (message as { response: IncomingMessage }).response.destroy(),
    ],
    'destroys the response with an error': [
      'http.client.response.finish',
      (message) => (message as { response: IncomingMessage }).response.destroy(new Error('no way')),
    ],
    'destroys the response that has come and that nobody has read yet': [
      'http.client.response.finish',
      (message) => {
        const { response } = message as { response: IncomingMessage };
        response.pause();
        setImmediate(() => response.destroy());
      },
    ],
    'destroys the request': [
      'http.client.request.start',
      (message) => (message as { request: ClientRequest }).request.destroy(),
    ],
    'emits data that is no data': [
      'http.client.response.finish',
      (message) => {
        const { response } = message as { response: IncomingMessage };
        setImmediate(() => response.emit('data', undefined));
        response.pause();
      },
    ],
  };
  for (const [what, [channel, listener]] of Object.entries(subscribers)) {
    it(`is an error with status 502 when a subscriber ${what}`, async () => {
      const server = await startServer(answerWell);
      const unsubscribe = subscribe(channel, listener);
      try {
        const error = await refreshError(strategyOn(server.origin));
        expect(error).to.be.instanceOf(InternalOAuthError).and.include({ status: 502 });
      } finally {
        unsubscribe();
      }
    });
  }

  it('works with an agent that keeps no list of its sockets', async () => {
    const server = await startServer(answerWell);
    const agent = new http.Agent({ keepAlive: true });
    const bare = { addRequest: Reflect.get(agent, 'addRequest').bind(agent), keepAlive: true, protocol: 'http:' };
    const strategy = strategyOn(server.origin);
    strategy._oauth2.setAgent(bare as unknown as http.Agent);
    for (const _ of [1, 2]) expect(await strategy.refresh(refreshToken)).to.include({ token_type: 'bearer' });
    expect(server.connections).to.equal(1);
  });

  const events: Record<string, unknown[]> = {
    'error without an error': ['error', undefined],
    'error with a text': ['error', 'no way'],
    'response without a response': ['response', undefined],
    'response with a number': ['response', 7],
    'upgrade without a socket': ['upgrade', undefined, undefined],
    'socket without a socket, and an error': ['socket', undefined],
  };
  for (const [what, [name, ...given]] of Object.entries(events)) {
    it(`is an error with status 502 when the agent emits ${what}`, async () => {
      const server = await startServer(answerWell);
      const agent = Object.assign(new http.Agent(), {
        addRequest(request: ClientRequest) {
          setImmediate(() => {
            request.emit(String(name), ...given);
            if (name === 'socket') request.emit('error', new Error('no way'));
          });
        },
      });
      const error = await refreshError(strategyOn(server.origin, { agent }));
      expect(error).to.be.instanceOf(InternalOAuthError).and.include({ status: 502 });
    });
  }

  it('is an error with status 502 when the response switches protocols, and the connection ends', async () => {
    const server = await startServer((socket) => {
      socket.write('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    });
    const error = await refreshError(strategyOn(server.origin));
    expect(error).to.include({ status: 502 }).and.have.property('message').that.includes('switches protocols');
    await server.drained();
  });

  it('says that a response is too long', async () => {
    const server = await startServer((socket) => socket.write(answerOf('x'.repeat(1_048_577))));
    const error = await refreshError(strategyOn(server.origin));
    expect(error).to.have.property('message').that.includes('longer than 1048576 bytes').and.not.includes('reached');
  });

  it('keeps few megabytes of a body of 1 MiB in chunks of one byte', async () => {
    const padding = ' '.repeat(1_000_000);
    const server = await startServer((socket, { text }) => {
      const host = /host: (\S+)/i.exec(text)?.[1];
      const body = JSON.stringify({ ...tokens, api_domain: `http://${host}` }) + padding;
      socket.write('HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n');
      socket.write(`${Array.from(body, (byte) => `1\r\n${byte}\r\n`).join('')}0\r\n\r\n`);
    });
    const memory = () => {
      collectGarbage();
      return process.memoryUsage().heapUsed + process.memoryUsage().external;
    };
    const samples: number[] = [];
    const unsubscribe = subscribe('http.client.response.finish', (message) => {
      const { response } = message as { response: IncomingMessage };
      let count = 0;
      response.on('data', () => {
        count += 1;
        if (count % 250_000 === 0) samples.push(memory());
      });
    });
    try {
      expect(await strategyOn(server.origin).refresh(refreshToken)).to.include({ token_type: 'bearer' });
    } finally {
      unsubscribe();
    }
    expect(samples).to.have.length(4);
    const [first = 0, , , last = 0] = samples;
    expect((last - first) / 1e6).to.be.below(50);
  }).timeout(20_000);
});
