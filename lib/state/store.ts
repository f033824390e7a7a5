// passport-oauth2's state store interface, with all its arities, as promises.
import type { Request } from 'express';
import { called } from '../called';
import { isRecord } from '../json';

/** What a store may know of the strategy that calls it. */
export interface StateMetadata {
  authorizationURL: string;
  tokenURL: string;
  clientID: string;
  /** The callback URL of this request, in absolute form. */
  callbackURL: string;
  /** `strategy.name` */
  strategy: string;
}

export type StateStoreCallback = (error?: unknown, state?: string) => void;

/**
 * Ends a verification: `ok` is `true`, or the flow's code verifier (RFC 7636), or `false`; `state` is then what the app
 * gave, or with `false` a reason, whose `code` may be `'state_expired'`. `callbackURL` is the one that the flow began
 * with, where the store knows it.
 */
export type StateVerifyCallback = (
  error?: unknown,
  ok?: boolean | string,
  state?: unknown,
  callbackURL?: string,
) => void;

/** A state store of passport-oauth2. The number of parameters of its functions selects what they get. */
export interface StateStore {
  store:
    | ((req: Request, callback: StateStoreCallback) => void)
    | ((req: Request, meta: StateMetadata, callback: StateStoreCallback) => void)
    | ((req: Request, state: unknown, meta: StateMetadata, callback: StateStoreCallback) => void)
    | ((
        req: Request,
        codeVerifier: string | undefined,
        state: unknown,
        meta: StateMetadata,
        callback: StateStoreCallback,
      ) => void);
  verify:
    | ((req: Request, state: string, callback: StateVerifyCallback) => void)
    | ((req: Request, state: string, meta: StateMetadata, callback: StateVerifyCallback) => void);
}

/** Remembers a flow in a store, and yields the `state` parameter that stands for it. */
export async function storeState(
  { req, codeVerifier, state, meta }: { req: Request; codeVerifier?: string; state: unknown; meta: StateMetadata },
  store: StateStore,
): Promise<string | undefined> {
  const { length } = store.store;
  const carried =
    length === 5 ? [codeVerifier, state, meta] : length === 4 ? [state, meta] : length === 3 ? [meta] : [];
  const [handle] = await called<[string]>((callback) => Reflect.apply(store.store, store, [req, ...carried, callback]));
  return handle;
}

/** A flow that a store recognised, or why it did not. */
export type VerifiedState =
  | { ok: true; codeVerifier?: string; state: unknown; callbackURL?: string }
  | { ok: false; isExpired: boolean };

/** Verifies a `state` parameter, and thereby uses it up. */
export async function verifyState(
  { req, state, meta }: { req: Request; state: string | undefined; meta: StateMetadata },
  store: StateStore,
): Promise<VerifiedState> {
  const carried = store.verify.length === 4 ? [meta] : [];
  const [ok, found, callbackURL] = await called<[boolean | string, unknown, string]>((callback) =>
    Reflect.apply(store.verify, store, [req, state, ...carried, callback]),
  );
  if (!ok) return { ok: false, isExpired: isRecord(found) && found.code === 'state_expired' };
  return { ok: true, codeVerifier: typeof ok === 'string' ? ok : undefined, state: found, callbackURL };
}
