// The strategy under Passport: the options of `authenticate` and `authorize`, and `req.authInfo`.
import type { Request } from 'express';
import * as passport from 'passport';
import { type PipedriveAuthenticateOptions, PipedriveStrategy, Strategy } from 'passport-pipedrive-oauth2';
import { type Equal, is, options } from './checks.js';

const strategy = new PipedriveStrategy(options, ({ profile }) => profile);
passport.use(strategy).use('other', strategy);
passport.use(new Strategy(options, (_accessToken, _refreshToken, profile, done) => done(null, profile)));

const given: PipedriveAuthenticateOptions = {
  state: { page: 7 },
  callbackURL: 'https://app.example/other',
  session: false,
  failureRedirect: '/login',
};

for (const which of ['pipedrive', ['pipedrive', 'other'], strategy]) {
  passport.authenticate(which);
  passport.authenticate(which, given);
  passport.authenticate(which, { state: '/deals' });
  passport.authenticate(which, { state: 0, callbackURL: undefined });
  passport.authenticate(which, given, (error, user, info, status) => {
    is<Equal<typeof user, Express.User | false | null | undefined>>()(true);
    is<object | string | undefined>()(info);
    is<number | (number | undefined)[] | undefined>()(status);
    if (error) throw error;
  });
  passport.authenticate(which, { state: { page: 7 } }, (_error: unknown, user?: { id: string }) => user?.id);

  passport.authorize(which);
  passport.authorize(which, given);
  passport.authorize(which, { state: ['any', 'JSON'] });
  passport.authorize(which, given, (_error, user) => {
    is<Equal<typeof user, Express.User | false | null | undefined>>()(true);
  });
  passport.authorize(which, { state: { page: 7 } }, (_error: Error | null, account: { id: string }) => account.id);
  passport.authorize(which, (_error: unknown, account: { id: string }) => account.id);

  // @ts-expect-error a callback URL is text
  passport.authenticate(which, { callbackURL: 7 });
  // @ts-expect-error a callback URL is text
  passport.authorize(which, { callbackURL: 7 });
  // @ts-expect-error no such option
  passport.authorize(which, { stat: '/deals' });
}
// @ts-expect-error no strategy
passport.authorize(7, { state: '/deals' });

export function read(req: Request): string {
  const info = req.authInfo ?? {};
  is<Equal<typeof info.state, unknown>>()(true);
  is<Equal<typeof info.marketplace, boolean | undefined>>()(true);
  is<Equal<typeof info.code, string | undefined>>()(true);
  is<Equal<typeof info.message, string | undefined>>()(true);
  is<Equal<typeof info.description, string | undefined>>()(true);
  is<Equal<typeof info.uri, string | undefined>>()(true);
  // @ts-expect-error no such member
  info.scope;
  return String(req.authInfo?.state ?? '/');
}
