// Records a sign-in as HTTP sees it: Express tells what the browser asked of the app, Node.js's diagnostics channels what
// the app asked of Pipedrive, and the sandbox's log what the browser asked of Pipedrive.
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Request, RequestHandler } from 'express';
import type { Sandbox } from 'pipedrive-sandbox';

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

const authorizePath = '/oauth/authorize';

/** All that was sent and received. */
export class Recording {
  /** In the order in which things happened: an exchange is here at its request, and once more at its response. */
  readonly arrows: Exchange[] = [];

  get exchanges(): Exchange[] {
    return [...new Set(this.arrows)];
  }

  request(exchange: Exchange): Exchange {
    this.arrows.push(exchange);
    return exchange;
  }

  respond(exchange: Exchange, status: number, location?: string): void {
    exchange.response = { status, body: '', ...(location && { location }) };
    this.arrows.push(exchange);
  }
}

/** What browsers did on the consent page, from the sandbox's log. */
export class Consents {
  /** How many requests of each client and state have been told of: a state can come back, and none is no state. */
  readonly #told = new Map<string, number>();

  constructor(readonly sandbox: Pick<Sandbox, 'origin' | 'requests'>) {}

  /** Adds what is new of this client and state: the page, and the click on it, which led to `callback`. */
  record(recording: Recording, clientID: string, state: string | undefined, callback: string): void {
    const { origin, requests } = this.sandbox;
    const key = JSON.stringify([clientID, state]);
    const all = requests.filter(
      ({ path, form }) => path === authorizePath && form.client_id === clientID && form.state === state,
    );
    // Without a state the consent pages of other browsers look alike: only the newest counts.
    const begin = state === undefined ? all.findLastIndex(({ method }) => method === 'GET') : 0;
    const fresh = all.slice(Math.max(begin, this.#told.get(key) ?? 0));
    this.#told.set(key, all.length);
    for (const request of fresh) {
      const { method, status, form } = request;
      const params = String(new URLSearchParams(form));
      const [query, body] = method === 'GET' ? [`?${params}`, ''] : ['', params];
      const headers: Exchange['headers'] = body ? { 'content-type': 'application/x-www-form-urlencoded' } : {};
      const url = origin + authorizePath + query;
      const exchange = recording.request({ from: 'browser', to: 'pipedrive', method, url, headers, body });
      const location = status === 303 && request === fresh.at(-1) ? callback : undefined;
      if (status !== undefined) recording.respond(exchange, status, location);
    }
  }
}

/** What is recorded now, and the body of the request that the strategy's client is about to send. */
const context = new AsyncLocalStorage<{ recording: Recording; body: string }>();
const pending = new WeakMap<ClientRequest, { recording: Recording; exchange: Exchange }>();

subscribe('http.client.request.start', (message) => {
  const { request } = message as { request: ClientRequest };
  const current = context.getStore();
  if (!current) return;
  const { recording, body } = current;
  const headers = Object.fromEntries(Object.entries(request.getHeaders()).map(([name, value]) => [name, `${value}`]));
  const url = `${request.protocol}//${headers.host}${request.path}`;
  const exchange = recording.request({ from: 'app', to: 'pipedrive', method: request.method, url, headers, body });
  pending.set(request, { recording, exchange });
});

subscribe('http.client.response.finish', (message) => {
  const { request, response } = message as { request: ClientRequest; response: IncomingMessage };
  const { recording, exchange } = pending.get(request) ?? {};
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
    const url = origin + req.originalUrl;
    const exchange = recording.request({ from: 'browser', to: 'app', method: req.method, url, headers: {}, body: '' });
    res.once('finish', () => recording.respond(exchange, res.statusCode, res.get('location')));
    return record(recording, next);
  };
