// An Express app that signs users in with Pipedrive, shows each step of it, and lives with what follows.
import { randomBytes } from 'node:crypto';
import express, { type Express } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import type { Sandbox } from 'pipedrive-sandbox';
import { accountRoutes, uninstallRoute } from './account';
import { Account, Connection } from './connection';
import { flowRoutes } from './flow';
import { assets, failureHandler, headers, notFound, ownForms, ownHostOnly } from './pages';
import { panelRoutes, panelStrategy } from './panel';
import { referenceRoutes } from './reference';
import { signInRoutes } from './sign-in';
import type { Stage } from './stage';
import { type DemoOptions, Visitors } from './visitor';

/** In memory, with a secret of its own: a restart signs everybody out. */
const sessions = () =>
  session({
    name: 'demo.sid',
    secret: randomBytes(32).toString('base64url'),
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto' },
  });

/** Only whose account it is goes into the session; profile and tokens stay on the server. */
function createPassport(connections: Connection[]) {
  const passport = new Passport();
  passport.serializeUser((user, done) => {
    if (!(user instanceof Account)) return done(new TypeError('Not an account'));
    return done(null, { clientID: user.connection.options.clientID, id: user.id });
  });
  passport.deserializeUser(({ clientID, id }: { clientID: string; id: string }, done) => {
    const accounts = connections.filter(({ options }) => options.clientID === clientID);
    done(null, accounts.map((connection) => connection.accounts.get(id)).find(Boolean) ?? false);
  });
  return passport;
}

/** The apps that the demo was started with: Pipedrive's notices reach no others on this machine. */
function initialConnections({ callbackURL, sandbox, credentials }: DemoOptions): Connection[] {
  const { origin, ...registered } = sandbox;
  return [
    new Connection({ ...registered, callbackURL, authorizationServer: origin }),
    ...(credentials ? [new Connection({ ...credentials, callbackURL })] : []),
  ];
}

export function createApp(
  options: DemoOptions,
  { sandbox, stage, log }: { sandbox: Sandbox; stage: Stage; log: (error: unknown) => void },
): Express {
  const callbackURL = new URL(options.callbackURL);
  const { origin } = callbackURL;
  const connections = [...initialConnections(options), stage.connection];
  const secrets = [options.sandbox, stage.connection.options].map(({ clientSecret }) => clientSecret);
  const visitors = new Visitors(options);
  const passport = createPassport(connections).use(panelStrategy(secrets));

  return express()
    .disable('x-powered-by')
    .set('trust proxy', 'loopback') // a tunnel to this machine says there whether its users came by https
    .use(ownHostOnly(callbackURL), headers(sandbox.origin), assets)
    .delete(callbackURL.pathname, express.json({ limit: '16kb' }), uninstallRoute(connections))
    .use(sessions(), passport.session(), ownForms(origin), express.urlencoded({ extended: false }))
    .use(referenceRoutes(options, visitors), signInRoutes(passport, { visitors, connections, sandbox }, callbackURL))
    .use(flowRoutes(visitors, stage), accountRoutes(sandbox))
    .use(panelRoutes(passport, sandbox, connections, origin))
    .use(notFound, failureHandler(log));
}
