// A flow as a cookie: its name, its signed value, and how both are read from a request.
import { sign, unsign } from 'cookie-signature';
import type { Request } from 'express';
import { memoizeLast } from '../memoize-last';
import type { PlacedFlow } from './cookie-places';
import { fingerprintOf, isFromFuture } from './flow';
import type { Keys } from './keys';
import type { StateMetadata } from './store';

/** What a cookie keeps of a flow. */
export interface StoredFlow {
  /** When it began, in Unix time in ms. */
  start: number;
  /** The `state` parameter. */
  handle: string;
  /** What the app gave as `state`. */
  appState: unknown;
  /** The callback URL, unless it is the strategy's own. */
  callbackURL: string | undefined;
  codeVerifier: string | undefined;
  isRestart: boolean;
  isPrefetch: boolean;
}

/** A cookie of this strategy and client, as the browser sent it: its content is not verified. */
interface FlowCookie extends PlacedFlow {
  name: string;
  value: string;
  /** Begins the `state` parameter of the flow. */
  hint: string;
}

const FLOW_COOKIES =
  /(?:^|;) *(?<name>(?<prefix>__Host-|__Secure-|)pipedrive-flow\.(?<fingerprint>[\w-]{6})\.(?<place>[\da-f]))=(?<value>[^;\s]*)/g;

/** No more are read. A name comes more than once if somebody has planted others for a path or a domain. */
const MAX_COOKIES = 64;

/** Marks of a flow that is not an ordinary one. */
const RESTART = 'r';
const PREFETCH = 'p';

/** How many characters of the `state` parameter are in the cookie, to find it by. The signature covers all of it. */
const HINT_LENGTH = 8;

/** What the names of a strategy's and client's flow cookies have in common. */
interface CookieNames {
  /** RFC 6265bis §4.1.3: `__Host-` cookies can only be set by their own host, over https. Empty on http. */
  prefix: '__Host-' | '__Secure-' | '';
  /** Tells the strategies and the apps of a host apart; short, since every request carries it. */
  fingerprint: string;
}

export function cookieNames(
  { callbackURL, strategy, clientID }: StateMetadata,
  domain: string | undefined,
): CookieNames {
  const prefix = domain === undefined ? '__Host-' : '__Secure-';
  return { prefix: /^https:/i.test(callbackURL) ? prefix : '', fingerprint: fingerprintOf(strategy, clientID) };
}

export function cookieName({ prefix, fingerprint }: CookieNames, place: number): string {
  return `${prefix}pipedrive-flow.${fingerprint}.${place.toString(16)}`;
}

/** Bytes of a cookie in a `Cookie` header, with its separator. */
export function bytesOf(name: string, value: string): number {
  return name.length + value.length + '=; '.length;
}

/** The flow cookies that the browser sent under these names. On http those with a prefix count as well. */
export function readFlowCookies(req: Request, { prefix, fingerprint }: CookieNames): FlowCookie[] {
  const found: FlowCookie[] = [];
  const { cookie = '' } = req.headers;
  if (!cookie.includes(fingerprint)) return found;
  for (const { groups = {} } of cookie.matchAll(FLOW_COOKIES)) {
    if (groups.fingerprint !== fingerprint || (prefix !== '' && groups.prefix !== prefix)) continue;
    found.push(readFlowCookie(groups));
    if (found.length === MAX_COOKIES) break;
  }
  return found;
}

function readFlowCookie({ name = '', place = '', value = '' }: Record<string, string | undefined>): FlowCookie {
  const [time = '', hint = '', marks = ''] = value.split('.', 3);
  const start = Number.parseInt(time, 36) || 0;
  return {
    name,
    value,
    hint,
    // A flow from the future gives way first, and so does one whose start cannot be read.
    start: isFromFuture(start) ? 0 : start,
    place: Number.parseInt(place, 16),
    bytes: bytesOf(name, value),
    isRestart: marks.includes(RESTART),
    isPrefetch: marks.includes(PREFETCH),
  };
}

/** The value of a flow's cookie. */
export function signFlow(flow: StoredFlow, meta: StateMetadata, [key]: Keys): string {
  const json = JSON.stringify(flow.appState);
  const payload = [
    flow.start.toString(36),
    flow.handle.slice(0, HINT_LENGTH),
    (flow.isRestart ? RESTART : '') + (flow.isPrefetch ? PREFETCH : ''),
    json === undefined ? '' : Buffer.from(json).toString('base64url'),
    flow.callbackURL === undefined ? '' : Buffer.from(flow.callbackURL).toString('base64url'),
    flow.codeVerifier ?? '',
  ].join('.');
  const context = contextOf(flow.handle, meta, flow.callbackURL === undefined);
  return sign(context + payload, key).slice(context.length);
}

/** Whether a cookie looks like the one of this `state` parameter. */
export function matchesState({ hint }: FlowCookie, handle: string | undefined): boolean {
  return hint.length === HINT_LENGTH && handle?.startsWith(hint) === true;
}

/** The flow in a cookie, or `undefined` if none of the keys has signed it for this `state` parameter. */
export function unsignFlow(value: string, handle: string, meta: StateMetadata, keys: Keys): StoredFlow | undefined {
  // The last one is the signature; a code verifier may hold dots (RFC 7636 §4.1).
  const [time = '', , marks = '', json = '', url = '', ...others] = value.split('.');
  const context = contextOf(handle, meta, url === '');
  if (!keys.some((key) => unsign(context + value, key))) return undefined;

  return {
    start: Number.parseInt(time, 36),
    handle,
    appState: json === '' ? undefined : JSON.parse(Buffer.from(json, 'base64url').toString()),
    callbackURL: url === '' ? undefined : Buffer.from(url, 'base64url').toString(),
    codeVerifier: others.slice(0, -1).join('.') || undefined,
    isRestart: marks.includes(RESTART),
    isPrefetch: marks.includes(PREFETCH),
  };
}

/** Signed with the payload, but not stored in the cookie: also the strategy's own callback URL, if the payload has none. */
function contextOf(handle: string, { strategy, clientID, ownCallbackURL }: StateMetadata, isOwnURL: boolean): string {
  // Each in JSON, which says itself where it ends.
  return JSON.stringify(handle) + listOf(strategy, clientID, isOwnURL ? ownCallbackURL : '');
}

const listOf = memoizeLast((...texts: string[]) => JSON.stringify(texts));
