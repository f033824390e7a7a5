// The errors that an operator sees when Pipedrive cannot be reached, is not understood, or refuses the client.
import { InternalOAuthError, TokenError } from 'passport-oauth2';
import { DeadlineError, type HttpResponse } from './http';
import { readTokenError } from './tokens';
import { isPrintable, readJSONObject } from './values';

/** Longest text of Pipedrive's that an error repeats, in characters. */
const LONGEST_TEXT = 1024;

/** From this length on, in characters, a secret is found inside longer words, too. */
const LONG_SECRET = 8;

/** No answer came from an endpoint: 504 when the time ran out, else 502. */
export function connectionError(endpoint: string, error: unknown, secrets: readonly string[]): InternalOAuthError {
  const isLate = error instanceof DeadlineError;
  const { message, code }: NodeJS.ErrnoException = error instanceof Error ? error : new Error(String(error));
  // A copy with nothing but words: the parser's own error carries the raw answer, TLS's the certificate.
  const cause = Object.assign(new Error(readText(message, secrets) ?? readText(code, secrets) ?? 'Unknown'), {
    code,
  });
  return internalOAuthError(
    `${endpoint} ${isLate ? 'did not answer in time' : 'could not be reached'}`,
    isLate ? 504 : 502,
    cause,
  );
}

/** An answer is not what Pipedrive documents: 502. */
export function bodyError(endpoint: string, cause: Error): InternalOAuthError {
  return internalOAuthError(`${endpoint} sent an answer that is not understood`, 502, cause);
}

/** An endpoint answered with another status than 2xx: 503 when it limits the rate, else 502. */
export function statusError(endpoint: string, answer: HttpResponse, secrets: readonly string[]): InternalOAuthError {
  const body = readJSONObject(answer.body);
  const words = [body?.message, body?.error, body?.error_info].map((text) => readText(text, secrets)).filter(Boolean);
  const message = [`${endpoint} answered ${answer.status}`, ...words].join(': ');
  return internalOAuthError(message, answer.status === 429 ? 503 : 502, causeOf(answer, secrets));
}

/** As `statusError`, but a `TokenError` where the answer is an error of OAuth 2.0 (RFC 6749 §5.2) in Pipedrive's JSON. */
export function grantError(endpoint: string, answer: HttpResponse, secrets: readonly string[]): Error {
  const isClientError = answer.status >= 400 && answer.status < 500 && answer.status !== 429;
  const error = isClientError ? readTokenError(readJSONObject(answer.body)) : undefined;
  if (!error || repeatsAny(error.code, secrets)) return statusError(endpoint, answer, secrets);
  // Without words of Pipedrive's that may be repeated the code stands for them.
  const message = readText(error.words, secrets) ?? error.code;
  return withDetails(new TokenError(message, error.code), 500, causeOf(answer, secrets));
}

function causeOf({ status, response }: HttpResponse, secrets: readonly string[]): Error {
  const retryAfter = readText(response.headers['retry-after'], secrets);
  return new Error(`HTTP ${status}${retryAfter ? `, Retry-After: ${retryAfter}` : ''}`);
}

function internalOAuthError(message: string, status: 502 | 503 | 504, cause: Error): InternalOAuthError {
  return withDetails(new InternalOAuthError(message, cause), status, cause);
}

// `statusCode` and `expose` are for Nest, Koa and http-errors.
function withDetails<E extends Error>(error: E, status: number, cause: Error): E {
  return withHidden(Object.assign(error, { status, statusCode: status, expose: false }), 'cause', cause);
}

/** Puts a property on an error as the standard has it for `cause`: out of JSON. */
export function withHidden<E extends Error>(error: E, name: string, value: unknown): E {
  return Object.defineProperty(error, name, { value, configurable: true, writable: true });
}

/** What an app's function threw, as something that `next` takes for an error: not nothing, and not `'route'`. */
export function asError(thrown: unknown): unknown {
  const isSignal = !thrown || thrown === 'route' || thrown === 'router';
  return isSignal ? new Error('A function of the app failed without an error', { cause: thrown }) : thrown;
}

/** Puts the app's state on one of our errors, where neither JSON nor `util.inspect` shows it. */
export function withState(error: unknown, state: unknown): unknown {
  const isOurs = error instanceof InternalOAuthError || error instanceof TokenError;
  return isOurs && state !== undefined ? withHidden(error, 'state', state) : error;
}

/** A text from outside, if an error may repeat it: short, on one line, and free of the given secrets. */
function readText(value: unknown, secrets: readonly string[]): string | undefined {
  if (typeof value !== 'string' || value === '' || value.length > LONGEST_TEXT || !isPrintable(value)) return undefined;
  return repeatsAny(value, secrets) ? undefined : value;
}

function repeatsAny(text: string, secrets: readonly string[]): boolean {
  return secrets.some((secret) => repeats(text, secret));
}

/** Whether a text on one line contains a secret; a short one, such as the code "code", only as a word of its own. */
function repeats(text: string, secret: string): boolean {
  if (secret.length >= LONG_SECRET) return text.includes(secret);
  return /(?<![\w-])\n(?![\w-])/.test(text.replaceAll(secret, '\n'));
}
