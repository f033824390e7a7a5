// Keeps pending sign-ins in signed cookies, one for each, of a bounded size in all.
import { randomInt } from 'node:crypto';
import type { Request } from 'express';
import { randomToken } from '../random';
import { choosePlace, MOST_BYTES, PLACES, placesFor } from './cookie-places';
import {
  EXPIRED,
  type Flow,
  type FlowLimits,
  isOpen,
  isRestartLoop,
  NO_FLOW,
  RESTART_LOOP,
  resolveLimits,
  tooLarge,
} from './flow';
import {
  bytesOf,
  cookieName,
  cookieNames,
  matchesState,
  readFlowCookies,
  type StoredFlow,
  signFlow,
  unsignFlow,
} from './flow-cookie';
import { clientKeyFor, deriveKey, type Keys } from './keys';
import { addCookies, requireResponse, setCookieHeader } from './set-cookie';
import type { StateMetadata, StateRefusal, StateStore, StateStoreCallback, StateVerifyCallback } from './store';

export interface CookieStateStoreOptions extends FlowLimits {
  /**
   * Signs the cookies; at least 32 characters. Of several secrets the first signs and all verify: to rotate, put the new
   * one in front, and drop the old one after `ttl`. A pending sign-in whose secret is gone ends with `state_invalid`.
   *
   * @default the strategy's client secret, also for an empty list
   */
  secret?: string | readonly string[] | undefined;
  /**
   * Weakens the cookies: with it every host below the domain gets them, and can set them as well, so that each of them
   * can sign a user in to an account that is not the user's. On https they lose the prefix `__Host-` for `__Secure-`.
   * It is for apps whose start and callback are on sibling hosts, such as `app.example.com` and `auth.example.com` with
   * `domain: 'example.com'`.
   *
   * @default the cookies belong to the host that set them
   */
  domain?: string | undefined;
}

const MIN_SECRET_LENGTH = 32;
const DOMAIN = /^[a-z\d-]+(?:\.[a-z\d-]+)*$/i;

const NO_COOKIE: StateRefusal = { code: 'state_invalid', reason: 'no flow cookie came' };
const OTHER_SECRET: StateRefusal = {
  code: 'state_invalid',
  reason: 'signed with another secret, or begun with another callback URL of the strategy',
};

/**
 * State store in signed cookies: needs no session and no memory on the server, and shares nothing between servers but
 * the secret. The cookies are HttpOnly and SameSite=Lax, with `Secure` and the prefix `__Host-` when the callback URL is
 * https; a cookie without that prefix does not count there. It needs `req.res`, which Express and Nest set.
 *
 * What the app gives as `state` is signed, not encrypted: the user can read it. It may have 1,590 bytes of JSON, 1,557
 * with PKCE.
 *
 * However many sign-ins start at once, the cookies of a strategy stay under 7,500 bytes, so that nginx still accepts the
 * next request (its limit is 8,192); a start that sees more than `limit` of them, or 4,096 bytes, clears the oldest.
 * Without `state` 16 can be pending, with a path of 22 bytes as well, with 100 bytes 9, with 300 bytes 4, with 500 bytes
 * 2; PKCE adds 43 bytes to each. Of two that start at the very same moment both stay in 15 of 16 cases, in 3 of 4 with
 * 300 bytes, in none over 1,107; otherwise one of them ends with `state_invalid`.
 */
export class CookieStateStore implements StateStore {
  private readonly keys: Keys | undefined;
  private readonly ttl: number;
  private readonly limit: number;
  private readonly domain: string | undefined;
  /** Max-Age of a cookie, in seconds: it outlives the ttl, so that a flow that took too long is told from a foreign one. */
  private readonly lifetime: number;

  /** Throws a `TypeError` that names the option that is not what it must be. */
  constructor({ secret = [], domain, ...limits }: CookieStateStoreOptions = {}) {
    const secrets = typeof secret === 'string' ? [secret] : secret;
    if (!Array.isArray(secrets) || !secrets.every(isLongSecret)) {
      throw new TypeError(
        `secret must be a string of at least ${MIN_SECRET_LENGTH} characters, or an array of such strings`,
      );
    }
    if (domain !== undefined && (typeof domain !== 'string' || !DOMAIN.test(domain))) {
      throw new TypeError('domain must be a host name');
    }
    const [first, ...others] = secrets.map(deriveKey);
    this.keys = first && [first, ...others];
    ({ ttl: this.ttl, limit: this.limit } = resolveLimits(limits));
    this.domain = domain;
    this.lifetime = Math.max(1, Math.floor((2 * this.ttl) / 1000));
  }

  store(
    req: Request,
    codeVerifier: string | undefined,
    state: unknown,
    meta: StateMetadata,
    done: StateStoreCallback,
  ): void {
    const response = requireResponse(req);
    const { callbackURL, ownCallbackURL } = meta;
    const handle = randomToken();
    const flow: StoredFlow = {
      start: Date.now(),
      handle,
      appState: state,
      callbackURL: callbackURL === ownCallbackURL ? undefined : callbackURL,
      codeVerifier,
      isRestart: meta.marketplace === true,
      isPrefetch: meta.prefetch === true,
    };
    const names = cookieNames(meta, this.domain);
    const value = signFlow(flow, meta, this.keysFor(meta));
    const bytes = bytesOf(cookieName(names, 0), value);
    const places = placesFor(bytes);
    if (places === 0) throw tooLarge(bytes, MOST_BYTES);

    const isOpenNow = (each: Flow) => isOpen(each, this.ttl);
    const sent = readFlowCookies(req, names);
    const limit = Math.min(this.limit, PLACES);
    if (flow.isRestart && isRestartLoop(sent.filter(isOpenNow), Math.min(limit, places))) {
      return done(null, false, RESTART_LOOP);
    }
    const { start, isRestart, isPrefetch } = flow;
    const rules = { limit, isOpen: isOpenNow, randomBelow: randomInt };
    const chosen = choosePlace(sent, { start, bytes, isRestart, isPrefetch }, rules);
    if (chosen) {
      const cleared = [...new Set(chosen.dropped.map(({ name }) => name))];
      addCookies(response, [
        ...cleared.map((name) => setCookieHeader(name, '', 0, this.domain)),
        setCookieHeader(cookieName(names, chosen.place), value, this.lifetime, this.domain),
      ]);
    }
    // A prefetch without a place is redirected as well: a user who follows the link starts anew.
    done(null, handle);
  }

  verify(req: Request, state: string, meta: StateMetadata, done: StateVerifyCallback): void {
    const response = requireResponse(req);
    const sent = readFlowCookies(req, cookieNames(meta, this.domain));
    const candidates = sent.filter((cookie) => matchesState(cookie, state));
    for (const { name, value } of candidates) {
      const flow = unsignFlow(value, state, meta, this.keysFor(meta));
      if (!flow) continue;

      // The state is used up before anything else can fail.
      addCookies(response, [setCookieHeader(name, '', 0, this.domain)]);
      if (!isOpen(flow, this.ttl)) return done(null, false, EXPIRED);
      const { codeVerifier = true, appState, callbackURL = meta.ownCallbackURL, isRestart } = flow;
      return done(null, codeVerifier, appState, { callbackURL, marketplace: isRestart });
    }
    done(null, false, sent.length === 0 ? NO_COOKIE : candidates.length === 0 ? NO_FLOW : OTHER_SECRET);
  }

  private keysFor(meta: StateMetadata): Keys {
    return this.keys ?? [clientKeyFor(meta)];
  }
}

function isLongSecret(value: unknown): boolean {
  return typeof value === 'string' && value.length >= MIN_SECRET_LENGTH;
}
