// The options of Installations: what they mean, their checks and defaults.
import type { PipedriveTokens } from '../tokens';
import { isRecord } from '../values';
import { type OnError, resolveOnError } from './report';
import type { TokenStore } from './store';

/** What is needed of a `PipedriveStrategy`. */
export interface RefreshingStrategy {
  refresh(refreshToken: string): Promise<PipedriveTokens>;
  revoke(token: string, hint?: 'refresh_token'): Promise<void>;
  /** Milliseconds for a request to Pipedrive. @default 10000 */
  readonly timeout?: number;
}

/** Options of `Installations`. */
export interface InstallationsOptions {
  /** Where the tokens are. */
  store: TokenStore;
  /**
   * How long before its end an access token is refreshed in the background, in milliseconds. With 0 it is refreshed only
   * when it has expired; with the lifetime of a token, an hour, at each call.
   *
   * @default 300000
   */
  refreshAhead?: number | undefined;
  /**
   * Longest time for one call to the store, in milliseconds. When it runs out, what the app called rejects with an error
   * whose `code` is `'store_timeout'` and whose `status` is 503; around the request of a refresh `onError` gets the error.
   *
   * @default 2000
   */
  storeTimeout?: number | undefined;
  /**
   * How many refreshes of this process are under way at a time; the others wait, and their requests' deadlines with them.
   *
   * @default 50
   */
  concurrency?: number | undefined;
  /**
   * Gets the errors that reject no call: of the store, before a refresh asks Pipedrive and when its tokens are saved; and of
   * a refresh in the background.
   *
   * @default a process warning with the code `'PIPEDRIVE_INSTALLATIONS'`, without the error's message
   */
  onError?: OnError | undefined;
}

export type ResolvedOptions = ReturnType<typeof resolveOptions>;

/** Longest timer of Node.js, in milliseconds. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/** Checks what the constructor is given. Throws a `TypeError` that names the option, never its value. */
export function resolveOptions(strategy: RefreshingStrategy, options: InstallationsOptions) {
  if (!hasFunctions(strategy, ['refresh', 'revoke'])) throw new TypeError('strategy must be a PipedriveStrategy');
  if (!isRecord(options)) throw new TypeError('Installations requires an options object');
  const { store, refreshAhead = 300_000, storeTimeout = 2_000, concurrency = 50, onError } = options;
  checkStore(store);
  checkNumber('refreshAhead', refreshAhead, 0, Number.MAX_SAFE_INTEGER);
  checkNumber('storeTimeout', storeTimeout, 1, LONGEST_TIMEOUT);
  checkNumber('concurrency', concurrency, 1, Number.MAX_SAFE_INTEGER);
  if (onError !== undefined && typeof onError !== 'function') throw new TypeError('onError must be a function');
  return { store, refreshAhead, storeTimeout, concurrency, onError: resolveOnError(onError) };
}

/** Throws a `TypeError` when something is not a store. */
export function checkStore(store: unknown): asserts store is TokenStore {
  if (!hasFunctions(store, ['get', 'set', 'delete'])) {
    throw new TypeError('store must be an object with the functions get, set and delete');
  }
  if (!hasFunctions(store, ['claim']) && Reflect.get(store, 'claim') !== undefined) {
    throw new TypeError('store.claim must be a function, if there is one');
  }
}

function hasFunctions(value: unknown, names: string[]): value is object {
  return isRecord(value) && names.every((name) => typeof value[name] === 'function');
}

function checkNumber(name: string, value: unknown, least: number, most: number): void {
  if (!Number.isInteger(value) || Number(value) < least || Number(value) > most) {
    throw new TypeError(`${name} must be a whole number from ${least} to ${most}`);
  }
}
