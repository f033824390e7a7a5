// Records what a strategy sends to Pipedrive and what comes back. The strategy has one public seam for that, its `agent`:
// the agent's connections see each request as it is written, and Node.js's diagnostics channel has the answers to them.
import { subscribe } from 'node:diagnostics_channel';
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Duplex } from 'node:stream';
import { type Exchange, maskedExchange, type RawExchange } from './exchange';

interface Recording {
  sent: string;
  status?: number;
  received: Buffer[];
}

const recordings = new WeakMap<Duplex, Recording>();

subscribe('http.client.response.finish', (message) => {
  const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
  const recording = request.socket && recordings.get(request.socket);
  if (!recording) return;
  recording.status = response.statusCode;
  response.on('data', (chunk: Buffer) => recording.received.push(chunk));
});

/** Writes down what is written to a connection. */
function record(connection: Duplex): Recording {
  const recording: Recording = { sent: '', received: [] };
  recordings.set(connection, recording);
  const write = connection.write;
  connection.write = (chunk: unknown, ...rest: unknown[]) => {
    recording.sent += chunk;
    return Reflect.apply(write, connection, [chunk, ...rest]);
  };
  return recording;
}

function readRecording({ sent, status, received }: Recording, protocol: string): RawExchange {
  const [head = '', body = ''] = sent.split('\r\n\r\n');
  const [requestLine = '', ...lines] = head.split('\r\n');
  const [method = '', path = ''] = requestLine.split(' ');
  const headers: RawExchange['headers'] = {};
  for (const line of lines) headers[line.slice(0, line.indexOf(':')).toLowerCase()] = line.replace(/^[^:]*: */, '');
  const answer = status === undefined ? undefined : { status, body: Buffer.concat(received).toString() };
  return { method, url: `${protocol}//${headers.host}${path}`, headers, body, answer };
}

export class Recorder {
  /** For the strategy. Every request has a connection of its own, so that what is written there belongs together. */
  readonly agent: http.Agent;
  readonly #protocol: string;
  #recordings: Recording[] = [];

  constructor(url: string) {
    this.#protocol = new URL(url).protocol;
    this.agent = this.#protocol === 'https:' ? new https.Agent() : new http.Agent();
    const connect = this.agent.createConnection;
    this.agent.createConnection = (...args) => {
      const connection = Reflect.apply(connect, this.agent, args);
      if (connection) this.#recordings.push(record(connection));
      return connection;
    };
  }

  /** What was exchanged since the last call, masked. */
  take(): Exchange[] {
    const recordings = this.#recordings;
    this.#recordings = [];
    return recordings.filter(({ sent }) => sent).map((one) => maskedExchange(readRecording(one, this.#protocol)));
  }
}
