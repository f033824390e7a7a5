// What the tests of installations share: tokens that have some time left, a strategy without a network, stores, a clock.
import { type Clock, install } from '@sinonjs/fake-timers';
import { expect } from 'chai';
import type { PipedriveTokens } from 'passport-pipedrive-oauth2';
import type { RefreshingStrategy, TokenStore } from 'passport-pipedrive-oauth2/installations';

export const who = '1:777';

/** A token response that was saved, with so many milliseconds left. */
export function tokensWith(accessToken: string, left: number, refreshToken = 'refresh-token'): PipedriveTokens {
  return {
    access_token: accessToken,
    token_type: 'bearer',
    refresh_token: refreshToken,
    scope: 'base',
    expires_in: 3600,
    api_domain: 'https://examplebikes.pipedrive.com',
    expires_at: Math.floor((Date.now() + left) / 1000),
  };
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export const expired = () => tokensWith('old', -MINUTE);
export const fresh = (accessToken = 'old') => tokensWith(accessToken, HOUR);

/** Something that a test brings about later. */
export class Deferred<T = void> {
  resolve: (value: T) => void = () => {};
  reject: (error: unknown) => void = () => {};
  readonly promise = new Promise<T>((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

export const invalidGrant = Object.assign(new Error('Invalid grant'), { code: 'invalid_grant', status: 500 });

/** Answers each refresh with `new-1`, `new-2` and so on, unless a test answers. */
export class FakeStrategy implements RefreshingStrategy {
  readonly timeout = 10_000;
  /** The refresh tokens that came, in their order. */
  readonly refreshed: string[] = [];
  readonly revoked: [string, string | undefined][] = [];

  constructor(
    readonly answer = (count: number): Promise<PipedriveTokens> => Promise.resolve(tokensWith(`new-${count}`, HOUR)),
  ) {}

  refresh(refreshToken: string): Promise<PipedriveTokens> {
    this.refreshed.push(refreshToken);
    return this.answer(this.refreshed.length);
  }

  async revoke(token: string, hint?: string): Promise<void> {
    this.revoked.push([token, hint]);
  }
}

/** A store in memory that remembers the names of the calls. Each call can be replaced. */
export class FakeStore implements TokenStore {
  readonly calls: string[] = [];
  readonly values = new Map<string, unknown>();

  constructor(...values: PipedriveTokens[]) {
    for (const value of values) this.values.set(who, value);
  }

  get(id: string): unknown {
    this.calls.push('get');
    return this.onGet(id);
  }

  set(id: string, value: object): unknown {
    this.calls.push('set');
    return this.onSet(id, value);
  }

  delete(id: string): unknown {
    this.calls.push('delete');
    return this.onDelete(id);
  }

  onGet = (id: string): unknown => Promise.resolve(this.values.get(id));
  onSet = (id: string, value: object): unknown => Promise.resolve(this.values.set(id, value));
  onDelete = (id: string): unknown => Promise.resolve(this.values.delete(id));
}

/** The same, and one of all callers may refresh. */
export class ClaimingStore extends FakeStore {
  readonly claims: [string, number][] = [];
  readonly #ends = new Map<string, number>();

  claim(key: string, ms: number): boolean | PromiseLike<boolean> {
    this.claims.push([key, ms]);
    return this.onClaim(key, ms);
  }

  onClaim = (key: string, ms: number): boolean | PromiseLike<boolean> => {
    if ((this.#ends.get(key) ?? 0) > Date.now()) return false;
    this.#ends.set(key, Date.now() + ms);
    return true;
  };
}

/** Stops the clock and the timers for the tests of a suite, which let time pass. */
export function fakeTimeForEach() {
  let clock: Clock;
  beforeEach(() => {
    clock = install({ now: Date.UTC(2026, 0, 1), toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => clock.uninstall());
  return {
    async pass(milliseconds: number): Promise<void> {
      await clock.tickAsync(milliseconds);
    },
    /** How many timers are set. */
    get timers(): number {
      return clock.countTimers();
    },
    /** Sets the clock of the machine back, while timers go on. */
    setBack(milliseconds: number): void {
      clock.setSystemTime(Date.now() - milliseconds);
    },
    /** Lets the process stop, or be busy, for so long. */
    async stop(milliseconds: number): Promise<void> {
      clock.jump(milliseconds);
      await clock.tickAsync(0);
    },
  };
}

/** What a promise is rejected with. */
export function rejectionOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it was resolved'),
    (error: unknown) => error,
  );
}

/** Tells whether a promise has settled. */
export function watch(promise: Promise<unknown>): { state: 'pending' | 'resolved' | 'rejected' } {
  const watched: ReturnType<typeof watch> = { state: 'pending' };
  promise.then(
    () => {
      watched.state = 'resolved';
    },
    () => {
      watched.state = 'rejected';
    },
  );
  return watched;
}
