// `npm run demo`: reads the environment, listens, and says what to open. It brings its own Pipedrive.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { startSandbox } from 'pipedrive-sandbox';
import { createApp } from './app';
import type { Credentials } from './options';

const host = '127.0.0.1'; // nobody else on the network
const callbackPath = '/auth/pipedrive/callback';

/** Ends the program with one line that says what to do. */
class Advice extends Error {}

function readEnvironment(env: NodeJS.ProcessEnv) {
  const { PIPEDRIVE_CLIENT_ID: clientID, PIPEDRIVE_CLIENT_SECRET: clientSecret } = env;
  if (!clientID !== !clientSecret)
    throw new Advice('Set both PIPEDRIVE_CLIENT_ID and PIPEDRIVE_CLIENT_SECRET, or neither to use the sandbox.');
  const callback = env.PIPEDRIVE_CALLBACK_URL || undefined;
  if (callback && !(/^https?:/.test(callback) && URL.canParse(callback)))
    throw new Advice('PIPEDRIVE_CALLBACK_URL must be absolute, like https://app.example.com/auth/pipedrive/callback.');
  const port = Number(env.PORT || 3000);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Advice('PORT must be a number from 0 to 65535.');
  const credentials = clientID && clientSecret ? { clientID, clientSecret } : undefined;
  return { credentials, callback, port };
}

/** Listens, and answers with the port, which the system chooses for port 0. */
async function listen(server: Server, port: number): Promise<number> {
  try {
    await once(server.listen(port, host), 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE')
      throw new Advice(`Port ${port} is in use. Set PORT to another one, or to 0 for any free one.`);
    if (code === 'EACCES') throw new Advice(`Port ${port} needs more rights. Set PORT to one above 1023.`);
    throw error;
  }
  const address = server.address();
  return typeof address === 'object' && address ? address.port : port;
}

/** Starts a sandbox in which the demo is registered. */
async function startPipedrive(callbackURL: string): Promise<Credentials & { origin: string }> {
  const [clientID, clientSecret] = ['demo', 'sandbox-only'];
  const app = { clientId: clientID, clientSecret, name: 'Demo app', callbackURL };
  const { origin } = await startSandbox({ apps: [app] });
  return { clientID, clientSecret, origin };
}

async function main(): Promise<void> {
  const { credentials, callback, port } = readEnvironment(process.env);
  const server = createServer();
  const actualPort = await listen(server, port);
  const callbackURL = callback ?? `http://localhost:${actualPort}${callbackPath}`;
  const sandbox = await startPipedrive(callbackURL);
  server.on('request', createApp({ callbackURL, sandbox, credentials }));
  console.log(`Open ${new URL(callbackURL).origin}`);
  if (credentials) console.log(`Pipedrive must know the callback URL ${callbackURL}`);
  else console.log(`Pipedrive is played by a sandbox at ${sandbox.origin}`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Advice ? error.message : error);
  process.exit(1);
});
