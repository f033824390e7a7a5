// Reads what the browser brings back to the callback URL: the query, nothing else.
import type { Request } from 'express';
import { hasNested, isPresent, type Query, readQuery } from './query';
import { isPrintable } from './values';

/** The parameters of a callback (RFC 6749 §4.1.2). Exactly one of `code` and `error` is there. */
export interface Callback {
  code?: string;
  state?: string;
  error?: string;
  error_description?: string;
  error_uri?: string;
}

const NAMES = ['code', 'state', 'error', 'error_description', 'error_uri'] as const;

/** Longest parameter that is read, in characters. */
const LONGEST = 4096;

/** The query of a request that may be a callback. */
export function queryOf(req: Request): Query {
  return readQuery(req, NAMES);
}

/** Whether a query belongs to a callback, well-formed or not. Without `code` and `error` it starts a sign-in. */
export function isCallback(query: Query): boolean {
  return isPresent(query.code) || isPresent(query.error) || hasNested(query, ['code', 'error']);
}

/** The parameters of a callback, or `undefined` when they are malformed. Empty ones count as absent. */
export function readCallback(query: Query): Callback | undefined {
  if (hasNested(query, NAMES)) return undefined;
  const callback: Callback = {};
  for (const name of NAMES) {
    const value = query[name];
    if (!isPresent(value)) continue;
    if (typeof value !== 'string' || value.length > LONGEST || !isPrintable(value)) return undefined;
    callback[name] = value;
  }
  return callback.code !== undefined && callback.error !== undefined ? undefined : callback;
}
