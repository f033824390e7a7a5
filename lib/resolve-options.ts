// Checks the options, and fills in their defaults.
import http from 'node:http';
import { isCallbackURL } from './callback-url';
import { AUTHORIZATION_SERVER, isEndpoint, isOrigin } from './endpoints';
import type { PipedriveStrategyOptions, PipedriveStrategyOptionsWithRequest } from './options';
import { resolveStore } from './state/default';
import { isText } from './values';

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

const TEXT = [isText, 'a string'] as const;
const ENDPOINT = [isEndpoint, 'an https URL, or an http URL of a loopback host'] as const;

const REQUIRED = {
  clientID: TEXT,
  clientSecret: TEXT,
  callbackURL: [isCallbackURL, 'an absolute http(s) URL without fragment, or a path that starts with one "/"'],
} as const;

const OPTIONAL = {
  name: TEXT,
  authorizationServer: [isOrigin, 'an https origin, or an http origin of a loopback host'],
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
  sessionKey: TEXT,
} as const;

/** The options that the strategy works with: checked, and with their defaults. */
export type ResolvedOptions = ReturnType<typeof resolveOptions>;

/** Checks the options, and fills in the defaults. Throws a `TypeError` that names the option, never its value. */
export function resolveOptions(options: PipedriveStrategyOptions | PipedriveStrategyOptionsWithRequest) {
  if (!isObject(options)) throw new TypeError('PipedriveStrategy requires an options object');
  check(options, REQUIRED, true);
  check(options, OPTIONAL, false);

  const { authorizationServer = AUTHORIZATION_SERVER, state = true, pkce = false } = options;
  const server = new URL(authorizationServer).origin;
  return {
    // By name: a spread would lose what an object inherits, such as the getters of a class.
    clientID: options.clientID,
    clientSecret: options.clientSecret,
    callbackURL: options.callbackURL,
    userProfileURL: options.userProfileURL,
    agent: options.agent,
    customHeaders: options.customHeaders,
    sessionKey: options.sessionKey,
    name: options.name ?? 'pipedrive',
    authorizationURL: options.authorizationURL ?? `${server}/oauth/authorize`,
    tokenURL: options.tokenURL ?? `${server}/oauth/token`,
    revocationURL: options.revocationURL ?? `${server}/oauth/revoke`,
    state,
    store: resolveStore(options, state),
    pkce: pkce === true ? 'S256' : pkce,
    marketplaceInstall: options.marketplaceInstall ?? 'restart',
    timeout: options.timeout ?? 10_000,
    skipUserProfile: options.skipUserProfile ?? false,
    proxy: options.proxy ?? false,
    passReqToCallback: options.passReqToCallback ?? false,
  } as const;
}

type Rules = Record<string, readonly [(value: unknown) => boolean, string]>;

function check(options: object, rules: Rules, isRequired: boolean): void {
  for (const [name, [isValid, expected]] of Object.entries(rules)) {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined && !isRequired) continue;
    if (isValid(value)) continue;
    const misspelt = Object.keys(options).find((key) => key !== name && key.toLowerCase() === name.toLowerCase());
    const hint = value === undefined && misspelt ? `; did you mean ${name} instead of ${misspelt}?` : '';
    const must = value === '' ? 'not be empty' : `be ${expected}`;
    throw new TypeError(`${name} ${isRequired ? 'is required and ' : ''}must ${must}${hint}`);
  }
}

function areHeaders(headers: unknown): boolean {
  if (!isObject(headers) || Symbol.iterator in headers) return false; // `Headers`, a `Map` and lists have other entries
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
