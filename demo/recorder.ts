// Records a sign-in as HTTP sees it: Express tells what the browser asked of the app, Node.js's diagnostics channels what
// the app asked of Pipedrive, and the sandbox's log what the browser asked of Pipedrive.
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import type { RecordedRequest, Sandbox } from 'pipedrive-sandbox';

export type Party = 'browser' | 'app' | 'pipedrive';

/** One request and its response, nothing masked: only exchange.ts makes something of it that a page may show. */
export interface Exchange {
  from: Party;
  to: Party;
  method: string;
  /** Absolute, with its query. */
  url: string;
  headers: Record<string, string>;
  body: string;
  /** None as long as there is none: Pipedrive may stay silent. */
  response?: { status: number; location?: string; body: string };
}

/** A request or a response: an arrow of the diagram. */
export interface Arrow {
  exchange: Exchange;
  isResponse: boolean;
}

/** All that was sent and received, in the order in which it was. */
export class Recording {
  readonly exchanges: Exchange[] = [];
  readonly arrows: Arrow[] = [];

  request(exchange: Exchange): Exchange {
    this.exchanges.push(exchange);
    this.arrows.push({ exchange, isResponse: false });
    return exchange;
  }

  respond(exchange: Exchange, status: number, location?: string): void {
    exchange.response = { status, body: '', ...(location && { location }) };
    this.arrows.push({ exchange, isResponse: true });
  }

  /** Adds what the sandbox's log has of the browser: the consent page, and the click on it, which led to `callback`. */
  consent({ origin }: Pick<Sandbox, 'origin'>, requests: readonly RecordedRequest[], callback: string): void {
    for (const { method, path, status, form } of requests) {
      const params = new URLSearchParams(form).toString();
      const [query, body] = method === 'GET' ? [`?${params}`, ''] : ['', params];
      const headers: Exchange['headers'] = body ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
      const url = origin + path + query;
      const exchange = this.request({ from: 'browser', to: 'pipedrive', method, url, headers, body });
      if (status !== undefined) this.respond(exchange, status, status === 303 ? callback : undefined);
    }
  }
}

interface Context {
  recording: Recording;
  /** Of the request that the strategy's client is about to send. */
  body: string;
}

const context = new AsyncLocalStorage<Context>();
const underWay = new WeakMap<ClientRequest, { recording: Recording; exchange: Exchange }>();

subscribe('http.client.request.start', (message) => {
  const { request } = message as { request: ClientRequest };
  const current = context.getStore();
  if (!current) return;
  const headers = Object.fromEntries(
    Object.entries(request.getHeaders()).map(([name, value]) => [name, String(value)]),
  );
  const url = `${request.protocol}//${headers.host}${request.path}`;
  const { recording, body } = current;
  const exchange = recording.request({ from: 'app', to: 'pipedrive', method: request.method, url, headers, body });
  underWay.set(request, { recording, exchange });
});

subscribe('http.client.response.finish', (message) => {
  const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
  const { recording, exchange } = underWay.get(request) ?? {};
  if (!recording || !exchange) return;
  recording.respond(exchange, response.statusCode ?? 0, response.headers.location);
  response.on('data', (chunk: Buffer | string) => {
    if (exchange.response) exchange.response.body += chunk;
  });
});

/** Runs something, and records what it asks of Pipedrive. */
export const record = <Result>(recording: Recording, run: () => Result): Result =>
  context.run({ recording, body: '' }, run);

/** `oauth`'s client, as passport-oauth2 has it and as this package has it. */
interface Client {
  _request(...args: [method: string, url: string, headers: object | null, body: unknown, ...rest: unknown[]]): void;
}

/** Notes the bodies that a client sends: the diagnostics channels have none. */
export function recordBodies(client: Client): void {
  const request = client._request;
  client._request = (...args) => {
    const current = context.getStore();
    const send = () => Reflect.apply(request, client, args);
    return current ? context.run({ ...current, body: String(args[3] ?? '') }, send) : send();
  };
}

/** Records a request of the browser's, the app's response, and what the app asks of Pipedrive in between. */
export const recordRequests =
  (recordingOf: (req: Request) => Recording | undefined, origin: string): RequestHandler =>
  (req, res, next) => {
    const recording = recordingOf(req);
    if (!recording) return next();
    const { method, originalUrl } = req;
    const url = origin + originalUrl;
    const exchange = recording.request({ from: 'browser', to: 'app', method, url, headers: {}, body: '' });
    res.once('finish', () => recording.respond(exchange, res.statusCode, res.get('location')));
    return record(recording, next);
  };
