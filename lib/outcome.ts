// What a request to the strategy ends in, as plain data; and the one place that calls a Passport action.
import type { Request } from 'express';
import type { StrategyCreatedStatic } from 'passport';
import { asError } from './errors';
import { withoutUndefined } from './values';
import type { Verdict } from './verify';

/** Why a sign-in failed: the `info` of a failure, and `req.authInfo` after it. */
export interface PipedriveFailure {
  /** Stable name of the failure: Pipedrive's error code as sent, or one of ours (`state_invalid`, `state_expired`…). */
  code: string;
  /** A fixed sentence, safe to show to the user. */
  message: string;
  /** Pipedrive's own words. Only there when the request's state verified, since anybody can craft an error link. */
  description?: string;
  /** Pipedrive's page about the error, under the same condition. */
  uri?: string;
  /** What the app gave as `state` to `passport.authenticate`, under the same condition. */
  state?: unknown;
}

export type Outcome =
  | { action: 'redirect'; url: string }
  | { action: 'success'; user: Express.User; info: object }
  | { action: 'fail'; info: object | string | undefined; status: number }
  | { action: 'error'; error: unknown };

export type Actions = Pick<StrategyCreatedStatic, 'redirect' | 'success' | 'fail' | 'error'>;

interface Failure {
  status: number;
  message: string;
}

/** Failures that the strategy finds itself. */
const FAILURES = {
  invalid_request: { status: 400, message: 'The sign-in request is not valid. Please try again.' },
  state_missing: { status: 403, message: 'The sign-in did not start here. Please try again.' },
  state_invalid: { status: 403, message: 'The sign-in could not be matched to this browser. Please try again.' },
  state_expired: { status: 403, message: 'The sign-in took too long. Please try again.' },
  invalid_grant: { status: 403, message: 'The sign-in has expired or was already used. Please try again.' },
} satisfies Record<string, Failure>;

const DENIED: Failure = { status: 403, message: 'Access to Pipedrive was not allowed.' };
const OTHER_REFUSAL: Failure = { status: 400, message: 'Pipedrive refused the sign-in. Please try again.' };

/** Error codes of a callback that have a status of their own (RFC 6749 §4.1.2.1; Pipedrive's is `user_denied`). */
const REFUSALS = new Map<string, Failure>([
  ['user_denied', DENIED],
  ['access_denied', DENIED],
  ['temporarily_unavailable', { status: 503, message: 'Pipedrive is busy at the moment. Please try again later.' }],
  ['server_error', { status: 502, message: 'Pipedrive could not complete the sign-in. Please try again later.' }],
]);

type Details = Omit<PipedriveFailure, 'code' | 'message'>;

/** A failure that the strategy found, with what else is known, and its usual status unless another one is given. */
export function failure(code: keyof typeof FAILURES, details: Details = {}, status?: number): Outcome {
  const usual = FAILURES[code];
  return failed(code, { ...usual, status: status ?? usual.status }, details);
}

/** A failure that Pipedrive reported to the callback, by the code that it sent. */
export function refusal(code: string, details: Details): Outcome {
  return failed(code, REFUSALS.get(code) ?? OTHER_REFUSAL, details);
}

function failed(code: string, { status, message }: Failure, details: Details): Outcome {
  const info: PipedriveFailure = { code, message, ...withoutUndefined(details) };
  return { action: 'fail', info, status };
}

/** What the app's verify function said. Its own info stays as it is, and takes the app's state along in a copy. */
export function verdictOutcome({ user, info }: Verdict, state: unknown): Outcome {
  if (!user) return { action: 'fail', info: typeof info === 'string' ? info : withAppState(info, state), status: 401 };
  const details = typeof info === 'string' ? { message: info } : info;
  return { action: 'success', user, info: withAppState(details, state) ?? {} };
}

function withAppState(info: object | undefined, state: unknown): object | undefined {
  return state === undefined ? info : { ...info, state };
}

/** Calls the one Passport action that an outcome names. An action that throws becomes an error. */
export function applyOutcome(actions: Actions, req: Request, outcome: Outcome): void {
  try {
    callAction(actions, req, outcome);
  } catch (error) {
    lastResort(actions, req, error);
  }
}

function callAction(actions: Actions, req: Request, outcome: Outcome): void {
  switch (outcome.action) {
    case 'redirect':
      return actions.redirect(outcome.url);
    case 'success':
      return actions.success(outcome.user, outcome.info);
    case 'fail':
      // Passport sets authInfo on success only, and its error behind `failWithError` says nothing of the reason.
      if (typeof outcome.info === 'object') req.authInfo = outcome.info;
      return actions.fail(outcome.info, outcome.status);
    case 'error':
      return actions.error(asError(outcome.error));
  }
}

/** The last resort for an app's own `authenticate` callback that throws for an error, too: nobody else can answer. */
function lastResort(actions: Actions, req: Request, error: unknown): void {
  try {
    actions.error(asError(error));
  } catch {
    if (req.res && !req.res.headersSent) req.res.statusCode = 500;
    req.res?.end();
  }
}
