// A real Express app that signs in with the strategy, and the browsers that visit it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import { Passport } from 'passport';
import {
  type PipedriveAuthenticateOptions,
  PipedriveStrategy,
  type PipedriveStrategyOptions,
  type VerifyFunction,
} from 'passport-pipedrive-oauth2';
import { Browser } from './browser';

export const clientID = 'client-id';
export const clientSecret = 'client-secret-0123456789';
export const callbackURL = 'http://127.0.0.1/callback';
export const options = { clientID, clientSecret, callbackURL };

/** For requests that must end before the verify function. */
export const mustNotBeCalled: VerifyFunction = () => {
  throw new Error('verify must not be called');
};

/** Lets everybody in. */
export const anybody: VerifyFunction = (_context) => ({ id: 1 });

/** What the app answers with: the outcome that it saw. */
export interface Answer {
  status: number;
  headers: Headers;
  outcome: 'redirect' | 'success' | 'failure' | 'error' | 'other';
  /** Where a redirect leads. */
  location?: URL;
  user?: unknown;
  authInfo?: unknown;
  body: string;
}

export interface AppOptions {
  strategy?: PipedriveStrategy;
  options?: Partial<PipedriveStrategyOptions>;
  verify?: VerifyFunction;
  /** Given to `passport.authenticate` on the route that starts a sign-in. */
  authorize?: PipedriveAuthenticateOptions;
  /** Given to `passport.authenticate` on the callback's route. */
  callback?: PipedriveAuthenticateOptions;
  /** In front of Passport: sessions, parsers. */
  before?: RequestHandler[];
  /** More routes, in front of the error handler. */
  routes?: (app: Express, strategy: PipedriveStrategy) => void;
}

/** A browser that goes to one app. */
export class Visitor {
  readonly browser = new Browser();

  constructor(readonly origin: string) {}

  /** A request to the app. Redirects are not followed. */
  async send(path: string, init: { method?: string; headers?: Record<string, string> } = {}): Promise<Answer> {
    const response = await this.browser.send(this.origin + path, init);
    const body = await response.text();
    const location = response.headers.get('location');
    const isJSON = body !== '' && response.headers.get('content-type')?.startsWith('application/json');
    const seen: object = isJSON ? JSON.parse(body) : {};
    const outcome = response.status === 302 ? 'redirect' : 'other';
    const { status, headers } = response;
    return { outcome, ...seen, status, headers, body, ...(location && { location: new URL(location, this.origin) }) };
  }

  /** Starts a sign-in, and yields its state. */
  async start(path = '/auth'): Promise<string> {
    const { location } = await this.send(path);
    return location?.searchParams.get('state') ?? '';
  }

  /** The callback, with a query given as an object or as it is on the wire. */
  callback(query: Record<string, string> | string, init?: { method?: string; headers?: Record<string, string> }) {
    return this.send(`/callback?${typeof query === 'string' ? query : new URLSearchParams(query)}`, init);
  }

  /** Starts a sign-in and comes back from it with a code. */
  async signIn(code = 'the-code-of-the-user'): Promise<Answer> {
    return this.callback({ code, state: await this.start() });
  }
}

export interface App {
  origin: string;
  strategy: PipedriveStrategy;
  /** What error handlers were given, failures excluded. */
  errors: unknown[];
  /** A browser without cookies, new with each call. */
  visitor(): Visitor;
  close(): Promise<void>;
}

const answerSuccess: RequestHandler = (req, res) => {
  res.json({ outcome: 'success', user: req.user, authInfo: req.authInfo });
};

const answerError =
  (errors: unknown[]): ErrorRequestHandler =>
  (error, req, res, _next) => {
    const isFailure = error?.name === 'AuthenticationError';
    if (!isFailure) errors.push(error);
    res.status(error?.status ?? 500);
    res.json({ outcome: isFailure ? 'failure' : 'error', authInfo: isFailure ? req.authInfo : undefined });
  };

/** Starts the app, on a free port. Its callback URL is `options.callbackURL`, whatever the port. */
async function startApp(given: AppOptions = {}): Promise<App> {
  const strategy =
    given.strategy ?? new PipedriveStrategy({ ...options, ...given.options }, given.verify ?? mustNotBeCalled);
  const errors: unknown[] = [];
  const passport = new Passport();
  passport.use(strategy);
  const app = express();
  for (const handler of given.before ?? []) app.use(handler);
  app.get('/auth', passport.authenticate('pipedrive', { session: false, ...given.authorize }));
  app.all(
    '/callback',
    passport.authenticate('pipedrive', { session: false, failWithError: true, ...given.callback }),
    answerSuccess,
  );
  given.routes?.(app, strategy);
  app.use(answerError(errors));

  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    strategy,
    errors,
    visitor: () => new Visitor(origin),
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Starts apps for the tests of a suite, and closes them after each. */
export function appsForEach(): (given?: AppOptions) => Promise<App> {
  let started: App[] = [];
  afterEach(async () => {
    await Promise.all(started.map((app) => app.close()));
    started = [];
  });
  return async (given) => {
    const app = await startApp(given);
    started.push(app);
    return app;
  };
}

/** Expects a failure with this status and code, and yields its info. */
export function expectFailure(answer: Answer, status: number, code: string): Record<string, unknown> {
  expect(answer).to.include({ outcome: 'failure', status });
  expect(answer.authInfo).to.include({ code });
  const info: Record<string, unknown> = { ...(answer.authInfo as object) };
  expect(info.message).to.match(/^[A-Z][\w' -]+\. (Start again|Try again later)[\w ,]*\.$/);
  return info;
}

/** Expects a redirect to Pipedrive, and yields its query. */
export function expectRedirect({ status, location }: Answer): URLSearchParams {
  expect(status).to.equal(302);
  expect(location?.origin).to.equal('https://oauth.pipedrive.com');
  return location?.searchParams ?? new URLSearchParams();
}

/** Expects an error with this status, and yields what the error handler got. */
export function expectError(app: App, answer: Answer, status: number): Error & Record<string, unknown> {
  expect(answer).to.include({ outcome: 'error', status });
  expect(app.errors).to.have.length(1);
  const [error] = app.errors;
  if (!(error instanceof Error)) throw new Error('What the error handler got is no Error');
  return error as Error & Record<string, unknown>;
}
