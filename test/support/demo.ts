// The demo on a free port, with its sandbox.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Sandbox, startSandbox } from 'pipedrive-sandbox';
import { createApp } from '../../demo/app';
import type { Credentials } from '../../demo/options';

export const callbackPath = '/auth/pipedrive/callback';

const registered = { clientID: 'demo', clientSecret: 'the secret of the app at the sandbox' };

export async function listen(): Promise<{ server: Server; port: number }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, port: (server.address() as AddressInfo).port };
}

export interface Demo {
  origin: string;
  callbackURL: string;
  sandbox: Sandbox;
  /** What the app said in its log. */
  logged: unknown[];
  /** Starts the sandbox anew where it was. It has forgotten everything. */
  restartSandbox(): Promise<void>;
  close(): Promise<void>;
}

/** With `credentials` of a real app, as if the environment had them. */
export async function startDemo(credentials?: Credentials): Promise<Demo> {
  const { server, port } = await listen();
  const origin = `http://localhost:${port}`;
  const callbackURL = origin + callbackPath;
  const { clientID: clientId, clientSecret } = registered;
  const startPipedrive = (at = 0) =>
    startSandbox({ port: at, apps: [{ clientId, clientSecret, name: 'Demo app', callbackURL }] });
  const demo: Demo = {
    origin,
    callbackURL,
    sandbox: await startPipedrive(),
    logged: [],
    async restartSandbox() {
      await demo.sandbox.close();
      demo.sandbox = await startPipedrive(Number(new URL(demo.sandbox.origin).port));
    },
    async close() {
      server.closeAllConnections();
      await Promise.all([new Promise((closed) => server.close(closed)), demo.sandbox.close()]);
    },
  };
  const sandbox = { ...registered, origin: demo.sandbox.origin };
  server.on('request', createApp({ callbackURL, sandbox, credentials, log: (error) => demo.logged.push(error) }));
  return demo;
}
