// An Express app that signs users in with Pipedrive, shows each step of it, and lives with what follows.
import { randomBytes } from 'node:crypto';
import express, { type Express } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { Account, type Accounts } from './account';
import type { DemoOptions } from './options';
import { assets, failureHandler, notFound } from './pages';
import { accountRoutes } from './routes/account';
import { flowRoutes } from './routes/flow';
import { signInRoutes } from './routes/sign-in';
import { tryItRoutes } from './routes/try-it';
import { uninstallRoute } from './routes/uninstall';
import { ownFormsOnly, ownHostOnly, pageHeaders } from './security';
import { Visitors } from './visitor';

/** In memory, with a secret of its own: a restart signs everybody out. */
const sessions = () =>
  session({
    name: 'demo.sid',
    secret: randomBytes(32).toString('base64url'),
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto' },
  });

/** Only the account's id goes into the session; profile and tokens stay on the server. */
function createPassport(accounts: Accounts) {
  const passport = new Passport();
  passport.serializeUser((user, done) => {
    if (!(user instanceof Account)) return done(new TypeError('Not an account'));
    accounts.set(user.id, user);
    return done(null, user.id);
  });
  passport.deserializeUser((id: string, done) => done(null, accounts.get(id) ?? false));
  return passport;
}

export function createApp(options: DemoOptions): Express {
  const { sandbox, log = console.error } = options;
  const callbackURL = new URL(options.callbackURL);
  const accounts: Accounts = new Map();
  const visitors = new Visitors(options);
  const passport = createPassport(accounts);

  return express()
    .disable('x-powered-by')
    .set('trust proxy', 'loopback') // a tunnel to this machine says there whether its users came by https
    .use(ownHostOnly(callbackURL), pageHeaders(sandbox.origin), assets)
    .use(uninstallRoute(options, accounts)) // Pipedrive's server has no session
    .use(sessions(), passport.session(), ownFormsOnly(callbackURL.origin), express.urlencoded({ extended: false }))
    .use(tryItRoutes(options, visitors), signInRoutes(passport, visitors, callbackURL))
    .use(flowRoutes(visitors), accountRoutes(options))
    .use(notFound, failureHandler(log));
}
