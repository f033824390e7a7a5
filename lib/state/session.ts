// Keeps sign-ins under way in `req.session`.
import type { Request } from 'express';
import { isRecord, readJSON, withoutUndefined } from '../values';
import { createHandle, type FlowLimits, newestThatFit, resolveLimits } from './flow';
import type { StateMetadata, StateStore, StateStoreCallback, StateVerifyCallback } from './store';

export interface SessionStateStoreOptions extends FlowLimits {
  /**
   * Key in `req.session`.
   *
   * @default 'oauth2:oauth.pipedrive.com'
   */
  key?: string;
}

/** A flow as the session keeps it. Short keys, since some sessions are cookies. */
interface StoredFlow {
  /** handle: the `state` parameter */
  h: string;
  /** start, Unix time in ms */
  t: number;
  /** name of the strategy */
  n: string;
  /** client id */
  c: string;
  /** callback URL */
  u: string;
  /** app state, as JSON: what a session does to odd keys and values does not reach it */
  s?: string;
  /** code verifier */
  v?: string;
}

/**
 * State store in `req.session`, for any session middleware: one small array under one key, replaced as a whole.
 *
 * Passport regenerates the session when a user signs in, so flows of other tabs end then with `state_invalid`, unless
 * `passport.authenticate` has `keepSessionInfo: true`. Most session middleware writes the whole session at the end of a
 * request, so of two flows that start at the very same time the later write wins. `CookieStateStore` has neither limit.
 */
export class SessionStateStore implements StateStore {
  private readonly ttl: number;
  private readonly limit: number;
  private readonly key: string;

  constructor({ key = 'oauth2:oauth.pipedrive.com', ...limits }: SessionStateStoreOptions = {}) {
    if (typeof key !== 'string' || key === '') throw new TypeError('key must be a string');
    ({ ttl: this.ttl, limit: this.limit } = resolveLimits(limits));
    this.key = key;
  }

  store(
    req: Request,
    codeVerifier: string | undefined,
    state: unknown,
    meta: StateMetadata,
    done: StateStoreCallback,
  ): void {
    const session = sessionOf(req);
    const flow: StoredFlow = withoutUndefined({
      h: createHandle(),
      t: Date.now(),
      n: meta.strategy,
      c: meta.clientID,
      u: meta.callbackURL,
      s: JSON.stringify(state),
      v: codeVerifier,
    });
    const flows = [...readFlows(session[this.key]), flow];
    // The two bytes are its share of the array's brackets and commas.
    session[this.key] = newestThatFit(flows, this.limit, (each) => Buffer.byteLength(JSON.stringify(each)) + 2);
    done(null, flow.h);
  }

  verify(req: Request, state: string, meta: StateMetadata, done: StateVerifyCallback): void {
    const session = sessionOf(req);
    const flows = readFlows(session[this.key]);
    const flow = flows.find(({ h, n, c }) => h === state && n === meta.strategy && c === meta.clientID);
    if (!flow) return done(null, false);

    // Used up before anything else can fail.
    session[this.key] = flows.filter((other) => other !== flow);
    if (Date.now() - flow.t > this.ttl) return done(null, false, { code: 'state_expired' });
    done(null, flow.v ?? true, flow.s && readJSON(flow.s), { callbackURL: flow.u });
  }
}

function sessionOf(req: Request): Record<string, unknown> {
  const session: unknown = Reflect.get(req, 'session');
  if (!isRecord(session)) {
    throw new Error(
      'SessionStateStore needs req.session: use a session middleware, or CookieStateStore, which needs none',
    );
  }
  return session;
}

function readFlows(value: unknown): StoredFlow[] {
  return Array.isArray(value) ? value.filter(isFlow) : [];
}

function isFlow(value: unknown): value is StoredFlow {
  if (!isRecord(value)) return false;
  const { h, t, u, s } = value;
  const hasState = typeof s === 'string' && readJSON(s) !== undefined;
  return typeof h === 'string' && typeof t === 'number' && typeof u === 'string' && (s === undefined || hasState);
}
