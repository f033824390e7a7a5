// What both state stores share: the limits of pending sign-ins ("flows"), and which of them give way to a new one.
import { createHash } from 'node:crypto';
import { memoizeLast } from '../memoize-last';
import type { StateRefusal } from './store';

export interface FlowLimits {
  /**
   * How long a sign-in may take, in milliseconds.
   *
   * @default 1800000 (30 minutes)
   */
  ttl?: number | undefined;
  /**
   * How many sign-ins of one browser may be pending at once. One more pushes out the oldest.
   *
   * @default 10
   */
  limit?: number | undefined;
}

/** A pending sign-in, as far as the limits are concerned. */
export interface Flow {
  /** When it began, in Unix time in ms. */
  start: number;
  bytes: number;
  /** Whether it is the restart of an install that the Marketplace began. */
  isRestart: boolean;
  /** Whether a prefetch began it. Perhaps nobody has followed the link. */
  isPrefetch: boolean;
}

/** How far the clocks of an app's servers may be apart, in ms. */
const MAX_CLOCK_SKEW = 5 * 60_000;

/** This many restarts in this many ms, none of which came back, are a loop: something drops `state` on the way. */
const MAX_RESTARTS = 3;
const RESTART_WINDOW = 5 * 60_000;

/** Why a flow is refused; the reasons are for the developer. */
export const EXPIRED: StateRefusal = {
  code: 'state_expired',
  reason: 'older than the ttl, or from more than 5 minutes in the future: then the clocks of the servers differ',
};
export const NO_FLOW: StateRefusal = {
  code: 'state_invalid',
  reason: "no open flow of this state (used, pushed out, or another browser's)",
};
export const RESTART_LOOP: StateRefusal = {
  code: 'state_missing',
  reason:
    'restarts of the last five minutes are open in this browser, and none came back with its state: who drops it?',
};

/** Tells the flows of the strategies and the apps of a host apart; short, since cookies carry it. */
export const fingerprintOf = memoizeLast((strategy: string, clientID: string) =>
  createHash('sha256')
    .update(JSON.stringify([strategy, clientID]))
    .digest('base64url')
    .slice(0, 6),
);

/** The limits with their defaults. Throws a `TypeError` that names the option. */
export function resolveLimits({ ttl = 1_800_000, limit = 10 }: FlowLimits): { ttl: number; limit: number } {
  if (!Number.isSafeInteger(ttl) || ttl <= 0) throw new TypeError('ttl must be a whole number of milliseconds above 0');
  if (!Number.isSafeInteger(limit) || limit <= 0) throw new TypeError('limit must be a whole number above 0');
  return { ttl, limit };
}

/** Whether a flow is neither too old nor from the future. */
export function isOpen({ start }: Pick<Flow, 'start'>, ttl: number): boolean {
  return Date.now() - start <= ttl && !isFromFuture(start);
}

/** Whether a start is further in the future than clocks differ. */
export function isFromFuture(start: number): boolean {
  return start - Date.now() > MAX_CLOCK_SKEW;
}

/** Whether one more restart would only repeat the loop. `room` is how many flows like it can be open at once. */
export function isRestartLoop(openFlows: readonly Flow[], room: number): boolean {
  const since = Date.now() - RESTART_WINDOW;
  return openFlows.filter(({ isRestart, start }) => isRestart && start > since).length >= Math.min(MAX_RESTARTS, room);
}

/** Oldest first. */
export const byAge = (a: Flow, b: Flow) => a.start - b.start;

/**
 * The flows that give way to a new one, oldest first, until `limit` and `bytes` hold with it. Only those give way that
 * `mayGiveWay` names; `undefined` if that is not enough.
 */
export function flowsToDrop<T extends Flow>(
  flows: readonly T[],
  added: Flow,
  { limit, bytes, mayGiveWay }: { limit: number; bytes: number; mayGiveWay: (flow: T) => boolean },
): T[] | undefined {
  const candidates = flows.filter(mayGiveWay).sort(byAge);
  let count = flows.length + 1;
  let total = flows.reduce((sum, flow) => sum + flow.bytes, added.bytes);
  let dropped = 0;
  while (count > limit || total > bytes) {
    const oldest = candidates[dropped];
    if (!oldest) return undefined;
    dropped += 1;
    count -= 1;
    total -= oldest.bytes;
  }
  return candidates.slice(0, dropped);
}

/** The app gave more state than there is room for. */
export function tooLarge(bytes: number, most: number): RangeError {
  return new RangeError(
    `The state given to authenticate is too large: the sign-in would take ${bytes} bytes, and may take ${most}. ` +
      'Keep the data in your own store, and give its key as state',
  );
}
