// The default state store: cookies where the framework lets us set them, else the session.
import type { Request } from 'express';
import { type CookieStateStore, takesCookies } from './cookie';
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
    callback: StateStoreCallback,
  ): void {
    this.storeFor(req).store(req, codeVerifier, state, meta, callback);
  }

  verify(req: Request, state: string, meta: StateMetadata, callback: StateVerifyCallback): void {
    this.storeFor(req).verify(req, state, meta, callback);
  }

  private storeFor(req: Request): CookieStateStore | SessionStateStore {
    return takesCookies(req) ? this.cookies : this.session;
  }
}
