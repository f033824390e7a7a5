// Keeps pending sign-ins in `req.session`.
import type { Request } from 'express';
import { isPromise } from '../from-callback';
import { randomToken } from '../random';
import { isRecord, readJSON } from '../values';
import {
  EXPIRED,
  type Flow,
  type FlowLimits,
  fingerprintOf,
  flowsToDrop,
  isOpen,
  isRestartLoop,
  NO_FLOW,
  RESTART_LOOP,
  resolveLimits,
  tooLarge,
} from './flow';
import type { StateMetadata, StateRefusal, StateStore, StateStoreCallback, StateVerifyCallback } from './store';

export interface SessionStateStoreOptions extends FlowLimits {
  /**
   * Key in `req.session`.
   *
   * @default 'pipedrive-oauth2:flows'
   */
  key?: string | undefined;
}

/** A flow as the session keeps it. Short keys, since some sessions are cookies. */
interface StoredFlow {
  /** handle: the `state` parameter */
  h: string;
  /** start, Unix time in ms */
  t: number;
  /** fingerprint of the strategy and the client */
  f: string;
  /** callback URL */
  u: string;
  /** app state, as JSON: what a session does to odd keys and values does not reach it */
  s?: string;
  /** code verifier */
  v?: string;
  /** restart of an install that the Marketplace began */
  m?: true;
  /** begun by a prefetch */
  p?: true;
}

/** Most bytes of all flows: some sessions are sealed cookies, which grow by a third or more, and end at 4,096. */
const MOST_BYTES = 2048;

const OTHER_STRATEGY: StateRefusal = { code: 'state_invalid', reason: 'of another strategy or client' };

/**
 * State store in `req.session`, for any session middleware: one array of at most 2,048 bytes under one key, replaced as
 * a whole. A session that has a function `save` is saved before the redirect and before the exchange; a sign-in fails
 * with the error if that fails.
 *
 * Passport regenerates the session when a user signs in, so flows of other tabs end then with `state_invalid`, unless
 * `passport.authenticate` has `keepSessionInfo: true`. Most session middleware writes whole sessions, so of two flows
 * that start at the very same time the later write wins. `CookieStateStore` has neither limit.
 */
export class SessionStateStore implements StateStore {
  private readonly ttl: number;
  private readonly limit: number;
  private readonly key: string;
  /** Most bytes of the flows beside their key. */
  private readonly room: number;

  /** Throws a `TypeError` that names the option that is not what it must be. */
  constructor({ key = 'pipedrive-oauth2:flows', ...limits }: SessionStateStoreOptions = {}) {
    if (typeof key !== 'string' || key === '') throw new TypeError('key must be a string');
    ({ ttl: this.ttl, limit: this.limit } = resolveLimits(limits));
    this.key = key;
    this.room = MOST_BYTES - bytesOf({ [key]: [] });
  }

  store(
    req: Request,
    codeVerifier: string | undefined,
    state: unknown,
    meta: StateMetadata,
    done: StateStoreCallback,
  ): void {
    const session = requireSession(req);
    const json: string | undefined = JSON.stringify(state); // nothing for what JSON cannot hold, such as a function
    const stored: StoredFlow = {
      h: randomToken(),
      t: Date.now(),
      f: fingerprintOf(meta.strategy, meta.clientID),
      u: meta.callbackURL,
      ...(json !== undefined && { s: json }),
      ...(codeVerifier !== undefined && { v: codeVerifier }),
      ...(meta.marketplace && { m: true }),
      ...(meta.prefetch && { p: true }),
    };
    const added = measure(stored);
    const { room } = this;
    if (added.bytes > room) throw tooLarge(added.bytes, room);

    const flows = readFlows(session[this.key])
      .map(measure)
      .filter((flow) => isOpen(flow, this.ttl));
    const alike = Math.min(this.limit, Math.floor(room / added.bytes));
    if (added.isRestart && isRestartLoop(flows, alike)) return done(null, false, RESTART_LOOP);
    const mayGiveWay = (flow: Flow) => !added.isPrefetch || flow.isPrefetch;
    const dropped = flowsToDrop(flows, added, { limit: this.limit, bytes: room, mayGiveWay });
    // A prefetch without room is redirected as well: a user who follows the link starts anew.
    if (!dropped) return done(null, stored.h);

    session[this.key] = [...flows.filter((flow) => !dropped.includes(flow)), added].map((flow) => flow.stored);
    saveSession(session, (error) => (error ? done(error) : done(null, stored.h)));
  }

  verify(req: Request, state: string, meta: StateMetadata, done: StateVerifyCallback): void {
    const session = requireSession(req);
    const flows = readFlows(session[this.key]);
    const flow = flows.find(({ h }) => h === state);
    if (!flow) return done(null, false, NO_FLOW);
    if (flow.f !== fingerprintOf(meta.strategy, meta.clientID)) return done(null, false, OTHER_STRATEGY);

    // The state is used up, and that is saved, before anything else can fail: however slow Pipedrive is, it counts once.
    const isExpired = !isOpen({ start: flow.t }, this.ttl);
    session[this.key] = flows.filter((other) => other !== flow && isOpen({ start: other.t }, this.ttl));
    saveSession(session, (error) => {
      if (error) return done(error);
      if (isExpired) return done(null, false, EXPIRED);
      const details = { callbackURL: flow.u, marketplace: flow.m === true };
      done(null, flow.v ?? true, flow.s && readJSON(flow.s), details);
    });
  }
}

/** A flow with what the limits need to know of it. */
function measure(stored: StoredFlow): Flow & { stored: StoredFlow } {
  const { t: start, m: isRestart = false, p: isPrefetch = false } = stored;
  // One byte more for the comma in the array.
  return { stored, start, bytes: bytesOf(stored) + 1, isRestart, isPrefetch };
}

function bytesOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

/**
 * Saves a session that can be saved; others are saved by their middleware at the end of the request. Some say by a
 * callback that it is done (express-session), some by a promise (iron-session). Others, in cookies, call nobody back
 * (cookie-session 1, koa-session up to 5): their `save` has no parameters. express-session's seems to have none either,
 * since it is wrapped, but a session in a store can be reloaded.
 */
function saveSession(session: Record<string, unknown>, done: (error?: unknown) => void): void {
  const { save } = session;
  if (typeof save !== 'function') return done();
  const returned: unknown = save.call(session, done);
  if (isPromise(returned)) {
    returned.then(
      () => done(),
      (error) => done(error ?? new Error('The session could not be saved')),
    );
  } else if (save.length === 0 && typeof session.reload !== 'function') done();
}

function requireSession(req: Request): Record<string, unknown> {
  const session: unknown = Reflect.get(req, 'session');
  if (!isRecord(session)) {
    throw new Error(
      'SessionStateStore needs req.session: use a session middleware, or CookieStateStore, which needs none but req.res; ' +
        'where the framework does not set that, set req.res = res before Passport runs. See docs/troubleshooting.md',
    );
  }
  return session;
}

function readFlows(value: unknown): StoredFlow[] {
  return Array.isArray(value) ? value.filter(isStoredFlow) : [];
}

function isStoredFlow(value: unknown): value is StoredFlow {
  if (!isRecord(value)) return false;
  const { h, t, u, s, v } = value;
  const isOptionalText = (each: unknown) => each === undefined || typeof each === 'string';
  const hasReadableState = s === undefined || (typeof s === 'string' && readJSON(s) !== undefined);
  return (
    typeof h === 'string' && typeof t === 'number' && typeof u === 'string' && hasReadableState && isOptionalText(v)
  );
}
