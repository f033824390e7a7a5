// What can go wrong at Pipedrive, on demand: at one of its endpoints, for a number of requests.
import type { Request, RequestHandler, Response } from 'express';
import { apiErrors } from './bodies';
import { problemPage } from './pages';
import type { Endpoint, Fault, FaultOptions } from './types';

const endpoints: readonly Endpoint[] = ['authorize', 'token', 'users/me', 'deals', 'revoke'];

/** Faults in place of a response: the request changes nothing. */
const replacements = {
  /** 503 with a page of HTML, as during maintenance. */
  outage: (_req, res) => {
    res.status(503).send(problemPage('Down for maintenance', 'Please come back later.'));
  },
  /** 403 with a page of HTML, as a firewall in front of Pipedrive sends it. */
  html: (_req, res) => {
    res.status(403).send('<!doctype html><title>Access denied</title><h1>You have been blocked</h1>');
  },
  /** No response, while the connection stays open. */
  silence: () => {},
  /** The connection is reset. */
  reset: (req) => {
    req.socket.resetAndDestroy();
  },
  redirect: (_req, res) => {
    res.status(302).set('Location', '/').end();
  },
  /** 200 with a body that says it is JSON. */
  'not-json': (_req, res) => {
    res.type('json').send('OK');
  },
  /** Too many requests within two seconds. */
  '429': (_req, res) => {
    const limit = { 'X-RateLimit-Limit': '80', 'X-RateLimit-Remaining': '0', 'X-RateLimit-Reset': '2' };
    res.status(429).set(limit).set('Retry-After', '2').json(apiErrors.rateLimited);
  },
  /** The company's daily budget of API tokens is spent, until midnight by the sandbox's clock. */
  budget: (_req, res, { now }) => {
    const untilMidnight = 86_400 - (Math.floor(now / 1000) % 86_400);
    res.status(429).set('Retry-After', String(untilMidnight)).json(apiErrors.rateLimited);
  },
} satisfies Record<string, (req: Request, res: Response, at: { now: number }) => void>;

/** Faults on the way back: the request has done its work, and the client does not get the whole good response in time. */
const transmissions = {
  /** The good response, late. */
  slow: (res, body, delay) => {
    const timer = setTimeout(() => res.end(body), delay);
    res.on('close', () => clearTimeout(timer));
  },
  /** Half of the body, and then nothing, while the connection stays open. */
  stall: (res, body) => {
    res.write(body.subarray(0, body.length / 2));
  },
  /** Half of the body, and then the end of the connection. */
  truncate: (res, body) => {
    res.write(body.subarray(0, body.length / 2), () => res.socket?.end());
  },
  /** One byte after the other. */
  drip: (res, body, delay) => {
    let sent = 0;
    const timer = setInterval(() => {
      if (sent < body.length) res.write(body.subarray(sent, ++sent));
      else res.end();
    }, delay / 10);
    res.on('close', () => clearInterval(timer));
  },
} satisfies Record<string, (res: Response, body: Buffer, delay: number) => void>;

const isReplacement = (fault: string): fault is keyof typeof replacements => Object.hasOwn(replacements, fault);
const isTransmission = (fault: string): fault is keyof typeof transmissions => Object.hasOwn(transmissions, fault);

/** Gives the response's finished body to `transmit` in place of sending it. An empty one is filled, to break off in it. */
function interceptBody(res: Response, transmit: (body: Buffer) => void): void {
  const { end } = res;
  res.end = (chunk?: unknown) => {
    res.end = end;
    const body = typeof chunk === 'string' || chunk instanceof Uint8Array ? Buffer.from(chunk) : Buffer.from('{}');
    if (!res.hasHeader('Content-Length')) res.set('Content-Length', String(body.length));
    transmit(body);
    return res;
  };
}

export class Faults {
  readonly #active = new Map<Endpoint, { fault: Fault; left: number; delay: number }>();

  constructor(readonly now: () => number) {}

  set(
    endpoint: Endpoint,
    fault: Fault | null,
    { times = Number.POSITIVE_INFINITY, delay = 1_000 }: FaultOptions,
  ): void {
    if (!endpoints.includes(endpoint)) throw new TypeError(`endpoint must be one of ${endpoints.join(', ')}`);
    if (fault === null) return void this.#active.delete(endpoint);
    const names = [...Object.keys(replacements), ...Object.keys(transmissions)];
    if (!names.includes(fault)) throw new TypeError(`fault must be null or one of ${names.join(', ')}`);
    if (times !== Number.POSITIVE_INFINITY && !(Number.isInteger(times) && times > 0))
      throw new TypeError('times must be a positive integer');
    if (!(delay >= 0 && delay < 2 ** 31)) throw new TypeError('delay must be a number of milliseconds');
    return void this.#active.set(endpoint, { fault, left: times, delay });
  }

  /** Lets the requests to an endpoint meet the fault that is set there. */
  at(endpoint: Endpoint): RequestHandler {
    return (req, res, next) => {
      const active = this.#active.get(endpoint);
      if (!active) return next();
      const { fault, delay } = active;
      active.left -= 1;
      if (active.left === 0) this.#active.delete(endpoint);
      if (isReplacement(fault)) return replacements[fault](req, res, { now: this.now() });
      if (isTransmission(fault)) interceptBody(res, (body) => transmissions[fault](res, body, delay));
      return next();
    };
  }
}
