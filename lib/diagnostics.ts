// What a developer sees on request, or when a set-up is probably wrong. Never a secret, a token or a code.
import { debuglog } from 'node:util';
import type { Request } from 'express';
import { memoizeLast } from './memoize-last';
import { emitWarning, type Warning } from './warnings';

/** Prints a line with `NODE_DEBUG=passport-pipedrive-oauth2`. */
export const debug = debuglog('passport-pipedrive-oauth2');

const warned = new Set<Warning['code']>();

/** Emits a process warning with this code, once per process. */
function warnOnce(code: Warning['code'], message: string): void {
  if (warned.has(code)) return;
  warned.add(code);
  emitWarning(`${message} See docs/troubleshooting.md.`, { code });
}

const seen = new WeakSet<Request>();

/** Says that a request comes to a strategy for the second time, when its code has been used. */
export function checkRepetition(req: Request): void {
  if (!debug.enabled) return;
  if (seen.has(req)) debug('this request has been through a strategy before: do two of its handlers authenticate?');
  seen.add(req);
}

/** Says if a sign-in starts on another host than it comes back to, and warns if the two are probably meant to be one. */
export function checkHosts(req: Request, callbackURL: string): void {
  const hostname = hostnameOf(callbackURL);
  const requested = req.headers?.host?.replace(/:\d*$/, ''); // cookies know no port
  if (requested === undefined || requested === hostname) return;
  debug("the request's host is %s, the callback URL's is %s: cookies reach it only with a Domain", requested, hostname);
  if (siteOf(requested) !== siteOf(hostname)) return;
  warnOnce(
    'PIPEDRIVE_CALLBACK_HOST',
    `A sign-in starts on ${requested}, but its callback URL is on ${hostname}, where the browser sends the cookies of ` +
      `${requested} only if their Domain is for both: otherwise it will end in state_invalid. Open the app on ` +
      `${hostname}, or redirect to it.`,
  );
}

const hostnameOf = memoizeLast((url: string) => new URL(url).hostname);

/** The same text for hosts that people treat as one: the names of this machine, and a name with and without `www`. */
function siteOf(hostname: string): string {
  return /^(localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0)$/.test(hostname)
    ? 'localhost'
    : hostname.replace(/^www\./, '');
}

/** Warns of a code without state, which is an install that the Marketplace began. */
export function warnOfInstall(): void {
  warnOnce(
    'PIPEDRIVE_INSTALL_WITHOUT_STATE',
    'A callback came with a code but without state, as when an install begins in the Marketplace; the code is dropped. ' +
      "Register the route that starts a sign-in as the app's Installation URL in Developer Hub.",
  );
}
