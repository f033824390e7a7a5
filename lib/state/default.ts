// The choice of the state store: the app's own; by default cookies where the framework lets us set them, otherwise the session.
import type { Request } from 'express';
import type { PipedriveStrategyOptions } from '../options';
import { CookieStateStore, canSetCookies } from './cookie';
import { SessionStateStore } from './session';
import type { StateMetadata, StateStore, StateStoreCallback, StateVerifyCallback } from './store';

/** The state store that the options ask for, if any. */
export function resolveStore(
  { store, clientSecret, sessionKey }: Pick<PipedriveStrategyOptions, 'store' | 'clientSecret' | 'sessionKey'>,
  usesState: boolean,
): StateStore | undefined {
  if (store instanceof CookieStateStore) return store.withDefaultSecret(clientSecret);
  if (store || !usesState) return store;
  const session = new SessionStateStore(sessionKey === undefined ? {} : { key: sessionKey });
  return new DefaultStateStore(new CookieStateStore({ secret: clientSecret }), session);
}

class DefaultStateStore implements StateStore {
  constructor(
    private readonly cookies: CookieStateStore,
    private readonly session: SessionStateStore,
  ) {}

  store(
    req: Request,
    codeVerifier: string | undefined,
    state: unknown,
    meta: StateMetadata,
    done: StateStoreCallback,
  ): void {
    this.storeFor(req).store(req, codeVerifier, state, meta, done);
  }

  verify(req: Request, state: string, meta: StateMetadata, done: StateVerifyCallback): void {
    this.storeFor(req).verify(req, state, meta, done);
  }

  private storeFor(req: Request): CookieStateStore | SessionStateStore {
    return canSetCookies(req) ? this.cookies : this.session;
  }
}
