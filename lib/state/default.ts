// The choice of the state store: the app's own; by default cookies where the response can take them, otherwise the session.
import type { Request } from 'express';
import type { PipedriveStrategyOptions } from '../options';
import { responseOf } from '../response';
import { CookieStateStore } from './cookie';
import { SessionStateStore } from './session';
import type { StateMetadata, StateStore, StateStoreCallback, StateVerifyCallback } from './store';

/** The state store that the options ask for, if any. */
export function resolveStore(
  { store, sessionKey }: Pick<PipedriveStrategyOptions, 'store' | 'sessionKey'>,
  usesState: boolean,
): StateStore | undefined {
  if (store || !usesState) return store;
  return defaultStore(new CookieStateStore(), new SessionStateStore({ key: sessionKey }));
}

/** A store that chooses between the two for each request. */
function defaultStore(cookies: CookieStateStore, session: SessionStateStore) {
  const storeFor = (req: Request) => (responseOf(req) ? cookies : session);
  return {
    store(
      req: Request,
      codeVerifier: string | undefined,
      state: unknown,
      meta: StateMetadata,
      done: StateStoreCallback,
    ): void {
      storeFor(req).store(req, codeVerifier, state, meta, done);
    },
    verify(req: Request, state: string, meta: StateMetadata, done: StateVerifyCallback): void {
      storeFor(req).verify(req, state, meta, done);
    },
  };
}
