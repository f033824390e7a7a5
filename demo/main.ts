// `npm run demo`: an Express app that signs users in with Pipedrive and shows each step of it, on a server of its own, a
// sandbox in which it is registered, and the two apps that outcomes are played with.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import express, { type Express } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { startSandbox } from 'pipedrive-sandbox';
import { accountRoutes, panelRoutes, panelStrategy, uninstallRoute } from './account';
import { Account, Connection, type Credentials } from './connection';
import { flowRoutes, signInRoutes } from './flow';
import { assets, failureHandler, headers, notFound, ownForms, ownHostOnly } from './pages';
import { referenceRoutes } from './reference';
import { createStage, type Registered, type Stage } from './stage';
import { createVisitors, type DemoOptions } from './visitor';

const host = '127.0.0.1'; // nobody else on the network
const callbackPath = '/auth/pipedrive/callback';

/** Only whose account it is goes into the session; profile and tokens stay on the server. */
function createPassport(connections: Connection[]) {
  const passport = new Passport();
  passport.serializeUser((user, done) =>
    user instanceof Account ? done(null, user.key) : done(new TypeError('Not an account')),
  );
  passport.deserializeUser((key, done) => {
    const accounts = connections.flatMap((connection) => [...connection.accounts.values()]);
    done(null, accounts.find((account) => account.key === key) ?? false);
  });
  return passport;
}

function createApp(options: DemoOptions, stage: Stage, log: (error: unknown) => void): Express {
  const callbackURL = new URL(options.callbackURL);
  const { origin } = callbackURL;
  const { sandbox, consents } = stage;
  const { origin: authorizationServer, ...registered } = options.sandbox;
  // The apps that the demo was started with, and those that visitors name. Pipedrive's notices reach no others.
  const connections = [
    new Connection({ ...registered, callbackURL: options.callbackURL, authorizationServer }),
    ...(options.credentials ? [new Connection({ ...options.credentials, callbackURL: options.callbackURL })] : []),
    stage.connection,
  ];
  const secrets = [registered, stage.connection.options].map(({ clientSecret }) => clientSecret);
  const visitors = createVisitors(options);
  const passport = createPassport(connections).use(panelStrategy(secrets));
  /** In memory, with a secret of its own: a restart signs everybody out. */
  const sessions = session({
    ...{ name: 'demo.sid', secret: randomBytes(32).toString('base64url'), resave: false, saveUninitialized: false },
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto' },
  });
  return express()
    .disable('x-powered-by')
    .set('trust proxy', 'loopback') // a tunnel to this machine says there whether its users came by https
    .use(ownHostOnly(callbackURL), headers(sandbox.origin), assets)
    .delete(callbackURL.pathname, express.json({ limit: '16kb' }), uninstallRoute(connections))
    .use(sessions, passport.session(), ownForms(origin), express.urlencoded({ extended: false }))
    .use(referenceRoutes(options, visitors))
    .use(signInRoutes(passport, { visitors, connections, consents }, callbackURL))
    .use(flowRoutes(visitors, stage), accountRoutes(sandbox), panelRoutes(passport, { sandbox, connections, origin }))
    .use(notFound, failureHandler(log));
}

export interface StartOptions {
  /** @default 0, any free port */
  port?: number;
  /** Where the app is for browsers, if that is elsewhere: behind a tunnel. */
  callbackURL?: string;
  /** Of a real app. */
  credentials?: Credentials;
  /** Gets what goes wrong on the server's side. @default console.error */
  log?: (error: unknown) => void;
}

export type Demo = Awaited<ReturnType<typeof startDemo>>;

/** Rejects with the system's error when it cannot listen. */
async function listen(port = 0): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(port, host);
  await once(server, 'listening');
  const address = server.address();
  return { server, port: typeof address === 'object' && address ? address.port : port };
}

/** An app on a port of its own, as the sandbox knows it. */
async function register(clientID: string): Promise<Registered> {
  const { server, port } = await listen();
  const clientSecret = randomBytes(16).toString('hex');
  return { clientID, clientSecret, callbackURL: `http://${host}:${port}${callbackPath}`, server };
}

export async function startDemo({ port, credentials, log = console.error, ...options }: StartOptions) {
  const { server, port: actualPort } = await listen(port);
  const { callbackURL = `http://localhost:${actualPort}${callbackPath}` } = options;
  const own = { clientID: 'demo', clientSecret: 'sandbox-only', callbackURL, server };
  const apps = [own, await register('with-the-package'), await register('bare-passport-oauth2')] as const;
  const sandbox = await startSandbox({
    apps: apps.map(({ clientID, clientSecret, callbackURL }) => ({
      ...{ clientId: clientID, clientSecret, callbackURL, name: 'Demo app' },
    })),
  });
  const stage = createStage(sandbox, apps[1], apps[2]);
  const { clientID, clientSecret } = own;
  const settings = { callbackURL, credentials, sandbox: { clientID, clientSecret, origin: sandbox.origin } };
  server.on('request', createApp(settings, stage, log));
  return {
    ...{ origin: new URL(callbackURL).origin, callbackURL, sandbox },
    async close() {
      for (const { server } of apps) server.closeAllConnections();
      await Promise.all([...apps.map(({ server }) => new Promise((closed) => server.close(closed))), sandbox.close()]);
    },
  };
}

/** Ends the program with one line that says what to do. */
class Advice extends Error {}

function readEnvironment(env: NodeJS.ProcessEnv) {
  const { PIPEDRIVE_CLIENT_ID: clientID, PIPEDRIVE_CLIENT_SECRET: clientSecret } = env;
  if (!clientID !== !clientSecret)
    throw new Advice('Set both PIPEDRIVE_CLIENT_ID and PIPEDRIVE_CLIENT_SECRET, or neither to use the sandbox.');
  const callbackURL = env.PIPEDRIVE_CALLBACK_URL || undefined;
  if (callbackURL && !(/^https?:/.test(callbackURL) && URL.canParse(callbackURL)))
    throw new Advice('PIPEDRIVE_CALLBACK_URL must be absolute, like https://app.example.com/auth/pipedrive/callback.');
  const port = Number(env.PORT || 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Advice('PORT must be a number from 0 to 65535.');
  const credentials = clientID && clientSecret ? { clientID, clientSecret } : undefined;
  return { credentials, callbackURL, port };
}

/** What can be done about a port that is not to be had. */
function adviceFor(error: unknown, port: number): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return new Advice(`Port ${port} is in use. Set PORT to another one, or to 0 for any free one.`);
  if (code === 'EACCES') return new Advice(`Port ${port} needs more rights. Set PORT to one above 1023.`);
  return error;
}

async function main(): Promise<void> {
  const options = readEnvironment(process.env);
  const demo = await startDemo(options).catch((error: unknown) => {
    throw adviceFor(error, options.port);
  });
  console.log(`Open ${demo.origin}`);
  if (options.credentials) console.log(`Pipedrive must know the callback URL ${demo.callbackURL}`);
  else console.log(`Using the local Pipedrive sandbox at ${demo.sandbox.origin}`);
}

if (require.main === module)
  main().catch((error: unknown) => {
    console.error(error instanceof Advice ? error.message : error);
    process.exit(1);
  });
