// Keeps sign-ins under way in signed cookies, one for each.
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { stringifySetCookie } from 'cookie';
import { sign, unsign } from 'cookie-signature';
import type { Request, Response } from 'express';
import { createHandle, type FlowLimits, newestThatFit, resolveLimits } from './flow';
import type { StateMetadata, StateStore, StateStoreCallback, StateVerifyCallback } from './store';

export interface CookieStateStoreOptions extends FlowLimits {
  /**
   * Signs the cookies. Of several secrets the first signs and all verify: to rotate, put the new one in front, and drop
   * the old one after `ttl`. Without the secret that signed it a sign-in under way ends with `state_invalid`.
   *
   * @default the strategy's client secret
   */
  secret?: string | readonly string[];
}

/** A flow as its cookie keeps it. */
interface StoredFlow {
  /** callback URL */
  u: string;
  /** app state */
  s?: unknown;
  /** code verifier */
  v?: string;
}

/** A flow's cookie as the browser sent it, with the flow's `state` parameter out of its name. */
interface FlowCookie {
  name: string;
  handle: string;
  value: string;
}

const FLOW_COOKIES = /(?:^|;) *(?<name>(?:__Host-)?pipedrive-flow\.(?<handle>[\w-]{43}))=(?<value>[^;\s]*)/g;

/** How much longer than `ttl` a cookie lives, in ms, so that a flow that took too long is told from a foreign one. */
const AFTERLIFE = 24 * 60 * 60 * 1000;

// The values need no escaping: base36, base64url and base64.
const unencoded = (value: string) => value;

/**
 * State store in signed cookies: needs no session and no memory on the server, and shares nothing between servers but
 * the secret. Each flow is one HttpOnly, SameSite=Lax cookie, with `Secure` and the `__Host-` prefix when the callback
 * URL is https. Together they stay under 4,096 bytes. It needs `req.res`, which Express and Nest set.
 *
 * What the app gives as `state` is signed, not encrypted: the user can read it.
 */
export class CookieStateStore implements StateStore {
  private readonly keys: readonly KeyObject[];
  private readonly ttl: number;
  private readonly limit: number;

  constructor({ secret = [], ...limits }: CookieStateStoreOptions = {}) {
    const secrets = typeof secret === 'string' ? [secret] : secret;
    if (!Array.isArray(secrets) || !secrets.every((each) => typeof each === 'string' && each !== '')) {
      throw new TypeError('secret must be a string, or an array of strings');
    }
    this.keys = secrets.map(deriveKey);
    ({ ttl: this.ttl, limit: this.limit } = resolveLimits(limits));
  }

  /** This store, or if it has no secret, one alike that is keyed from the given one. The strategy calls it. */
  withDefaultSecret(secret: string): CookieStateStore {
    return this.keys.length > 0 ? this : new CookieStateStore({ secret, ttl: this.ttl, limit: this.limit });
  }

  store(
    req: Request,
    codeVerifier: string | undefined,
    state: unknown,
    meta: StateMetadata,
    done: StateStoreCallback,
  ): void {
    const response = responseOf(req);
    const handle = createHandle();
    const isSecure = meta.callbackURL.startsWith('https:');
    const flow: StoredFlow = { u: meta.callbackURL, s: state, v: codeVerifier };
    const payload = `${Date.now().toString(36)}.${Buffer.from(JSON.stringify(flow)).toString('base64url')}`;
    const name = nameOf(handle, isSecure);
    const cookie: FlowCookie = { name, handle, value: this.signed(payload, name, meta) };

    // Their start is read unverified: it only decides who goes first.
    const earlier = flowCookies(req).sort((a, b) => startOf(a.value) - startOf(b.value));
    const kept = newestThatFit([...earlier, cookie], this.limit, ({ name, value }) => `${name}=${value}; `.length);
    for (const old of earlier.slice(0, earlier.length + 1 - kept.length)) clearCookie(response, old.name);
    setCookie(response, name, cookie.value, this.ttl + AFTERLIFE);
    done(null, handle);
  }

  verify(req: Request, state: string, meta: StateMetadata, done: StateVerifyCallback): void {
    const response = responseOf(req);
    const cookie = flowCookies(req).find(({ handle }) => handle === state);
    const payload = cookie && this.unsigned(cookie, meta);
    if (!payload) return done(null, false);

    // Used up before anything else can fail.
    clearCookie(response, cookie.name);
    if (Date.now() - startOf(payload) > this.ttl) return done(null, false, { code: 'state_expired' });
    const flow = Buffer.from(payload.slice(payload.indexOf('.') + 1), 'base64url');
    const { u, s, v } = JSON.parse(flow.toString()) as StoredFlow;
    done(null, v ?? true, s, { callbackURL: u });
  }

  private signed(payload: string, name: string, meta: StateMetadata): string {
    const context = contextOf(name, meta);
    const [key] = this.keys;
    if (!key) throw new Error('CookieStateStore needs a secret');
    return sign(context + payload, key).slice(context.length);
  }

  private unsigned({ name, value }: FlowCookie, meta: StateMetadata): string | undefined {
    const context = contextOf(name, meta);
    for (const key of this.keys) {
      const payload = unsign(context + value, key);
      if (payload) return payload.slice(context.length);
    }
    return undefined;
  }
}

/** Whether the response to a request is known, and can take a cookie without losing those of others. */
export function canSetCookies(req: Request): req is Request & { res: Response } {
  const { res } = req;
  return typeof res?.getHeader === 'function' && typeof res.setHeader === 'function';
}

/** An own key, so that what is signed with the same secret for another purpose means nothing here (RFC 5869 §3.2). */
function deriveKey(secret: string): KeyObject {
  const key = hkdfSync('sha256', secret, '', 'passport-pipedrive-oauth2 state cookie', 32);
  return createSecretKey(Buffer.from(key));
}

function nameOf(handle: string, isSecure: boolean): string {
  return `${isSecure ? '__Host-' : ''}pipedrive-flow.${handle}`;
}

/** What a signature binds a flow to besides its content. It takes no room in the cookie. */
function contextOf(name: string, { strategy, clientID }: StateMetadata): string {
  return JSON.stringify([name, strategy, clientID]);
}

/** The flows that the browser sent. */
function flowCookies(req: Request): FlowCookie[] {
  const found = String(req.headers.cookie).matchAll(FLOW_COOKIES);
  return Array.from(found, ({ groups }) => groups as FlowCookie & typeof groups);
}

/** When a flow began, in Unix time in ms: a cookie's value begins with it. */
function startOf(value: string): number {
  return Number.parseInt(value, 36) || 0;
}

function setCookie(response: Response, name: string, value: string, maxAge: number): void {
  const header = stringifySetCookie(
    {
      name,
      value,
      maxAge: Math.ceil(maxAge / 1000),
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: name.startsWith('__Host-'),
    },
    { encode: unencoded },
  );
  const others = response.getHeader('Set-Cookie') ?? [];
  response.setHeader('Set-Cookie', [...(Array.isArray(others) ? others : [String(others)]), header]);
}

function clearCookie(response: Response, name: string): void {
  setCookie(response, name, '', 0);
}

function responseOf(req: Request): Response {
  if (!canSetCookies(req)) {
    throw new Error(
      'CookieStateStore needs req.res to set its cookies on, which this framework does not provide: use SessionStateStore',
    );
  }
  return req.res;
}
