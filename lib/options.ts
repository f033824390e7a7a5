// The options of the strategy: what they mean, their checks, and the resolved copy that the strategy keeps.
import http, { type OutgoingHttpHeaders } from 'node:http';
import { isCallbackURL } from './callback-url';
import { AUTHORIZATION_URL, isEndpoint, REVOCATION_URL, TOKEN_URL } from './endpoints';
import type { SkipUserProfile } from './skip-user-profile';
import { CookieStateStore } from './state/cookie';
import { DefaultStateStore } from './state/default';
import { SessionStateStore } from './state/session';
import type { StateStore } from './state/store';
import { isText } from './values';

interface Options {
  /** The app's client ID, from Developer Hub. */
  clientID: string;
  /** The app's client secret, from Developer Hub. */
  clientSecret: string;
  /**
   * The callback URL registered in Developer Hub. Absolute, or a path that starts with one `/`: then the origin is the
   * request's (see `proxy`).
   */
  callbackURL: string;
  /**
   * Pipedrive's authorization endpoint, for tests. This and the other URLs must be https, or http on a loopback host.
   *
   * @default 'https://oauth.pipedrive.com/oauth/authorize'
   */
  authorizationURL?: string | undefined;
  /**
   * Pipedrive's token endpoint, for tests. Its origin is then also accepted as `api_domain`.
   *
   * @default 'https://oauth.pipedrive.com/oauth/token'
   */
  tokenURL?: string | undefined;
  /**
   * Pipedrive's revocation endpoint, for tests.
   *
   * @default 'https://oauth.pipedrive.com/oauth/revoke'
   */
  revocationURL?: string | undefined;
  /**
   * Fixed URL of `/users/me`, for tests. Its origin is then also accepted as `api_domain`.
   *
   * @default `{api_domain}/api/v1/users/me`, at the company that the user signed in to
   */
  userProfileURL?: string | undefined;
  /**
   * Weakens security when `false`: a callback is then not tied to the browser that began the sign-in, so that an
   * attacker can sign a victim in to the attacker's account (RFC 6749 §10.12). State is then passport-oauth2's to
   * handle: only a `store` checks it, a string given to `authenticate` is sent as it is, and `marketplaceInstall` has
   * no effect.
   *
   * @default true
   */
  state?: boolean | undefined;
  /**
   * Where a sign-in under way is remembered: a `CookieStateStore`, a `SessionStateStore`, or any state store of
   * passport-oauth2. A `CookieStateStore` without a secret is keyed from the client secret.
   *
   * @default a `CookieStateStore` where the request has a response that takes cookies (Express, Nest), else a
   * `SessionStateStore`
   */
  store?: StateStore | undefined;
  /**
   * Sends a code challenge (RFC 7636): `true` and `'S256'` a hashed one, `'plain'` the verifier itself. Pipedrive does
   * not document PKCE, so it never stands in for state.
   *
   * @default false
   */
  pkce?: boolean | 'S256' | 'plain' | undefined;
  /**
   * What becomes of a code that comes without state, as when the Marketplace starts an install: `'restart'` drops it and
   * starts a sign-in with state, `'reject'` fails with `state_missing`. It is never exchanged, for anybody could have
   * sent it.
   *
   * @default 'restart'
   * @see Pipedrive, app-installation-flows
   */
  marketplaceInstall?: 'restart' | 'reject' | undefined;
  /**
   * Longest time for one request to Pipedrive, in milliseconds, from its start to the last byte of the answer. When it
   * runs out, the sign-in ends in an `InternalOAuthError` with status 504.
   *
   * @default 10000
   */
  timeout?: number | undefined;
  /**
   * Agent for the requests to Pipedrive: for a proxy, an own certificate authority, other limits.
   *
   * @default Node's global one, which keeps connections alive
   */
  agent?: http.Agent | undefined;
  /** Headers for the requests to Pipedrive. An `Authorization` among them is dropped. */
  customHeaders?: OutgoingHttpHeaders | undefined;
  /**
   * Skips the request for the profile; `profile` is then `undefined`. A function decides for each sign-in: without
   * parameters by what it returns, else as `(accessToken, done)`.
   *
   * @default false
   */
  skipUserProfile?: SkipUserProfile | undefined;
  /**
   * Trusts `X-Forwarded-Proto` and `X-Forwarded-Host` when a relative `callbackURL` is completed. Express's "trust proxy"
   * setting does so, too.
   *
   * @default false
   */
  proxy?: boolean | undefined;
  /**
   * Key in `req.session` of the default `SessionStateStore`.
   *
   * @default 'oauth2:' and the host of `authorizationURL`
   */
  sessionKey?: string | undefined;
}

/** Options of `PipedriveStrategy`. */
export interface PipedriveStrategyOptions extends Options {
  /** Whether `req` is the first argument of the verify function. @default false */
  passReqToCallback?: false | undefined;
}

/** Options of `PipedriveStrategy` whose verify function gets `req` first. */
export interface PipedriveStrategyOptionsWithRequest extends Options {
  /** Whether `req` is the first argument of the verify function. @default false */
  passReqToCallback: true;
}

/** Longest timer of Node.js, in milliseconds. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

const isBoolean = (value: unknown) => typeof value === 'boolean';
const isFunction = (value: unknown) => typeof value === 'function';
const isOneOf =
  (...values: unknown[]) =>
  (value: unknown) =>
    values.includes(value);
const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
const isTimeout = (value: unknown) => Number.isInteger(value) && Number(value) > 0 && Number(value) <= LONGEST_TIMEOUT;
const isStore = (value: unknown) =>
  isObject(value) && 'store' in value && isFunction(value.store) && 'verify' in value && isFunction(value.verify);
const isAgent = (value: unknown) => isObject(value) && 'addRequest' in value;

const ENDPOINT = [isEndpoint, 'an https URL, or an http URL of a loopback host'] as const;

const REQUIRED = {
  clientID: [isText, 'a string'],
  clientSecret: [isText, 'a string'],
  callbackURL: [isCallbackURL, 'an absolute http(s) URL without fragment, or a path that starts with one "/"'],
} as const;

const OPTIONAL = {
  authorizationURL: ENDPOINT,
  tokenURL: ENDPOINT,
  revocationURL: ENDPOINT,
  userProfileURL: ENDPOINT,
  state: [isBoolean, 'true or false'],
  store: [isStore, 'an object with the functions store and verify'],
  pkce: [isOneOf(true, false, 'S256', 'plain'), "true, false, 'S256' or 'plain'"],
  marketplaceInstall: [isOneOf('restart', 'reject'), "'restart' or 'reject'"],
  timeout: [isTimeout, `a whole number of milliseconds from 1 to ${LONGEST_TIMEOUT}`],
  agent: [isAgent, 'an http.Agent or https.Agent'],
  customHeaders: [areHeaders, 'an object of valid HTTP headers'],
  skipUserProfile: [(value: unknown) => isBoolean(value) || isFunction(value), 'true, false or a function'],
  passReqToCallback: [isBoolean, 'true or false'],
  proxy: [isBoolean, 'true or false'],
  sessionKey: [isText, 'a string'],
} as const;

/** Options with their defaults. */
export type ResolvedOptions = ReturnType<typeof resolveOptions>;

/** Checks the options, and fills in the defaults. Throws a `TypeError` that names the option, never its value. */
export function resolveOptions(options: PipedriveStrategyOptions | PipedriveStrategyOptionsWithRequest) {
  if (!isObject(options)) throw new TypeError('PipedriveStrategy requires an options object');
  check(options, REQUIRED, true);
  check(options, OPTIONAL, false);

  const { authorizationURL = AUTHORIZATION_URL, clientSecret, state = true, store, pkce = false } = options;
  const { sessionKey = `oauth2:${new URL(authorizationURL).hostname}` } = options;
  const byDefault = () =>
    new DefaultStateStore(new CookieStateStore({ secret: clientSecret }), new SessionStateStore({ key: sessionKey }));
  const given = store instanceof CookieStateStore ? store.withDefaultSecret(clientSecret) : store;
  return {
    ...options,
    authorizationURL,
    tokenURL: options.tokenURL ?? TOKEN_URL,
    revocationURL: options.revocationURL ?? REVOCATION_URL,
    state,
    store: given ?? (state ? byDefault() : undefined),
    pkce: pkce === true ? 'S256' : pkce,
    marketplaceInstall: options.marketplaceInstall ?? 'restart',
    timeout: options.timeout ?? 10_000,
    skipUserProfile: options.skipUserProfile ?? false,
    proxy: options.proxy ?? false,
    passReqToCallback: options.passReqToCallback ?? false,
    sessionKey,
  } as const;
}

type Rules = Record<string, readonly [(value: unknown) => boolean, string]>;

function check(options: object, rules: Rules, isRequired: boolean): void {
  for (const [name, [isValid, expected]] of Object.entries(rules)) {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined && !isRequired) continue;
    if (!isValid(value)) throw new TypeError(`${name} ${isRequired ? 'is required and ' : ''}must be ${expected}`);
  }
}

function areHeaders(headers: unknown): boolean {
  if (!isObject(headers)) return false;
  try {
    for (const [name, value] of Object.entries(headers)) {
      http.validateHeaderName(name);
      http.validateHeaderValue(name, value);
    }
  } catch {
    return false;
  }
  return true;
}
