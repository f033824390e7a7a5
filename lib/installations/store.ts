// The app's store behind deadlines, with copies on both sides, and one write at a time for each installation.
import type { PipedriveTokens } from '../tokens';
import { Deadline } from './deadline';
import { StoreTimeoutError } from './errors';
import { Locks } from './locks';
import { copyOf, readStoredTokens } from './stored-tokens';

/**
 * Where the tokens are: a `Map`, a `Keyv`, or functions over the app's own database, synchronous or not. It must throw
 * when it cannot know: a `get` that yields nothing means that the app is not installed.
 */
export interface TokenStore {
  /** The value that was last set for an id, `"company:user"`; nothing (`undefined` or `null`) where there is none. */
  get(id: string): unknown;
  /** Keeps a value, an object that JSON can hold, until it is set again or deleted. */
  set(id: string, value: object): unknown;
  /** Forgets the value of an id, if there is one. */
  delete(id: string): unknown;
  /**
   * Decides which of many processes refreshes: answers `true` to one caller, and then `false` to all, until `ms`
   * milliseconds have passed. It must be one atomic statement. `key` is made of the id and a fingerprint of the access
   * token that is to be replaced. Without `claim` each process refreshes by itself.
   */
  claim?: ((key: string, ms: number) => boolean | PromiseLike<boolean>) | undefined;
}

export class TimedStore {
  readonly #store: TokenStore;
  readonly #timeout: number;
  readonly #locks = new Locks();

  /** @param timeout for each call to the store, in ms */
  constructor(store: TokenStore, timeout: number) {
    this.#store = store;
    this.#timeout = timeout;
  }

  get canClaim(): boolean {
    return this.#store.claim !== undefined;
  }

  async load(id: string): Promise<PipedriveTokens | undefined> {
    const value: unknown = await this.#timed('get', () => this.#store.get(id));
    return value === undefined || value === null ? undefined : readStoredTokens(id, value);
  }

  async save(id: string, tokens: PipedriveTokens): Promise<void> {
    await this.#locks.run(id, () => this.#set(id, tokens));
  }

  async delete(id: string): Promise<void> {
    await this.#locks.run(id, () => this.#delete(id));
  }

  /** Deletes tokens whose refresh token has been revoked. Others, of a new sign-in, it leaves, and yields them. */
  deleteRevoked(id: string, refreshToken: string): Promise<PipedriveTokens | undefined> {
    return this.#locks.run(id, async () => {
      const now = await this.load(id);
      if (now && now.refresh_token !== refreshToken) return now;
      await this.#delete(id);
      return undefined;
    });
  }

  /** Saves tokens if those that they come from are still the stored ones, and yields what is stored then. */
  replace(id: string, before: PipedriveTokens, tokens: PipedriveTokens): Promise<PipedriveTokens | undefined> {
    return this.#locks.run(id, async () => {
      const now = await this.load(id);
      if (now?.access_token !== before.access_token) return now;
      await this.#set(id, tokens);
      return tokens;
    });
  }

  async claim(key: string, lease: number): Promise<boolean> {
    const claimed = await this.#timed('claim', () => this.#store.claim?.(key, lease));
    // A forgotten `return` would keep everybody waiting.
    if (claimed === undefined) throw new TypeError("The store's claim must answer true or false");
    return Boolean(claimed);
  }

  #set(id: string, tokens: PipedriveTokens): Promise<unknown> {
    return this.#timed('set', () => this.#store.set(id, copyOf(tokens)));
  }

  #delete(id: string): Promise<unknown> {
    return this.#timed('delete', () => this.#store.delete(id));
  }

  async #timed(operation: keyof TokenStore, call: () => unknown): Promise<unknown> {
    const answer = call();
    if (!isThenable(answer)) return answer;
    const deadline = new Deadline(this.#timeout);
    try {
      const late = deadline.passed.then(() => Promise.reject(new StoreTimeoutError(operation, this.#timeout)));
      return await Promise.race([answer, late]);
    } finally {
      deadline.clear();
    }
  }
}

// Query builders have a `then` without being promises.
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
