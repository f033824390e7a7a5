// Token responses on their way into the store and out of it.
import type { PipedriveTokens } from '../tokens';
import { isRecord, isText } from '../values';

/** A token response to be saved. Without `expires_at` its time counts from the saving on. */
export type UnsavedTokens = Omit<PipedriveTokens, 'expires_at'> & { expires_at?: number | undefined };

/** A copy that shares nothing: neither a store that keeps objects nor a caller may change the other's. */
export function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value));
}

/** The tokens to save, with `expires_at`. Throws a `TypeError` that names the field, never its value. */
export function withExpiry(tokens: UnsavedTokens): PipedriveTokens {
  if (!isRecord(tokens)) throw new TypeError('tokens must be a token response');
  const { access_token, refresh_token, expires_in, expires_at } = tokens;
  if (!isText(access_token)) throw new TypeError('tokens.access_token must be a string');
  if (!isText(refresh_token)) throw new TypeError('tokens.refresh_token must be a string');
  if (expires_at !== undefined) {
    if (!isDuration(expires_at)) throw new TypeError('tokens.expires_at must be a number of seconds');
    return { ...tokens, expires_at };
  }
  if (!isDuration(expires_in)) throw new TypeError('tokens must have expires_at or expires_in, a number of seconds');
  return { ...tokens, expires_at: Math.floor(Date.now() / 1000 + expires_in) };
}

/** The tokens that a store yields. Throws an `Error` when they cannot be what was saved. */
export function readStoredTokens(id: string, value: unknown): PipedriveTokens {
  const copy: unknown = copyOf(value);
  if (!isStoredTokens(copy)) throw new Error(`The store's value for ${id} is not a token response with expires_at`);
  return copy;
}

function isStoredTokens(value: unknown): value is PipedriveTokens {
  return isRecord(value) && isText(value.access_token) && isText(value.refresh_token) && isDuration(value.expires_at);
}

/** Whether nobody has replaced the tokens. The refresh token stays the same, so it does not tell. */
export function isUnchanged(now: PipedriveTokens, before: PipedriveTokens): boolean {
  return now.access_token === before.access_token && now.expires_at === before.expires_at;
}

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
