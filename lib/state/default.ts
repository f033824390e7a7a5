// The default state store: cookies where the framework lets us set them, else the session.
import type { Request } from 'express';
import { type CookieStateStore, canSetCookies } from './cookie';
import type { SessionStateStore } from './session';
import type { StateMetadata, StateStore, StateStoreCallback, StateVerifyCallback } from './store';

export class DefaultStateStore implements StateStore {
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
