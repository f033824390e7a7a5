// Reads what the browser brings back to the callback URL: the query, nothing else.
import { parse } from 'node:querystring';
import type { Request } from 'express';
import { isPrintable, isRecord } from './values';

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

/** Whether one of the parameters is nested, as a query parser that does not nest leaves it: `code[a]=b`. */
const hasNested = (query: Record<string, unknown>, names: readonly string[]) =>
  Object.keys(query).some((key) => names.some((name) => key.startsWith(`${name}[`)));

/**
 * The query as the framework has parsed it. Where its parser yields none of the parameters, the URL is read: the parser
 * may be turned off, or yield something that is no plain object, such as a `Map` or `URLSearchParams`.
 */
export function queryOf({ query, url }: Request): Record<string, unknown> {
  if (isRecord(query) && (NAMES.some((name) => isPresent(query[name])) || hasNested(query, NAMES))) return query;
  const [, ...search] = String(url ?? '').split('?');
  // All parameters count: a code behind a thousand others must not start a sign-in once more.
  return parse(search.join('?'), '&', '=', { maxKeys: 0 });
}

/** Whether a query belongs to a callback, well-formed or not. Without `code` and `error` it starts a sign-in. */
export function isCallback(query: Record<string, unknown>): boolean {
  return isPresent(query.code) || isPresent(query.error) || hasNested(query, ['code', 'error']);
}

/** The parameters of a callback, or `undefined` when they are malformed. Empty ones count as absent. */
export function readCallback(query: Record<string, unknown>): Callback | undefined {
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

function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}
