// What a request to the strategy ends in, as plain data; and the one place that calls a Passport action.
import type { Http2ServerRequest } from 'node:http2';
import type { Request } from 'express';
import type { StrategyCreatedStatic } from 'passport';
import type { TokenError } from 'passport-oauth2';
import type { PipedriveAuthenticateOptions } from './authenticate-options';
import { debug } from './diagnostics';
import { asError, describeThrown, descriptionOf, safeMessageOf } from './errors';
import { isPromise } from './from-callback';
import { responseOf, responseOrKoaOf } from './response';
import { isText, withoutUndefined } from './values';
import type { Verdict } from './verify';
import { emitWarning } from './warnings';

/** Codes of failures that the strategy finds, or that Pipedrive and RFC 6749 §4.1.2.1 document. */
type KnownCode =
  | keyof typeof FAILURES
  | 'user_denied'
  | 'access_denied'
  | 'temporarily_unavailable'
  | 'server_error'
  | 'unauthorized_client'
  | 'unsupported_response_type'
  | 'invalid_scope';

/** Why a sign-in failed: the `info` of a failure, and `req.authInfo` after it. */
export interface PipedriveFailure {
  /** Stable name of the failure: Pipedrive's error code as sent, or one of ours (`state_invalid`, `state_expired`…). */
  code: KnownCode | (string & Record<never, never>);
  /** A fixed sentence of ours, safe to show: it says what the user can do. */
  message: string;
  /** Pipedrive's text. Only there when the request's state verified, since anybody can craft an error link. */
  description?: string;
  /** Pipedrive's page about the error, under the same condition. */
  uri?: string;
  /** What the app gave as `state` to `passport.authenticate`, under the same condition. */
  state?: unknown;
}

export type Outcome =
  | { action: 'redirect'; url: string; reason?: string }
  | { action: 'success'; user: Express.User; info: object }
  | {
      action: 'fail';
      info: object | string | undefined;
      status: number;
      headers?: Record<string, string>;
      reason?: string;
    }
  | { action: 'error'; error: unknown };

interface Failure {
  status: number;
  message: string;
}

/** Failures that the strategy finds itself. */
const FAILURES = {
  invalid_request: { status: 400, message: 'The sign-in request is not valid. Start again.' },
  state_missing: { status: 403, message: 'This sign-in did not start here. Start again from the app.' },
  state_invalid: {
    status: 403,
    message: "We couldn't match this sign-in to your browser. Start again, and check that cookies are allowed.",
  },
  state_expired: { status: 403, message: 'The sign-in took too long. Start again.' },
  invalid_grant: { status: 403, message: 'The sign-in has expired or was already used. Start again.' },
} satisfies Record<string, Failure>;

const DENIED: Failure = {
  status: 403,
  message: 'Access to Pipedrive was not allowed. Start again if you want to allow it.',
};
const OTHER_ERROR: Failure = { status: 400, message: 'Pipedrive refused the sign-in. Start again.' };

/** Error codes of a callback that have a status of their own (RFC 6749 §4.1.2.1; Pipedrive's is `user_denied`). */
const CALLBACK_ERRORS = new Map<string, Failure>([
  ['user_denied', DENIED],
  ['access_denied', DENIED],
  ['temporarily_unavailable', { status: 503, message: 'Pipedrive is busy at the moment. Try again later.' }],
  ['server_error', { status: 502, message: 'Pipedrive could not complete the sign-in. Try again later.' }],
]);

type Details = Omit<PipedriveFailure, 'code' | 'message'>;

interface FailureOptions {
  details?: Details;
  /** In place of the code's usual status. */
  status?: number;
  headers?: Record<string, string>;
  /** Why, for the developer. The user does not see it. */
  reason?: string;
}

/** A failure that the strategy found. */
export function failure(code: keyof typeof FAILURES, options: FailureOptions = {}): Outcome {
  return failureOutcome(code, FAILURES[code], options);
}

/** A failure that Pipedrive reported to the callback, by the code that it sent. */
export function callbackFailure(code: string, details: Details): Outcome {
  return failureOutcome(code, CALLBACK_ERRORS.get(code) ?? OTHER_ERROR, { details });
}

/** The token endpoint refused the code, which has expired or was used before. */
export function grantFailure(error: TokenError, state: unknown): Outcome {
  const description = descriptionOf(error);
  return failure('invalid_grant', { details: { description, state }, reason: description });
}

function failureOutcome(
  code: string,
  { status, message }: Failure,
  { details = {}, ...more }: FailureOptions,
): Outcome {
  const info: PipedriveFailure = { code, message, ...withoutUndefined(details) };
  return { action: 'fail', info, status, ...more };
}

/** What the app's verify function said. On success the app's state, and whether it is an install, go with its info. */
export function verdictOutcome(
  { user, info }: Verdict,
  { state, marketplace }: { state?: unknown; marketplace?: boolean } = {},
): Outcome {
  if (!user) return { action: 'fail', info, status: 401 };
  const details = typeof info === 'string' ? { message: info } : (info ?? {});
  const added = withoutUndefined({ state, marketplace: marketplace || undefined });
  return { action: 'success', user, info: withMembers(details, added) };
}

/** A plain object with more members is a copy. An instance of a class gets them itself, if it can; a number cannot. */
function withMembers(info: object, members: object): object {
  if (Object.keys(members).length === 0) return info;
  if (Object(info) !== info) return members;
  const prototype: unknown = Object.getPrototypeOf(info);
  const isPlain = prototype === null || Object.getPrototypeOf(prototype) === null; // of any realm
  if (isPlain) return { ...info, ...members };
  for (const [name, value] of Object.entries(members)) Reflect.set(info, name, value);
  return info;
}

/** Prints what came of a request, and why. What an app's function gave may throw when it is read. */
function logOutcome(outcome: Outcome): void {
  if (!debug.enabled) return;
  const printAction = () => debug('%s', outcome.action);
  attempt(() => printOutcome(outcome), printAction);
}

function printOutcome(outcome: Outcome): void {
  const because = (reason: string | undefined) => (reason ? `: ${reason}` : '');
  if (outcome.action === 'fail') {
    const { code }: { code?: unknown } = Object(outcome.info);
    debug('fail, status %d, %s%s', outcome.status, isText(code) ? code : "verify's own", because(outcome.reason));
  } else if (outcome.action === 'error') {
    const { name, status } = Object(outcome.error);
    debug('error, %s, status %s%s', name, status, because(safeMessageOf(outcome.error)));
  } else {
    debug('%s%s', outcome.action, outcome.action === 'redirect' ? because(outcome.reason) : '');
  }
}

type Actions = Pick<StrategyCreatedStatic, 'redirect' | 'success' | 'fail' | 'error'>;

/** A strategy's actions as they are now: Passport may put another request's on the same object while this one waits. */
function actionsOf(strategy: Actions): Actions {
  const { redirect, success, fail, error } = strategy;
  return {
    redirect: (url) => redirect.call(strategy, url),
    success: (user, info) => success.call(strategy, user, info),
    fail: (info, status) => fail.call(strategy, info, status),
    error: (thrown) => error.call(strategy, thrown),
  };
}

/**
 * Waits for a strategy's decision, and calls the one Passport action that it names. What throws or rejects on the way,
 * such as the app's own `authenticate` callback, becomes an error.
 */
export function applyOutcome(
  strategy: Actions,
  req: Request,
  decision: Promise<Outcome>,
  options: PipedriveAuthenticateOptions,
): void {
  const actions = actionsOf(strategy);
  const onError = (error: unknown) => {
    // Once the response has ended, the app's callback can do nothing with an error but respond twice.
    if (responseOf(req)?.writableEnded) return warn(error);
    attempt(
      () => actions.error(asError(error)),
      () => lastResort(req, error),
    );
  };
  const act = (outcome: Outcome) => {
    logOutcome(outcome);
    attempt(() => {
      setHeaders(req, outcome);
      return callAction(actions, req, outcome, options);
    }, onError);
  };
  decision.then(act, (error) => act({ action: 'error', error }));
}

/** Calls a function that may throw, or return a promise that rejects. */
function attempt(call: () => unknown, onError: (error: unknown) => void): void {
  try {
    const returned = call();
    if (isPromise(returned)) returned.then(undefined, onError);
  } catch (error) {
    onError(error);
  }
}

function callAction(actions: Actions, req: Request, outcome: Outcome, options: PipedriveAuthenticateOptions): unknown {
  switch (outcome.action) {
    case 'redirect':
      return actions.redirect(outcome.url);
    case 'success':
      // `passport.authorize` sets it only since Passport 0.7, and not on Fastify.
      if (options.assignProperty && options.authInfo !== false) req.authInfo = outcome.info;
      return actions.success(outcome.user, outcome.info);
    case 'fail':
      // Passport sets authInfo on success only, and its error behind `failWithError` says nothing of the reason.
      if (typeof outcome.info === 'object') req.authInfo = outcome.info;
      return actions.fail(outcome.info, outcome.status);
    case 'error':
      return actions.error(asError(outcome.error));
  }
}

/** A shared cache must keep neither the redirect nor the callback's response (RFC 9111 §7.3). */
function setHeaders(req: Request, outcome: Outcome): void {
  const response = responseOrKoaOf(req);
  if (!response || response.headersSent) return;
  if (outcome.action === 'redirect' || response.getHeader('Cache-Control') === undefined) {
    response.setHeader('Cache-Control', 'no-store');
  }
  if (outcome.action !== 'fail') return;
  for (const [name, value] of Object.entries(outcome.headers ?? {})) response.setHeader(name, value);
}

/** If `error` throws too (the app's own callback does), end the response and say what came first: nobody else will. */
function lastResort(req: Request, error: unknown): void {
  warn(error);
  const response = responseOf(req);
  if (!response) return endConnection(req);
  if (!response.headersSent) response.statusCode = 500;
  response.end();
}

/** RFC 9113 §7: what ends a stream of HTTP/2 when the server fails. */
const INTERNAL_ERROR = 2;

/** On Fastify and bare servers the response is unknown. Over HTTP/1 what has been written to it is still sent. */
function endConnection(req: Request): void {
  const raw = Reflect.get(req, 'raw'); // Fastify wraps Node.js's request
  const { httpVersionMajor, stream, socket }: Partial<Http2ServerRequest> = Object(raw).socket ? raw : req;
  // Over HTTP/2 the connection is that of other requests, too.
  if (httpVersionMajor === 2) stream?.close(INTERNAL_ERROR);
  // Test doubles have no socket, or none that does this.
  else if (typeof socket?.destroySoon === 'function') socket.destroySoon();
}

function warn(error: unknown): void {
  const message = `The callback of passport.authenticate failed: ${describeThrown(error)}`;
  emitWarning(message, { code: 'PIPEDRIVE_UNHANDLED_ERROR' });
}
