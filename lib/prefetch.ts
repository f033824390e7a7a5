// Tells a prefetch from a visit: a browser or a client-side router asks for a page that nobody may ever open.
import type { Request } from 'express';

/**
 * Headers that say what a request is for: `Sec-Purpose` by the Fetch standard, also with parameters as in
 * `prefetch;prerender`; `Purpose` of Chrome's link prefetch, Safari and Next.js; `X-Purpose` of older Safari; `X-Moz` of
 * Firefox before version 115; `X-Sec-Purpose` of Hotwire Turbo.
 */
const PURPOSE_HEADERS = ['sec-purpose', 'purpose', 'x-purpose', 'x-moz', 'x-sec-purpose'];

const PREFETCH = /^\s*(prefetch|prerender|preview)\b/i;

/** Headers of Next.js whose presence marks a prefetch: two of the App Router, one of the Pages Router. */
const ROUTER_HEADERS = ['next-router-prefetch', 'next-router-segment-prefetch', 'x-middleware-prefetch'];

/** Whether a request is marked as a prefetch. Such a request may start no sign-in that pushes out a real one. */
export function isPrefetch({ headers = {} }: Request): boolean {
  const isMarked = PURPOSE_HEADERS.some((name) => headers[name] !== undefined && PREFETCH.test(String(headers[name])));
  return isMarked || ROUTER_HEADERS.some((name) => headers[name] !== undefined);
}
