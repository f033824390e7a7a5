// Refreshes tokens once: in this process always, among all processes if the store can claim.
import { createHash } from 'node:crypto';
import type { PipedriveTokens } from '../tokens';
import { isInvalidGrant, NotInstalledError } from './errors';
import { Gate } from './gate';
import { LapsingSet } from './lapsing-set';
import type { RefreshingStrategy, ResolvedOptions } from './options';
import type { TimedStore } from './store';
import { isUnchanged, withExpiry } from './stored-tokens';

/** How much longer a lease is than the request that it is for, in ms. */
const LEASE_MARGIN = 1_000;

/** After a refresh in the background that failed: for how long there is no other, in ms. */
const REST = 30_000;

/** Shortest and longest pause between two looks at the store, in ms. */
const PAUSES = { shortest: 50, longest: 1_000 };

/** How long another process may take to save what it got for a refresh token that is refused here, in ms. */
const GRACE = 1_000;

export class Refresher {
  readonly #strategy: RefreshingStrategy;
  readonly #store: TimedStore;
  readonly #report: ResolvedOptions['onError'];
  readonly #lease: number;
  readonly #gate: Gate;
  readonly #pending = new Map<string, Promise<PipedriveTokens>>();
  readonly #resting = new LapsingSet(REST);
  readonly #held: LapsingSet;

  constructor(strategy: RefreshingStrategy, store: TimedStore, { concurrency, onError }: ResolvedOptions) {
    this.#strategy = strategy;
    this.#store = store;
    this.#report = onError;
    this.#lease = (strategy.timeout ?? 10_000) + LEASE_MARGIN;
    this.#gate = new Gate(concurrency);
    this.#held = new LapsingSet(this.#lease);
  }

  /** Yields tokens in place of those that the store had. Calls for the same ones at the same time share the result. */
  refresh(id: string, old: PipedriveTokens): Promise<PipedriveTokens> {
    const key = keyOf(id, old);
    const pending = this.#pending.get(key);
    if (pending) return pending;
    const refresh = this.#refreshOrFind(id, old).finally(() => this.#pending.delete(key));
    this.#pending.set(key, refresh);
    return refresh;
  }

  /** Starts a refresh that nobody waits for, unless there is one, or the last one has just failed. */
  refreshInBackground(id: string, old: PipedriveTokens): void {
    const key = keyOf(id, old);
    if (this.#pending.has(key) || this.#resting.has(key)) return;
    this.refresh(id, old).catch((error: unknown) => {
      this.#resting.add(key);
      this.#report(error, id);
    });
  }

  async #refreshOrFind(id: string, old: PipedriveTokens): Promise<PipedriveTokens> {
    try {
      return await this.#takeTurns(id, old);
    } catch (error) {
      if (error instanceof NotInstalledError) throw error;
      return isInvalidGrant(error) ? await this.#findNewer(id, old, error) : await this.#newerOr(id, old, error);
    }
  }

  /** Refreshes, or waits for the process that does. */
  async #takeTurns(id: string, old: PipedriveTokens): Promise<PipedriveTokens> {
    let patienceEnds = Number.POSITIVE_INFINITY;
    for (let pause = PAUSES.shortest; ; pause = Math.min(2 * pause, PAUSES.longest)) {
      // Each attempt waits for its turn, so that neither requests nor calls to the store pile up.
      const tokens = await this.#gate.run(() => this.#attempt(id, old, performance.now() >= patienceEnds));
      if (tokens) return tokens;
      patienceEnds = Math.min(patienceEnds, performance.now() + 2 * this.#lease);
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }

  /** Yields nothing where another process has the lease, and has not saved yet. */
  async #attempt(id: string, old: PipedriveTokens, isImpatient: boolean): Promise<PipedriveTokens | undefined> {
    const mayRefresh = isImpatient || (await this.#claim(id, old));
    // Read after the claim: whoever had it before may have saved since these tokens were read.
    const now = await this.#loadOr(id, old);
    if (!now) throw new NotInstalledError();
    if (!isUnchanged(now, old)) return now;
    if (!mayRefresh) return undefined;
    const tokens = withExpiry(await this.#strategy.refresh(now.refresh_token));
    return await this.#save(id, now, tokens);
  }

  /** Whether this process may refresh. A claim only saves requests: one that fails does not keep anybody from them. */
  async #claim(id: string, old: PipedriveTokens): Promise<boolean> {
    if (!this.#store.canClaim) return true;
    const key = `${id}:${fingerprintOf(old.access_token)}`;
    if (this.#held.has(key)) return true;
    try {
      const isClaimed = await this.#store.claim(key, this.#lease);
      if (isClaimed) this.#held.add(key);
      return isClaimed;
    } catch (error) {
      this.#report(error, id);
      return true;
    }
  }

  async #loadOr(id: string, old: PipedriveTokens): Promise<PipedriveTokens | undefined> {
    try {
      return await this.#store.load(id);
    } catch (error) {
      this.#report(error, id);
      return old;
    }
  }

  /** Yields what is stored in the end: tokens of a new sign-in stay. Tokens that cannot be saved are good all the same. */
  async #save(id: string, old: PipedriveTokens, tokens: PipedriveTokens): Promise<PipedriveTokens> {
    let stored: PipedriveTokens | undefined;
    try {
      stored = await this.#store.replace(id, old, tokens);
    } catch (error) {
      this.#report(error, id);
      return tokens;
    }
    if (!stored) throw new NotInstalledError(); // uninstalled in the meantime
    return stored;
  }

  /** After an outage, or a pause of this process: another one may have had more luck. */
  async #newerOr(id: string, old: PipedriveTokens, error: unknown): Promise<PipedriveTokens> {
    const now = await this.#store.load(id).catch(() => undefined);
    if (now && !isUnchanged(now, old)) return now;
    throw error;
  }

  /** After `invalid_grant`: another process may have had the refresh token exchanged, and may be about to save. */
  async #findNewer(id: string, old: PipedriveTokens, cause: unknown): Promise<PipedriveTokens> {
    const end = performance.now() + GRACE; // a clock that is set back would keep the callers waiting
    for (;;) {
      const now = await this.#store.load(id);
      if (now && !isUnchanged(now, old)) return now;
      if (!now || performance.now() >= end) throw new NotInstalledError({ cause });
      await new Promise((resolve) => setTimeout(resolve, PAUSES.shortest));
    }
  }
}

function keyOf(id: string, { access_token }: PipedriveTokens): string {
  return `${id} ${access_token}`;
}

/** Tells tokens apart without telling what they are. */
function fingerprintOf(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url').slice(0, 22);
}
