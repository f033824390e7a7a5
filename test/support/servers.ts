// Servers that play Pipedrive badly, on the level of connections: real ones, on this machine.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer, type Server, type Socket } from 'node:net';
import nock from 'nock';
import { currentUser, users } from 'pipedrive-sandbox';
import { tokens } from './pipedrive';

/** Answers one request on a connection; `count` says which one of the connection it is, from 1. */
export type Answerer = (socket: Socket, request: { text: string; count: number; connection: number }) => void;

export interface RawServer {
  origin: string;
  /** First lines of the requests that came, in their order. */
  requests: string[];
  connections: number;
  /** Resolves when no connection is open. */
  drained(): Promise<void>;
  close(): Promise<void>;
}

/** An HTTP/1.1 answer with a JSON body, after which the connection stays open. */
export function answerOf(body: unknown, status = 200, headers = ''): string {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const length = `Content-Length: ${Buffer.byteLength(text)}\r\n`;
  return `HTTP/1.1 ${status} X\r\nContent-Type: application/json\r\n${headers}${length}\r\n${text}`;
}

/** What Pipedrive sends to a request of ours: tokens for a POST, else the user. The server is the company's API, too. */
export function bodyFor(request: string) {
  const host = /host: (\S+)/i.exec(request)?.[1];
  return request.startsWith('POST') ? { ...tokens, api_domain: `http://${host}` } : currentUser(users.ada);
}

/** Answers as Pipedrive does. */
export const answerWell: Answerer = (socket, { text }) => void socket.write(answerOf(bodyFor(text)));

/** A server that gives each request to `answer`, as it is. Requests must be small: each is expected in one piece. */
async function startRawServer(answer: Answerer): Promise<RawServer> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    started.connections += 1;
    const connection = started.connections;
    let count = 0;
    let text = '';
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.on('data', (data) => {
      text += data;
      const [head = '', body] = text.split('\r\n\r\n');
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      if (body === undefined || body.length < length) return;
      count += 1;
      started.requests.push(head.split('\r\n')[0] ?? '');
      const request = { text, count, connection };
      text = '';
      answer(socket, request);
    });
  });
  const started: RawServer = {
    origin: '',
    requests: [],
    connections: 0,
    async drained() {
      // After a reset, too, for which `once` of node:events would reject.
      for (const socket of sockets) await new Promise((resolve) => socket.on('close', resolve));
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  started.origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return started;
}

/** Starts servers for the tests of a suite, and closes them after each. Connections are real there: nock is off. */
export function rawServersForEach(): (answer: Answerer) => Promise<RawServer> {
  const started: RawServer[] = [];
  before(() => nock.restore());
  afterEach(() => Promise.all(started.splice(0).map((server) => server.close())));
  return async (answer) => {
    const server = await startRawServer(answer);
    started.push(server);
    return server;
  };
}
