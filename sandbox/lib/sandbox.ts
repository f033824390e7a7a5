// Starts a sandbox, and plays the user's and Pipedrive's part in it for tests.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createApp } from './app';
import { extensionPagePath, extensionURL } from './extension';
import { Faults } from './faults';
import { host } from './loopback';
import { sendSharing, sendUninstall } from './notices';
import { resolveOptions, type SandboxOptions } from './options';
import type { Who } from './people';
import { Requests } from './requests';
import { send } from './send';
import { Store } from './store';
import type { Endpoint, Environment, ExtensionDetails, Fault, FaultOptions, RecordedRequest, Sandbox } from './types';

class LocalSandbox implements Sandbox {
  readonly origin: string;
  readonly #server: Server;
  readonly #store: Store;
  readonly #faults: Faults;
  readonly #requests: Requests;

  constructor(origin: string, server: Server, store: Store, faults: Faults, requests: Requests) {
    this.origin = origin;
    this.#server = server;
    this.#store = store;
    this.#faults = faults;
    this.#requests = requests;
  }

  get env(): Environment {
    const [first] = this.#store.apps.values();
    return {
      PIPEDRIVE_CLIENT_ID: first?.clientId ?? '',
      PIPEDRIVE_CLIENT_SECRET: first?.clientSecret ?? '',
      PIPEDRIVE_AUTHORIZATION_SERVER: this.origin,
    };
  }

  approve(authorizeURL: string | URL, { as }: { as?: Who | undefined } = {}): Promise<string> {
    return this.#decide(authorizeURL, 'allow', as);
  }

  cancel(authorizeURL: string | URL, { as }: { as?: Who | undefined } = {}): Promise<string> {
    return this.#decide(authorizeURL, 'cancel', as);
  }

  async install(clientId: string, who?: Who): Promise<string> {
    const { installationURL, callbackURL } = this.#store.app(clientId);
    this.#user(who);
    if (installationURL !== undefined) return installationURL;
    const query = new URLSearchParams({ client_id: clientId, redirect_uri: callbackURL });
    return this.approve(`${this.origin}/oauth/authorize?${query}`, { as: who });
  }

  async uninstall(clientId: string, who?: Who): Promise<number | undefined> {
    const user = this.#user(who);
    const install = this.#store.findInstall(this.#store.app(clientId), user);
    if (!install)
      throw new Error(`${user.name} has not installed the app: no code was exchanged, or it was uninstalled`);
    this.#store.uninstall(install);
    return sendUninstall(install, this.#store.now());
  }

  async share(clientId: string, who?: Who, isShared = true): Promise<number | undefined> {
    return sendSharing(this.#store.app(clientId), this.#user(who), isShared);
  }

  extensionURL(clientId: string, url: string | URL, who?: Who, details: ExtensionDetails = {}): string {
    return extensionURL(url, this.#store.app(clientId), this.#user(who), details, this.#store.now());
  }

  extensionPage(clientId: string, url: string | URL, who?: Who, details: ExtensionDetails = {}): string {
    const user = this.#store.people.keyOf(this.#user(who));
    return this.origin + extensionPagePath(url, this.#store.app(clientId), user, details);
  }

  resetSecret(clientId: string, clientSecret: string): void {
    const app = this.#store.app(clientId);
    this.#store.resetSecret(app, clientSecret);
    this.#requests.maskSecretsOf(app);
  }

  advance(milliseconds: number): void {
    if (!(Number.isFinite(milliseconds) && milliseconds >= 0))
      throw new TypeError('milliseconds must be a number that is not negative');
    this.#store.advance(milliseconds);
  }

  fail(endpoint: Endpoint, fault: Fault | null, options: FaultOptions = {}): void {
    this.#faults.set(endpoint, fault, options);
  }

  get requests(): RecordedRequest[] {
    return this.#requests.all;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections(); // clients keep theirs open for the next request
    await closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** By default the first user. */
  #user(who: Who = [...this.#store.people.choices.keys()][0] ?? '') {
    return this.#store.people.get(who);
  }

  /** Looks at the consent page as a browser does, then sends its form. */
  async #decide(authorizeURL: string | URL, decision: 'allow' | 'cancel', who?: Who): Promise<string> {
    const user = this.#store.people.keyOf(this.#user(who));
    const url = new URL(authorizeURL);
    if (url.origin !== this.origin) throw new Error(`The authorize URL does not lead to the sandbox at ${this.origin}`);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded', Accept: 'application/json' };
    const body = new URLSearchParams([...url.searchParams, ['user', user], ['decision', decision]]).toString();
    const page = await send(url, { method: 'GET', headers: { Accept: 'application/json' } });
    const isShown = page.status === 200;
    const response = isShown ? await send(new URL(url.pathname, url), { method: 'POST', headers, body }) : page;
    if (response.status === 303 && response.headers.location !== undefined) return response.headers.location;
    throw new Error(`Authorize answered ${response.status}: ${response.body}`);
  }
}

/**
 * Starts a sandbox on 127.0.0.1. Rejects with a `TypeError` that names a wrong option, and with the system's error when
 * it cannot listen.
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const resolved = resolveOptions(options);
  const store = new Store(resolved);
  const faults = new Faults(() => store.now());
  const requests = new Requests(resolved.apps);
  const server = createServer(createApp(store, faults, requests)).listen(resolved.port, host);
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : resolved.port;
  const { origin } = new URL(`http://${host}:${port}`);
  return new LocalSandbox(origin, server, store, faults, requests);
}
