// Both state stores, each in the app that it needs, for one contract; and a clock that tests set.
import session from 'express-session';
import {
  CookieStateStore,
  type CookieStateStoreOptions,
  PipedriveStrategy,
  type PipedriveStrategyOptions,
  SessionStateStore,
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
