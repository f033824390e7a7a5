// A mock of Pipedrive on this machine: OAuth, a little API and a Marketplace, for tests and demos.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express } from 'express';
import { api } from './api';
import { authorizeEndpoint } from './authorize';
import { marketplace } from './marketplace';
import { assets, pageHeaders } from './pages';
import { scenarios } from './scenarios';
import { type SandboxApp, Store } from './store';
import { tokenEndpoints } from './token';

export interface SandboxOptions {
  /** The apps that are registered. */
  apps: readonly SandboxApp[];
  /** Port on 127.0.0.1. @default 0, any free one */
  port?: number;
}

export interface Sandbox {
  /** For example `http://127.0.0.1:4000`; also the `api_domain` of the tokens. */
  readonly origin: string;
  /**
   * Plays a user who allows the app at the authorize URL that it redirected to.
   * Resolves to the callback URL to which Pipedrive sends the browser back.
   */
  approve(authorizeURL: string | URL, who?: { as?: string }): Promise<string>;
  /** Lets time pass, in milliseconds: codes, access tokens and refresh tokens expire by the sandbox's own clock. */
  advance(milliseconds: number): void;
  close(): Promise<void>;
}

const createApp = (store: Store): Express =>
  express()
    .disable('x-powered-by')
    .set('query parser', 'simple')
    .use(pageHeaders, assets, express.urlencoded({ extended: false }))
    .use(authorizeEndpoint(store), tokenEndpoints(store), api(store), marketplace(store), scenarios(store));

async function approve(authorizeURL: string | URL, user: string): Promise<string> {
  const body = new URL(authorizeURL).searchParams;
  body.set('user', user);
  body.set('decision', 'allow');
  const response = await fetch(new URL('/oauth/authorize', authorizeURL), { method: 'POST', body, redirect: 'manual' });
  await response.body?.cancel();
  const location = response.headers.get('location');
  if (location === null) throw new Error(`The sandbox answered the authorize request with ${response.status}`);
  return location;
}

/** Starts the sandbox on 127.0.0.1. Rejects when it cannot listen. */
export async function startSandbox({ apps, port = 0 }: SandboxOptions): Promise<Sandbox> {
  let advanced = 0;
  const store = new Store(apps, () => Date.now() + advanced);
  const server = createServer(createApp(store)).listen(port, '127.0.0.1');
  await once(server, 'listening');
  const { port: actualPort } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${actualPort}`,
    approve: (authorizeURL, { as = 'ada' } = {}) => approve(authorizeURL, as),
    advance(milliseconds) {
      advanced += milliseconds;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections(); // clients keep theirs open for the next request
      await closed;
    },
  };
}
