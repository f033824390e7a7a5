// State stores: ours, passport-oauth2's of any length, the app's own; and what must not compile.
import type { Request } from 'express';
import type { StateStore as OAuth2StateStore } from 'passport-oauth2';
import {
  CookieStateStore,
  type FlowDetails,
  PipedriveStrategy,
  SessionStateStore,
  type StateMetadata,
  type StateRefusal,
  type StateStore,
  type StateStoreCallback,
  type StateVerifyCallback,
} from 'passport-pipedrive-oauth2';
import { type Equal, is, options } from './checks.js';

const use = (store: StateStore) => new PipedriveStrategy({ ...options, store }, () => false);

// Ours.
use(new CookieStateStore());
use(new CookieStateStore({ secret: ['new', 'old'], ttl: 60_000, limit: 3 }));
use(new SessionStateStore({ key: 'pipedrive' }));
// @ts-expect-error milliseconds are a number
new CookieStateStore({ ttl: '30m' });
// @ts-expect-error a key is text
new SessionStateStore({ key: 7 });

// passport-oauth2's, of each length.
declare const published: OAuth2StateStore;
use(published);
use({
  store: (_req: Request, done: (error: Error | null, state: string) => void) => done(null, 'state'),
  verify: (_req: Request, _state: string, done: (error: Error | null, ok: boolean) => void) => done(null, true),
});
use({
  store: (_req: Request, _meta: object, done: (error: Error | null, state: string) => void) => done(null, 'state'),
  verify: (_req: Request, _state: string, _meta: object, done: (error: Error | null, ok: boolean) => void) =>
    done(null, true),
});
use({
  store: (_req: object, _state: unknown, _meta: object, done: StateStoreCallback) => done(null, 'state'),
  verify: (_req: object, _state: string, _meta: object, done: StateVerifyCallback) =>
    done(null, false, { message: 'Unable to verify authorization request state.' }),
});

/** An app's own, with everything. */
export class OwnStore implements StateStore {
  private readonly flows = new Map<string, { verifier: string | undefined; state: unknown; meta: StateMetadata }>();

  store(
    req: Request,
    verifier: string | undefined,
    state: unknown,
    meta: StateMetadata,
    done: StateStoreCallback,
  ): void {
    is<Equal<typeof meta.callbackURL, string>>()(true);
    is<Equal<typeof meta.ownCallbackURL, string>>()(true);
    is<Equal<typeof meta.strategy, string>>()(true);
    if (meta.prefetch) return done(null, false, { code: 'state_missing', reason: `of ${req.ip}` });
    if (meta.marketplace) return done(new Error('full'));
    this.flows.set('handle', { verifier, state, meta });
    done(null, 'handle');
  }

  verify(_req: Request, handle: string, meta: StateMetadata, done: StateVerifyCallback): void {
    const flow = this.flows.get(handle);
    const refusal: StateRefusal = { code: 'state_expired', reason: undefined };
    if (!flow || flow.meta.strategy !== meta.strategy) return done(null, false, refusal);
    const details: FlowDetails = { callbackURL: flow.meta.callbackURL, marketplace: flow.meta.marketplace };
    done(null, flow.verifier ?? true, flow.state, details);
  }
}
use(new OwnStore());

// @ts-expect-error verify is missing
use({ store: (_req: Request, done: StateStoreCallback) => done(null, 'state') });
// @ts-expect-error store is missing
use({ verify: (_req: Request, _state: string, done: StateVerifyCallback) => done(null, true) });
use({
  // @ts-expect-error there is no such form
  store: (_req: Request, _a: unknown, _b: unknown, _c: object, _d: object, done: StateStoreCallback) => done(null, 'x'),
  verify: (_req: Request, _state: string, done: StateVerifyCallback) => done(null, true),
});
use({
  store: (_req: Request, done: StateStoreCallback) => done(null, 'state'),
  // @ts-expect-error the state is text
  verify: (_req: Request, _state: number, done: StateVerifyCallback) => done(null, true),
});

export function wrongAnswers(stored: StateStoreCallback, verified: StateVerifyCallback): void {
  // @ts-expect-error the state parameter is text
  stored(null, 7);
  // @ts-expect-error no such refusal
  stored(null, false, { code: 'full' });
  // @ts-expect-error no such detail
  verified(null, true, 'state', { redirect: '/' });
  // @ts-expect-error a verifier is text
  verified(null, 7);
}
