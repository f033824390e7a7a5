// The query of a request, whatever the framework has made of it.
import { parse } from 'node:querystring';
import type { Request } from 'express';
import { isRecord } from './values';

export type Query = Record<string, unknown>;

/** A URL without its query, and the query: what comes after the first "?". */
export function splitURL(url: string): [string, string?] {
  const end = url.indexOf('?');
  return end < 0 ? [url] : [url.slice(0, end), url.slice(end + 1)];
}

/** Whether a parameter is there. An empty one counts as absent. */
export function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== '';
}

/** Whether one of the parameters is nested, as a query parser that does not nest leaves it: `code[a]=b`. */
export function hasNested(query: Query, names: readonly string[]): boolean {
  return Object.keys(query).some((key) => key.includes('[') && names.includes(key.slice(0, key.indexOf('['))));
}

/**
 * The query as the framework has parsed it. Where its parser yields none of the parameters, the URL is read: the parser
 * may be turned off, or yield something that is no plain object, such as a `Map` or `URLSearchParams`.
 */
export function readQuery({ query, url }: Request, names: readonly string[]): Query {
  if (isRecord(query) && (names.some((name) => isPresent(query[name])) || hasNested(query, names))) return query;
  const search = splitURL(String(url ?? ''))[1];
  // All parameters count: a code behind a thousand others must not start a sign-in once more.
  return search === undefined ? {} : parse(search, '&', '=', { maxKeys: 0 });
}
