// passport-oauth2's state store interface, with all its arities, as promises.
import type { Request } from 'express';
import { fromCallback } from '../from-callback';
import { isRecord, readText } from '../values';

/** What a store may know of the strategy that calls it. */
export interface StateMetadata {
  authorizationURL: string;
  tokenURL: string;
  clientID: string;
  /** The callback URL of this request, in absolute form. */
  callbackURL: string;
  /** `strategy.name` */
  strategy: string;
  /** The strategy's own callback URL, in absolute form: `callbackURL` unless this request was given another one. */
  ownCallbackURL: string;
  /** Whether this flow is the restart of an install that the Marketplace began. */
  marketplace?: boolean;
  /** Whether the browser marks this request as a prefetch: its flow must not push out a real one. */
  prefetch?: boolean;
}

/** Why a store refuses: to begin a flow (`state_missing`), or to end one. `reason` is for the developer. */
export interface StateRefusal {
  code?: 'state_missing' | 'state_expired' | 'state_invalid' | undefined;
  reason?: string | undefined;
}

/** What a store knows of a flow besides the app's state. */
export interface FlowDetails {
  /** The callback URL that the flow began with. */
  callbackURL?: string | undefined;
  /** Whether it is the restart of an install that the Marketplace began. */
  marketplace?: boolean | undefined;
}

/** Ends `store`: with the `state` parameter, or with `false` and a refusal. */
export type StateStoreCallback = (error?: unknown, state?: string | false, refusal?: StateRefusal) => void;

/**
 * Ends `verify`: `ok` is `true`, or the flow's code verifier (RFC 7636), or `false`; `state` is then what the app gave,
 * or with `false` a refusal.
 */
export type StateVerifyCallback = (
  error?: unknown,
  ok?: boolean | string,
  state?: unknown,
  details?: FlowDetails,
) => void;

/** A state store of passport-oauth2. The number of parameters of each function selects what it gets. */
export interface StateStore {
  store:
    | ((req: Request, done: StateStoreCallback) => void)
    | ((req: Request, meta: StateMetadata, done: StateStoreCallback) => void)
    | ((req: Request, state: unknown, meta: StateMetadata, done: StateStoreCallback) => void)
    | ((
        req: Request,
        codeVerifier: string | undefined,
        state: unknown,
        meta: StateMetadata,
        done: StateStoreCallback,
      ) => void);
  verify:
    | ((req: Request, state: string, done: StateVerifyCallback) => void)
    | ((req: Request, state: string, meta: StateMetadata, done: StateVerifyCallback) => void);
}

/** A flow that has begun, with the `state` parameter that stands for it; or why the store refused. */
export type BegunFlow = { ok: true; state: string | undefined } | ({ ok: false } & StateRefusal);

/** Has a store remember a flow, and yields the `state` parameter that stands for it. */
export async function beginFlow(
  { req, codeVerifier, state, meta }: { req: Request; codeVerifier?: string; state: unknown; meta: StateMetadata },
  store: StateStore,
): Promise<BegunFlow> {
  const { length } = store.store;
  // Each arity adds a parameter in front of the others. Any length but 3, 4 and 5 is that of `(req, done)`.
  const carried = length > 5 ? [] : [codeVerifier, state, meta].slice(5 - length);
  const [handle, refusal] = await fromCallback<[string | false, unknown]>((done) =>
    Reflect.apply(store.store, store, [req, ...carried, done]),
  );
  return handle === false ? { ok: false, ...readRefusal(refusal) } : { ok: true, state: handle };
}

/** A flow that a store recognised, or why it did not. */
type EndedFlow = ({ ok: true; codeVerifier?: string; state: unknown } & FlowDetails) | ({ ok: false } & StateRefusal);

/** Has a store verify a `state` parameter, which uses it up. */
export async function endFlow(
  { req, state, meta }: { req: Request; state: string | undefined; meta: StateMetadata },
  store: StateStore,
): Promise<EndedFlow> {
  const carried = store.verify.length === 4 ? [meta] : [];
  const [ok, found, details] = await fromCallback<[boolean | string, unknown, unknown]>((done) =>
    Reflect.apply(store.verify, store, [req, state, ...carried, done]),
  );
  if (!ok) return { ok: false, ...readRefusal(found) };
  const codeVerifier = typeof ok === 'string' ? ok : undefined;
  const { callbackURL, marketplace } = isRecord(details) ? details : {};
  return {
    ok: true,
    codeVerifier,
    state: found,
    callbackURL: readText(callbackURL),
    marketplace: marketplace === true,
  };
}

const REFUSAL_CODES = ['state_missing', 'state_expired', 'state_invalid'] as const;

/** A refusal of our stores' form. passport-oauth2's stores say `{ message }`, which is none. */
function readRefusal(value: unknown): StateRefusal {
  const { code, reason } = isRecord(value) ? value : {};
  return { code: REFUSAL_CODES.find((each) => each === code), reason: readText(reason) };
}
