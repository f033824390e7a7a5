// Plays an outcome: a small browser that clicks through one of the apps, with the sandbox as Pipedrive.
import { parseSetCookie } from 'cookie';
import type { RecordedRequest, Sandbox } from 'pipedrive-sandbox';
import type { Recording } from './recorder';

/** What a browser shows in the end; nothing where no response came. */
export interface Page {
  status?: number;
  text: string;
}

/** Where an app is that plays an outcome, and as whom it is registered in the sandbox. */
export interface Place {
  clientID: string;
  callbackURL: string;
}

/** Milliseconds after which the browser is closed. A real one waits for minutes. */
export const patience = 2_000;

const path = '/oauth/authorize';

export class Player {
  page: Page = { text: '' };
  readonly #cookies = new Map<string, string>();

  constructor(
    readonly sandbox: Sandbox,
    readonly place: Place,
    /** Exchanges a code on the app's server, in front of the callback that has it. */
    readonly exchange: (callbackURL: string) => Promise<void> = async () => {},
    readonly recording?: Recording,
  ) {}

  /** Begins the sign-in. Resolves to the authorize URL that the app redirects to. */
  start(): Promise<string> {
    return this.open(new URL('/auth/pipedrive', this.place.callbackURL).href);
  }

  callback(params: Record<string, string>): string {
    return `${this.place.callbackURL}?${new URLSearchParams(params)}`;
  }

  async approve(authorizeURL: string): Promise<string> {
    return this.#noteConsent(authorizeURL, await this.sandbox.approve(authorizeURL));
  }

  async cancel(authorizeURL: string): Promise<string> {
    return this.#noteConsent(authorizeURL, await this.sandbox.cancel(authorizeURL));
  }

  async install(): Promise<string> {
    const callback = await this.sandbox.install(this.place.clientID);
    return this.#noteConsent(this.sandbox.origin + path, callback);
  }

  /** Opens an address of the app, and follows its redirects there. Resolves to where the last one leads, if elsewhere. */
  async open(address: string): Promise<string> {
    const { origin } = new URL(this.place.callbackURL);
    let url = new URL(address);
    while (url.origin === origin) {
      const response = await this.#get(url);
      const location = response?.headers.get('location');
      if (!location) {
        this.page = response ? { status: response.status, text: await response.text() } : { text: '' };
        return url.href;
      }
      url = new URL(location, url);
    }
    return url.href;
  }

  async #get(url: URL): Promise<Response | undefined> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const signal = AbortSignal.timeout(patience);
    try {
      const response = await fetch(url, { redirect: 'manual', headers: { cookie, accept: 'text/html' }, signal });
      for (const line of response.headers.getSetCookie()) this.#keep(line);
      return response;
    } catch {
      return undefined;
    }
  }

  #keep(line: string): void {
    const { name, value = '', maxAge, expires } = parseSetCookie(line, { decode: String });
    const hasExpired = maxAge !== undefined ? maxAge <= 0 : expires !== undefined && expires.getTime() <= Date.now();
    if (hasExpired) this.#cookies.delete(name);
    else this.#cookies.set(name, value);
  }

  #noteConsent(authorizeURL: string, callback: string): string {
    const state = new URL(authorizeURL).searchParams.get('state') ?? undefined;
    this.recording?.consent(this.sandbox, consentOf(this.sandbox, this.place.clientID, state), callback);
    return callback;
  }
}

/** How many consents without state have been told of. */
const toldWithoutState = new WeakMap<Sandbox, Map<string, number>>();

/** What the sandbox's log has about one consent: what has this state, or without state what is new. */
export function consentOf(sandbox: Sandbox, clientID: string, state: string | undefined) {
  const isOf = ({ form }: RecordedRequest) => form.client_id === clientID && form.state === state;
  const found = sandbox.requests.filter((request) => request.path === path && isOf(request));
  if (state !== undefined) return found;
  const begin = found.findLastIndex(({ method }) => method === 'GET');
  const told = toldWithoutState.get(sandbox) ?? new Map<string, number>();
  toldWithoutState.set(sandbox, told);
  const fresh = found.slice(Math.max(begin, told.get(clientID) ?? 0));
  told.set(clientID, found.length);
  return fresh;
}
