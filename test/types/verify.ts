// The verify forms with both classes: what needs an annotation, and what must not compile.
import type { Request } from 'express';
import type { VerifyCallback as OAuth2VerifyCallback } from 'passport-oauth2';
import {
  type PassportVerifyFunction,
  type PipedriveProfile,
  PipedriveStrategy,
  type PipedriveTokens,
  Strategy,
  type VerifyCallback,
  type VerifyContext,
  type VerifyFunction,
  type VerifyFunctionWithRequest,
} from 'passport-pipedrive-oauth2';
import { type Equal, is, options, optionsWithRequest } from './checks.js';

const withoutRequest = { ...options, passReqToCallback: false } as const;

// The form of one argument.
new PipedriveStrategy(options, ({ req, accessToken, refreshToken, tokens, profile }) => {
  is<Equal<typeof req, Request>>()(true);
  is<Equal<typeof accessToken, string>>()(true);
  is<Equal<typeof refreshToken, string>>()(true);
  is<Equal<typeof tokens, PipedriveTokens>>()(true);
  is<Equal<typeof profile, PipedriveProfile>>()(true);
  is<Equal<typeof profile.isAdmin, boolean | undefined>>()(true);
  return { id: profile.id };
});
new PipedriveStrategy(withoutRequest, async (context) => {
  is<Equal<typeof context, VerifyContext>>()(true);
  return false;
});
new PipedriveStrategy(options, ({ profile }: { profile: PipedriveProfile }) => profile);
new PipedriveStrategy(options, ({ profile }) => profile);
// @ts-expect-error the context has no such member
new PipedriveStrategy(options, ({ user }) => user);
// @ts-expect-error the context is not a text
new PipedriveStrategy(options, (context) => context.toUpperCase());
// @ts-expect-error the profile has no such field
new PipedriveStrategy(options, ({ profile }) => profile.username);
// @ts-expect-error with passReqToCallback a function of one parameter gets the request
new PipedriveStrategy(optionsWithRequest, ({ profile }) => profile);

// Passport's own forms need no annotation with `Strategy`.
new Strategy(options, (accessToken, refreshToken, profile, done) => {
  is<Equal<typeof accessToken, string>>()(true);
  is<Equal<typeof refreshToken, string>>()(true);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
  done(null, { id: profile.id }, { message: 'Welcome' });
});
new Strategy(withoutRequest, async (accessToken, refreshToken, profile, done) => {
  is<Equal<typeof accessToken, string>>()(true);
  is<Equal<typeof refreshToken, string>>()(true);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
  done(null, false);
});
new Strategy(options, (accessToken, refreshToken, params, profile, done) => {
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveTokens>()(params);
  is<PipedriveProfile>()(profile);
  is<Equal<typeof done, VerifyCallback>>()(true);
  done(new Error('nobody'));
});
new Strategy(withoutRequest, async (accessToken, refreshToken, params, profile, done) => {
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveTokens>()(params);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
});
new Strategy(options, async (...[accessToken, refreshToken, profile, done]) => {
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
});
// @ts-expect-error the form of one argument needs an annotation here
new Strategy(options, ({ profile }) => profile);
new Strategy(options, ({ profile }: VerifyContext) => profile);
// @ts-expect-error the profile has no such field
new Strategy(options, (_accessToken, _refreshToken, profile, done) => done(null, profile.username));

// They are inferred with `passReqToCallback` by either class.
for (const Class of [PipedriveStrategy, Strategy] as const) {
  new Class(optionsWithRequest, (req: Request) => req.ip);
}
new PipedriveStrategy(optionsWithRequest, (req, accessToken, refreshToken, profile, done) => {
  is<Equal<typeof req, Request>>()(true);
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
});
new PipedriveStrategy(optionsWithRequest, async (req, accessToken, refreshToken, params, profile, done) => {
  is<Equal<typeof req, Request>>()(true);
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveTokens>()(params);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
});
new Strategy(optionsWithRequest, async (req, accessToken, refreshToken, profile, done) => {
  is<Equal<typeof req, Request>>()(true);
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
});
new Strategy(optionsWithRequest, (req, accessToken, refreshToken, params, profile, done) => {
  is<Equal<typeof req, Request>>()(true);
  is<string>()(accessToken);
  is<string>()(refreshToken);
  is<PipedriveTokens>()(params);
  is<PipedriveProfile>()(profile);
  is<VerifyCallback>()(done);
});
new Strategy(optionsWithRequest, async (req, ...[accessToken, refreshToken]) => {
  is<Equal<typeof req, Request>>()(true);
  is<string>()(accessToken);
  is<string>()(refreshToken);
});

// With annotations `PipedriveStrategy` takes Passport's forms, whatever package the types are from.
new PipedriveStrategy(
  options,
  (accessToken: string, _refreshToken: string, profile: PipedriveProfile, done: VerifyCallback) =>
    done(null, { accessToken, id: profile.id }),
);
new PipedriveStrategy(
  options,
  async (
    _accessToken: string,
    _refreshToken: string,
    params: PipedriveTokens,
    profile: PipedriveProfile,
    done: VerifyCallback,
  ) => done(null, { scope: params.scope, id: profile.id }),
);
for (const Class of [PipedriveStrategy, Strategy] as const) {
  new Class(
    options,
    (_accessToken: string, _refreshToken: string, profile: { id: string }, done: OAuth2VerifyCallback) =>
      done(null, { id: profile.id }),
  );
  new Class(
    options,
    (
      _accessToken: unknown,
      _refreshToken: unknown,
      profile: PipedriveProfile,
      done: (error: Error | null, user?: object) => void,
    ) => done(null, profile),
  );
  // @ts-expect-error a verify function is required
  new Class(options);
  // @ts-expect-error no token is a number
  new Class(options, (_accessToken: number, _refreshToken: string, _profile: object, _done: VerifyCallback) => {});
  // @ts-expect-error no form has so many parameters
  new Class(options, (_1: string, _2: string, _3: object, _4: object, _5: object, _6: VerifyCallback) => {});
}

// Functions that are kept under a name.
const contextVerify = ({ profile }: VerifyContext) => profile;
const anyForm: VerifyFunction = ({ profile }) => profile;
const passportForm: PassportVerifyFunction = (_accessToken, _refreshToken, profile, done) => done(null, profile);
const formWithRequest: VerifyFunctionWithRequest = (req, _accessToken, _refreshToken, profile, done) =>
  done(null, { ip: req.ip, id: profile.id });
for (const Class of [PipedriveStrategy, Strategy] as const) {
  new Class(options, contextVerify);
  new Class(options, anyForm);
  new Class(optionsWithRequest, formWithRequest);
}
new PipedriveStrategy(options, (...args: Parameters<typeof passportForm>) => passportForm(...args));
new Strategy(options, passportForm);
