// Both state stores, each in the app that it needs, for one contract; a browser that asks a store itself; and a clock that
// tests set.
import { parseSetCookie } from 'cookie';
import type { Request } from 'express';
import session from 'express-session';
import {
  CookieStateStore,
  type CookieStateStoreOptions,
  type FlowDetails,
  PipedriveStrategy,
  type PipedriveStrategyOptions,
  SessionStateStore,
  type StateMetadata,
  type StateRefusal,
} from 'passport-pipedrive-oauth2';
import { type AppOptions, anybody, options } from './app';

export type Limits = Pick<CookieStateStoreOptions, 'ttl' | 'limit'>;

const sessions = () => session({ secret: 'of-the-session', resave: false, saveUninitialized: false });

/** What an app needs besides, to keep flows in the store. */
export const stores = {
  CookieStateStore: (limits?: Limits) => ({ store: new CookieStateStore(limits), before: [] }),
  SessionStateStore: (limits?: Limits) => ({ store: new SessionStateStore(limits), before: [sessions()] }),
};

/** An app whose flows are kept in this store. */
export function withStore(
  name: keyof typeof stores,
  { limits, options: more, ...given }: AppOptions & { limits?: Limits } = {},
): AppOptions {
  const { store, before } = stores[name](limits);
  return { verify: anybody, ...given, before: [...before, ...(given.before ?? [])], options: { store, ...more } };
}

export const strategyWith = (name: keyof typeof stores, more: Partial<PipedriveStrategyOptions> = {}) =>
  new PipedriveStrategy({ ...options, store: stores[name]().store, ...more }, anybody);

/** A secret of a cookie store's own. */
export const ownSecret = (name = '') => name.padEnd(32, '-');

export const metadata: StateMetadata = {
  authorizationURL: 'https://oauth.pipedrive.com/oauth/authorize',
  tokenURL: 'https://oauth.pipedrive.com/oauth/token',
  clientID: options.clientID,
  callbackURL: options.callbackURL,
  ownCallbackURL: options.callbackURL,
  strategy: 'pipedrive',
};

interface Begun {
  error?: unknown;
  handle?: string | false;
  refusal?: StateRefusal;
}
interface Ended {
  error?: unknown;
  ok?: boolean | string;
  state?: unknown;
  details?: FlowDetails;
}

/** A browser whose requests go to a store without a strategy in between. */
export class StoreClient {
  readonly cookies = new Map<string, string>();
  readonly session: Record<string, unknown> = {};
  /** The `Set-Cookie` headers of the last response. */
  lines: string[] = [];

  constructor(readonly store: CookieStateStore | SessionStateStore) {}

  /** The store, with secrets of its own where it needs some. */
  static of(name: keyof typeof stores, limits: Limits = {}): StoreClient {
    return new StoreClient(
      name === 'CookieStateStore'
        ? new CookieStateStore({ secret: ownSecret(), ...limits })
        : new SessionStateStore(limits),
    );
  }

  get cookieHeader(): string {
    return Array.from(this.cookies, (pair) => pair.join('=')).join('; ');
  }

  /** Begins a flow. */
  begin(meta: Partial<StateMetadata> = {}, state?: unknown, codeVerifier?: string): Promise<Begun> {
    return this.ask((req, resolve) =>
      this.store.store(req, codeVerifier, state, { ...metadata, ...meta }, (error, handle, refusal) =>
        resolve({ error, handle, refusal }),
      ),
    );
  }

  /** Begins several flows in requests that do not see each other's cookies. */
  beginTogether(count: number, meta?: Partial<StateMetadata>, state?: (index: number) => unknown): Promise<Begun[]> {
    const { cookieHeader } = this;
    const ask = (index: number) =>
      this.ask<Begun>(
        (req, resolve) =>
          this.store.store(req, undefined, state?.(index), { ...metadata, ...meta }, (error, handle, refusal) =>
            resolve({ error, handle, refusal }),
          ),
        cookieHeader,
      );
    return Promise.all(Array.from({ length: count }, (_, index) => ask(index)));
  }

  /** Ends the flow of a `state` parameter. */
  end(handle: string | false | undefined, meta: Partial<StateMetadata> = {}): Promise<Ended> {
    return this.ask((req, resolve) =>
      this.store.verify(req, String(handle), { ...metadata, ...meta }, (error, ok, state, details) =>
        resolve({ error, ok, state, details }),
      ),
    );
  }

  private ask<T>(
    call: (req: Request, resolve: (result: T) => void) => void,
    cookieHeader = this.cookieHeader,
  ): Promise<T> {
    const lines: string[] = [];
    const res = {
      getHeader: () => lines,
      setHeader: (_name: string, values: string[]) => lines.splice(0, lines.length, ...values),
    };
    const req = Object.assign(Object.create(null), { headers: { cookie: cookieHeader }, session: this.session, res });
    return new Promise<T>((resolve) => call(req, resolve)).finally(() => {
      this.lines = lines;
      for (const line of lines) this.keep(line);
    });
  }

  private keep(line: string): void {
    const { name, value = '', maxAge = 1 } = parseSetCookie(line, { decode: String });
    if (maxAge > 0) this.cookies.set(name, value);
    else this.cookies.delete(name);
  }
}

/** Stops the clock for the tests of a suite, which set it. Timers go on as they are. */
export function clockForEach(): (milliseconds: number) => void {
  const { now } = Date;
  let passed = 0;
  beforeEach(() => {
    passed = 0;
    const start = now();
    Date.now = () => start + passed;
  });
  afterEach(() => {
    Date.now = now;
  });
  return (milliseconds) => {
    passed += milliseconds;
  };
}
