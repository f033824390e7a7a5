// The options of the strategy: what an app may set. resolve-options.ts checks them.
import type { Agent, OutgoingHttpHeaders } from 'node:http';
import type { SkipUserProfile } from './skip-user-profile';
import type { StateStore } from './state/store';

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
   * The strategy's name in Passport. Its pending sign-ins are bound to it: two strategies of one client (to sign in, to
   * connect an account) need two names.
   *
   * @default 'pipedrive'
   */
  name?: string | undefined;
  /**
   * Origin of Pipedrive's three OAuth endpoints, for tests and the sandbox. https, or http on a loopback host.
   *
   * @default 'https://oauth.pipedrive.com'
   */
  authorizationServer?: string | undefined;
  /**
   * Pipedrive's authorization endpoint, for tests. This and the other URLs must be https, or http on a loopback host.
   *
   * @default `{authorizationServer}/oauth/authorize`
   */
  authorizationURL?: string | undefined;
  /**
   * Pipedrive's token endpoint, for tests. Its origin is then also accepted as `api_domain`.
   *
   * @default `{authorizationServer}/oauth/token`
   */
  tokenURL?: string | undefined;
  /**
   * Pipedrive's revocation endpoint, for tests.
   *
   * @default `{authorizationServer}/oauth/revoke`
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
   * Where pending sign-ins are kept: a `CookieStateStore`, a `SessionStateStore`, or any state store of passport-oauth2. A
   * `CookieStateStore` without a secret signs with a key derived from the client secret.
   *
   * @default a `CookieStateStore` where the request has a response to set cookies on (Express, Nest), otherwise a
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
   * What to do with a code that comes without state, as when an install begins in the Marketplace: `'restart'` drops the
   * code and starts a sign-in with state, `'reject'` fails with `state_missing`. The code is never exchanged, since
   * anybody can put one into a link.
   *
   * @default 'restart'
   * @see Pipedrive, app-installation-flows
   */
  marketplaceInstall?: 'restart' | 'reject' | undefined;
  /**
   * Longest time for one request to Pipedrive, in milliseconds, from its start to the last byte of the response. When it
   * runs out, the sign-in ends in an `InternalOAuthError` with status 504. For a request that waits for a socket of the
   * `agent`, the time starts when it gets one; it also runs out if none of the waiting requests gets one for that long.
   *
   * @default 10000
   */
  timeout?: number | undefined;
  /**
   * Agent for the requests to Pipedrive: for a proxy, a private certificate authority, other limits.
   *
   * @default Node's global one, which keeps connections alive
   */
  agent?: Agent | undefined;
  /** Headers for the requests to Pipedrive. An `Authorization` among them is dropped. */
  customHeaders?: OutgoingHttpHeaders | undefined;
  /**
   * Skips the request for the profile; `profile` is then `undefined`. A function decides for each sign-in: without
   * parameters by what it returns or resolves to, with two as `(accessToken, done)`.
   *
   * @default false
   */
  skipUserProfile?: SkipUserProfile | undefined;
  /**
   * Trusts `X-Forwarded-Proto` and `X-Forwarded-Host` when a `callbackURL` that is a path is completed. So does Express's
   * setting "trust proxy".
   *
   * @default false
   */
  proxy?: boolean | undefined;
  /**
   * Key in `req.session` of the default `SessionStateStore`.
   *
   * @default the store's own default key
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
