// The errors that an operator sees: Pipedrive cannot be reached, its response is unusable, or it refuses the client.
import { inspect } from 'node:util';
import { InternalOAuthError, TokenError } from 'passport-oauth2';
import { DeadlineError } from './deadline';
import { BodyTooLongError } from './http';
import { repeatsSecret } from './secrets';
import { isErrorCode, isPrintable, isRecord, isText, readJSONObject } from './values';

/** A response is not what Pipedrive documents. The message is ours, and repeats nothing of the response. */
export class ResponseError extends Error {}

/** Longest text of Pipedrive's that an error repeats, in characters. */
const LONGEST_TEXT = 1024;

/** `Retry-After`: seconds, or a date (RFC 9110 §10.2.3). */
const RETRY_AFTER = /^(\d{1,10}|[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT)$/;

/** A message, given which foreign texts it may repeat. */
type Message = (isSafe: (text: unknown) => boolean) => string;

/** Messages of the errors made here. Not all secrets of a sign-in are known where an error is made; `finishError` knows. */
const messages = new WeakMap<Error, Message>();

/**
 * An error of `_oauth2`, ours or `oauth`'s plain `{ statusCode, data }`, as an `InternalOAuthError`: 504 when the time ran
 * out, 503 when Pipedrive limits the rate, otherwise 502.
 */
export function internalOAuthError(endpoint: string, error: unknown): InternalOAuthError {
  if (error instanceof ResponseError || error instanceof BodyTooLongError) {
    return createInternalOAuthError(() => `${endpoint} sent an unusable response: ${error.message}`, 502, error);
  }
  const { statusCode, data, headers, code }: Record<string, unknown> = Object(error);
  if (typeof statusCode !== 'number') return connectionError(endpoint, error, code);

  const { message: text, error: title, error_info: details } = (isText(data) && readJSONObject(data)) || {};
  const message: Message = (isSafe) => {
    const texts = [text, title, details].filter(isSafe);
    return [`${endpoint} answered ${statusCode}`, ...texts].join(': ');
  };
  const retryAfter = readRetryAfter(headers);
  const cause = new Error(`HTTP ${statusCode}${retryAfter ? `, Retry-After: ${retryAfter}` : ''}`);
  if (statusCode !== 429) return createInternalOAuthError(message, 502, cause);
  // Express answers with the headers of an error.
  const limited = createInternalOAuthError(message, 503, cause);
  return retryAfter ? Object.assign(limited, { headers: { 'Retry-After': retryAfter } }) : limited;
}

function readRetryAfter(headers: unknown): string | undefined {
  const value = isRecord(headers) ? headers['retry-after'] : undefined;
  return isText(value) && RETRY_AFTER.test(value) ? value : undefined;
}

/** A code of the system's or of Node.js's, such as `ECONNRESET`. Another client's may be anything. */
const SYSTEM_CODE = /^[A-Z][A-Z\d_/]*$/;

/** No response came. */
function connectionError(endpoint: string, error: unknown, code: unknown): InternalOAuthError {
  const texts = [error instanceof Error ? error.message : error, code];
  const reason: Message = (isSafe) => String(texts.find(isSafe) ?? 'Unknown');
  const cause = withMessage(new Error(), reason);
  if (isText(code) && SYSTEM_CODE.test(code)) Object.assign(cause, { code });
  return error instanceof DeadlineError
    ? createInternalOAuthError(() => `${endpoint} did not answer in time`, 504, cause)
    : createInternalOAuthError((isSafe) => `${endpoint} could not be reached: ${reason(isSafe)}`, 502, cause);
}

/** A copy of an error of the connection without its details: a parser's has the raw response, TLS's the certificate. */
export function withoutDetails(error: unknown): unknown {
  const isOurs = error instanceof DeadlineError || error instanceof BodyTooLongError;
  if (!(error instanceof Error) || isOurs) return error;
  const copy = new Error(error.message);
  return 'code' in error ? Object.assign(copy, { code: error.code }) : copy;
}

/**
 * The `TokenError` in a response of the token or revocation endpoint, in Pipedrive's JSON or in that of RFC 6749 §5.2;
 * `undefined` for any other response.
 */
export function readTokenError(body: unknown, status: number): TokenError | undefined {
  if (!isText(body) || status < 400 || status > 499 || status === 429) return undefined;
  const { error: code, message, error_description } = readJSONObject(body) ?? {};
  if (!isErrorCode(code)) return undefined;
  // Pipedrive puts the human text in "message", not in "error_description".
  const text = message ?? error_description;
  const error = withMessage(new TokenError(code, code), (isSafe) => (isSafe(text) ? String(text) : code));
  return withDetails(error, 500, new Error(`HTTP ${status}`));
}

/** Whether an error is a `TokenError`, of this or of another copy of passport-oauth2. */
export function isTokenError(error: unknown): error is TokenError {
  return error instanceof Error && error.name === 'TokenError' && 'code' in error && isText(error.code);
}

/** Pipedrive's text in a `TokenError`. Without usable text the message is the code itself: leave it out. */
export function descriptionOf({ message, code }: TokenError): string | undefined {
  return message === code ? undefined : message;
}

/**
 * An error as the app gets it: it repeats none of these secrets, and carries the app's state where neither JSON nor
 * `util.inspect` shows it. An error that was made elsewhere, such as in an app's hook, stays as it is.
 */
export function finishError(error: unknown, secrets: readonly string[], state?: unknown): unknown {
  if (!(error instanceof Error) || !messages.has(error)) return error;
  const cause = error.cause instanceof Error ? error.cause : new Error();
  // A `TokenError` cannot go without its code: an `InternalOAuthError` takes its place.
  if (error instanceof TokenError && repeatsSecret(error.code, secrets)) {
    const withoutCode = createInternalOAuthError(() => "Pipedrive's error code repeats a secret", 502, cause);
    return finishError(withoutCode, secrets, state);
  }
  for (const each of [error, cause]) removeSecrets(each, secrets);
  return state === undefined ? error : withHidden(error, 'state', state);
}

/** The message of an error that was made here, which repeats no secret. That of any other error may. */
export function safeMessageOf(error: unknown): string | undefined {
  return error instanceof Error && messages.has(error) ? error.message : undefined;
}

function removeSecrets(error: Error, secrets: readonly string[]): void {
  const compose = messages.get(error);
  if (!compose) return;
  if ('code' in error && secrets.includes(String(error.code))) Reflect.deleteProperty(error, 'code');
  const message = compose((text) => isRepeatable(text) && !repeatsSecret(text, secrets));
  // A message that repeats none stays, also as a hook has changed it.
  if (message === compose(isRepeatable) && !repeatsSecret(error.message, secrets)) return;
  error.message = message;
  Error.captureStackTrace(error); // the stack begins with the message
}

function createInternalOAuthError(message: Message, status: 502 | 503 | 504, cause: Error): InternalOAuthError {
  return withDetails(withMessage(new InternalOAuthError('', cause), message), status, cause);
}

function withMessage<E extends Error>(error: E, message: Message): E {
  error.message = message(isRepeatable);
  messages.set(error, message);
  return error;
}

// `statusCode` and `expose` are for Nest, Koa and http-errors.
function withDetails<E extends Error>(error: E, status: number, cause: Error): E {
  return withHidden(Object.assign(error, { status, statusCode: status, expose: false }), 'cause', cause);
}

/** Puts a property where neither JSON nor `util.inspect` shows it, as the standard does with an error's `cause`. */
export function withHidden<T extends object>(object: T, name: string, value: unknown): T {
  return Object.defineProperty(object, name, { value, configurable: true, enumerable: false, writable: true });
}

/** What an app's function threw, as an error for `next`. Express treats a falsy one, 'route' and 'router' as "no error". */
export function asError(thrown: unknown): unknown {
  const isSignal = !thrown || thrown === 'route' || thrown === 'router';
  return isSignal ? new Error('A function of the app failed without an error', { cause: thrown }) : thrown;
}

/** What an app's function threw, for a log. Without details: an HTTP client's error may have a token in its headers. */
export function describeThrown(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.stack) : inspect(thrown, { depth: 0 });
  } catch {
    return 'an error that cannot be read';
  }
}

/** Whether an error may repeat a text from outside: it is short, and on one line. */
function isRepeatable(text: unknown): text is string {
  return isText(text) && text.length <= LONGEST_TEXT && isPrintable(text);
}
