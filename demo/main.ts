// `npm run demo`: its own server, a sandbox in which it is registered, and the two apps that outcomes are played with.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type Sandbox, startSandbox } from 'pipedrive-sandbox';
import { createApp } from './app';
import type { Credentials } from './connection';
import { type Registered, Stage } from './stage';

const host = '127.0.0.1'; // nobody else on the network
export const callbackPath = '/auth/pipedrive/callback';

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

export interface Demo {
  origin: string;
  callbackURL: string;
  sandbox: Sandbox;
  close(): Promise<void>;
}

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

export async function startDemo({ port, credentials, log = console.error, ...options }: StartOptions): Promise<Demo> {
  const { server, port: actualPort } = await listen(port);
  const { callbackURL = `http://localhost:${actualPort}${callbackPath}` } = options;
  const [withPackage, bare] = [await register('with-the-package'), await register('bare-passport-oauth2')];
  const own = { clientID: 'demo', clientSecret: 'sandbox-only', callbackURL };
  const apps = [own, withPackage, bare].map((app) => ({ ...app, clientId: app.clientID, name: 'Demo app' }));
  const sandbox = await startSandbox({
    apps: apps.map(({ clientId, clientSecret, callbackURL, name }) => ({ clientId, clientSecret, callbackURL, name })),
  });
  const stage = new Stage(sandbox, withPackage, bare);
  const settings = { callbackURL, credentials, sandbox: { ...own, origin: sandbox.origin } };
  server.on('request', createApp(settings, { sandbox, stage, log }));
  const servers = [server, withPackage.server, bare.server];
  return {
    origin: new URL(callbackURL).origin,
    callbackURL,
    sandbox,
    async close() {
      for (const one of servers) one.closeAllConnections();
      await Promise.all([...servers.map((one) => new Promise((closed) => one.close(closed))), sandbox.close()]);
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
  let demo: Demo;
  try {
    demo = await startDemo(options);
  } catch (error) {
    throw adviceFor(error, options.port);
  }
  console.log(`Open ${demo.origin}`);
  if (options.credentials) console.log(`Pipedrive must know the callback URL ${demo.callbackURL}`);
  else console.log(`Using the local Pipedrive sandbox at ${demo.sandbox.origin}`);
}

if (require.main === module)
  main().catch((error: unknown) => {
    console.error(error instanceof Advice ? error.message : error);
    process.exit(1);
  });
