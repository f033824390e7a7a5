// An Express app that signs users in with Pipedrive and lives with what follows: refresh, revoke, uninstall.
import { randomBytes } from 'node:crypto';
import express, { type Express, type Request } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { Account, type Accounts } from './account';
import { accountRoutes } from './account-routes';
import { assets, failureHandler, onOneHost, ownFormsOnly, page, pageHeaders } from './pages';

export interface DemoOptions {
  clientID: string;
  clientSecret: string;
  /** Absolute. The app answers at its path. */
  callbackURL: string;
  /** Origin of a sandbox that stands in for Pipedrive. */
  sandbox?: string;
  /** Hears of what went wrong on the server's side. @default console.error */
  log?: (error: unknown) => void;
}

/** Pipedrive by default; the sandbox has the same paths. */
const endpoints = (sandbox?: string) =>
  sandbox && {
    authorizationURL: `${sandbox}/oauth/authorize`,
    tokenURL: `${sandbox}/oauth/token`,
    revocationURL: `${sandbox}/oauth/revoke`,
  };

function createStrategy({ clientID, clientSecret, callbackURL, sandbox }: DemoOptions, accounts: Accounts) {
  const options = { clientID, clientSecret, callbackURL, ...endpoints(sandbox) };
  return new PipedriveStrategy(options, ({ profile, tokens }) => {
    const account = new Account(profile, tokens);
    accounts.set(account.id, account);
    return account;
  });
}

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
function createPassport(strategy: PipedriveStrategy, accounts: Accounts) {
  const passport = new Passport();
  passport.use(strategy);
  passport.serializeUser((user, done) => done(null, user instanceof Account && user.id));
  passport.deserializeUser((req: Request, id: string, done: (error: unknown, user: Account | false) => void) => {
    const account = accounts.get(id);
    if (!account) req.session.note = 'uninstalled';
    done(null, account ?? false);
  });
  return passport;
}

export function createApp(options: DemoOptions): Express {
  const { callbackURL, sandbox, log = console.error } = options;
  const accounts: Accounts = new Map();
  const pipedrive = createStrategy(options, accounts);
  const passport = createPassport(pipedrive, accounts);
  const callback = new URL(callbackURL).pathname;

  const app = express().disable('x-powered-by');
  app.set('trust proxy', 'loopback'); // a tunnel to this machine says there whether its users came by https
  app.use(pageHeaders, assets);

  // Pipedrive's server has no session and no page: before those.
  app.delete(
    callback,
    pipedrive.uninstall(({ companyId, userId }) => {
      accounts.delete(`${companyId}:${userId}`);
    }),
  );

  if (sandbox) app.use(onOneHost(new URL(callbackURL)));
  app.use(sessions(), passport.session(), ownFormsOnly);

  app.get('/auth/pipedrive', passport.authenticate('pipedrive'));
  app.get(callback, passport.authenticate('pipedrive', { failWithError: true }), (_req, res) => res.redirect('/'));

  app.get('/', (req, res) => {
    const { note } = req.session;
    delete req.session.note;
    res.send(
      req.user instanceof Account
        ? page('account', { account: req.user, note, sandbox })
        : page('welcome', { note, sandbox }),
    );
  });

  app.use(accountRoutes(pipedrive, accounts));
  app.use(failureHandler(log));
  return app;
}
