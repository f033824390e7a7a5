// What both state stores share: a sign-in under way, its limits, and its options.
import { randomBytes } from 'node:crypto';

export interface FlowLimits {
  /**
   * How long a sign-in may take, in milliseconds.
   *
   * @default 1800000 (30 minutes)
   */
  ttl?: number;
  /**
   * How many sign-ins of one browser may be under way; the oldest is pushed out by the next.
   *
   * @default 10
   */
  limit?: number;
}

/** Most room of all flows of one browser, in bytes: Node.js and proxies refuse requests with larger headers. */
const MOST_BYTES = 4096;

/** The limits with their defaults. Throws a `TypeError` that names the option. */
export function resolveLimits({ ttl = 1_800_000, limit = 10 }: FlowLimits): Required<FlowLimits> {
  if (!Number.isSafeInteger(ttl) || ttl <= 0) throw new TypeError('ttl must be a whole number of milliseconds above 0');
  if (!Number.isSafeInteger(limit) || limit <= 0) throw new TypeError('limit must be a whole number above 0');
  return { ttl, limit };
}

/** A new value for the `state` parameter: 256 random bits. */
export function createHandle(): string {
  return randomBytes(32).toString('base64url');
}

/** The newest of the flows, given oldest first, that the limits leave room for. Throws when the last one has none. */
export function newestThatFit<T>(flows: readonly T[], limit: number, bytesOf: (flow: T) => number): T[] {
  let bytes = 0;
  let first = flows.length;
  while (first > 0 && flows.length - first < limit) {
    bytes += bytesOf(flows[first - 1] as T);
    if (bytes >= MOST_BYTES) break;
    first -= 1;
  }
  if (first === flows.length) {
    throw new RangeError(
      `The state given to authenticate is too large: the sign-in would take ${bytes} bytes, and must stay under ${MOST_BYTES}`,
    );
  }
  return flows.slice(first);
}
