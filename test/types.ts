// What TypeScript users see: every form without annotations, and what must not compile. Checked by `npm run typecheck`.
import http from 'node:http';
import type { Request } from 'express';
import passport from 'passport';
import {
  CookieStateStore,
  type PipedriveFailure,
  type PipedriveProfile,
  PipedriveStrategy,
  type PipedriveTokens,
  type PipedriveUninstall,
  SessionStateStore,
  TokenError,
  type VerifyCallback,
} from 'passport-pipedrive-oauth2';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
type IsAny<T> = 0 extends 1 & T ? true : false;

/** Compiles only where a value can be used as `T`, and is not `any`. */
const is =
  <T>() =>
  <V>(_value: V, ..._checks: IsAny<V> extends true ? ['is any'] : V extends T ? [] : ['is something else']) => {};

const options = { clientID: 'id', clientSecret: 'secret', callbackURL: '/callback' };
const withRequest = { ...options, passReqToCallback: true } as const;

// The form of one parameter.
new PipedriveStrategy(options, ({ req, accessToken, refreshToken, tokens, profile }) => {
  is<Request>()(req);
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveTokens>()(tokens);
  is<PipedriveProfile>()(profile);
  is<Equal<typeof profile.isAdmin, boolean | undefined>>()(true);
  return { id: profile.id };
});
new PipedriveStrategy(options, async (context) => is<PipedriveProfile>()(context.profile) ?? false);

// Passport's forms, also async, and also with `passReqToCallback: false`.
new PipedriveStrategy(options, (accessToken, refreshToken, profile, done) => {
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
  done(null, { id: profile.id }, { message: 'Welcome' });
});
new PipedriveStrategy(
  { ...options, passReqToCallback: false },
  async (accessToken, refreshToken, params, profile, done) => {
    is<string>()(accessToken);
    is<string>()(refreshToken);
    is<PipedriveTokens>()(params);
    is<PipedriveProfile>()(profile);
    is<VerifyCallback>()(done);
    done(null, false);
  },
);
new PipedriveStrategy(withRequest, (req, accessToken, refreshToken, profile, done) => {
  is<Request>()(req);
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
});
new PipedriveStrategy(withRequest, async (req, accessToken, refreshToken, params, profile, done) => {
  is<Request>()(req);
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveTokens>()(params);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
});
new PipedriveStrategy(withRequest, async (req, ...[accessToken, refreshToken]) => {
  is<Request>()(req);
  is<string>()(accessToken);
  is<string>()(refreshToken);
});

const verify = (_context: { profile: PipedriveProfile }) => false;

// @ts-expect-error clientSecret is required
new PipedriveStrategy({ clientID: 'id', callbackURL: '/callback' }, verify);
// @ts-expect-error a verify function is required
new PipedriveStrategy(options);
// @ts-expect-error no such way to treat an install
new PipedriveStrategy({ ...options, marketplaceInstall: 'accept' }, verify);
// @ts-expect-error no such option
new PipedriveStrategy({ ...options, scopes: ['base'] }, verify);
// @ts-expect-error milliseconds are a number
new PipedriveStrategy({ ...options, timeout: '10s' }, verify);
// @ts-expect-error a store has store and verify
new PipedriveStrategy({ ...options, store: {} }, verify);
// @ts-expect-error the profile has no such field
new PipedriveStrategy(options, ({ profile }) => profile.username);

// Stores: ours, and passport-oauth2's with any number of parameters.
for (const store of [
  new CookieStateStore({ secret: ['new', 'old'], ttl: 60_000, limit: 3 }),
  new SessionStateStore({ key: 'pipedrive' }),
]) {
  new PipedriveStrategy({ ...options, store }, verify);
}
const custom = {
  store: (_req: Request, _meta: object, done: (error: Error | null, state: string) => void) => done(null, 'state'),
  verify: (_req: Request, _state: string, done: (error: Error | null, ok: boolean) => void) => done(null, true),
};
new PipedriveStrategy({ ...options, store: custom }, verify);

// Under Passport.
const strategy = new PipedriveStrategy({ ...options, skipUserProfile: () => true }, verify);
passport.use(strategy).use('other', strategy);
passport.authenticate('pipedrive', { state: '/deals' });
passport.authenticate('pipedrive', { state: { page: 7 }, callbackURL: '/other', session: false });
passport.authenticate(strategy, { state: 0 }, (_error: unknown, _user?: unknown) => {});
// @ts-expect-error a callback URL is a string
passport.authenticate('pipedrive', { callbackURL: 7 });

export function authInfoOf(req: Request): unknown {
  const info = req.authInfo;
  is<Equal<NonNullable<typeof info>['state'], unknown>>()(true);
  return info?.state;
}

// What the strategy does besides.
export async function life(tokens: PipedriveTokens): Promise<void> {
  is<PipedriveTokens>()(await strategy.refresh(tokens.refresh_token));
  await strategy.revoke(tokens.access_token, 'access_token');
  // @ts-expect-error no such hint
  await strategy.revoke(tokens.access_token, 'id_token');
  strategy.uninstall(({ clientId, userId, companyId, timestamp }, req) => {
    is<PipedriveUninstall>()({ clientId, userId, companyId, timestamp });
    is<Request>()(req);
  });
  is<PipedriveUninstall>()(strategy.readUninstall({ headers: new Headers(), body: '' }));
  strategy._oauth2.setAgent(new http.Agent());
}

export function codeOf(failure: PipedriveFailure | TokenError): string {
  is<string>()(failure.code);
  return failure instanceof TokenError ? failure.message : String(failure.description);
}

// A subclass.
export class Own extends PipedriveStrategy {
  override userProfile(accessToken: string, done: (error?: unknown, profile?: PipedriveProfile) => void): void {
    is<string>()(accessToken);
    done();
  }
}
