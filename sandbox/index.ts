// A stand-in for Pipedrive on this machine: OAuth, a little API and a Marketplace, for demos, tests and benchmarks.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { api } from './api';
import { authorizeEndpoint } from './authorize';
import { marketplace } from './marketplace';
import { assets, pageHeaders } from './pages';
import { scenarios } from './scenarios';
import { type SandboxClient, Store } from './store';
import { tokenEndpoints } from './token';

export * from './bodies';

interface SandboxOptions {
  /** The apps that are registered. */
  clients: readonly SandboxClient[];
  /** The clock, in milliseconds since 1970. @default Date.now */
  now?: () => number;
}

export interface SandboxServerOptions extends SandboxOptions {
  /** @default 0, any free one */
  port?: number;
  /** @default '127.0.0.1' */
  host?: string;
}

export interface Sandbox {
  /** For example `http://127.0.0.1:4000`; also the `api_domain` of tokens that were asked for there. */
  origin: string;
  close(): Promise<void>;
}

/** The sandbox as an Express app, for a server of your own. */
function createSandbox({ clients, now = Date.now }: SandboxOptions): Express {
  const store = new Store(clients, now);
  return express()
    .disable('x-powered-by')
    .set('query parser', 'simple')
    .use(pageHeaders, assets, express.urlencoded({ extended: false }))
    .use(authorizeEndpoint(store), tokenEndpoints(store), api(store), marketplace(store), scenarios(store));
}

/** Starts the sandbox. Rejects when it cannot listen. */
export async function startSandbox({
  port = 0,
  host = '127.0.0.1',
  ...options
}: SandboxServerOptions): Promise<Sandbox> {
  const server = createServer(createSandbox(options)).listen(port, host);
  await once(server, 'listening');
  const { port: actualPort, family, address } = server.address() as AddressInfo;
  return {
    origin: `http://${family === 'IPv6' ? `[${address}]` : address}:${actualPort}`,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections(); // clients keep theirs open for the next request
      await closed;
    },
  };
}
