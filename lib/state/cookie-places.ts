// Which of the sixteen cookie names of a strategy a flow gets. Pure: no clock, no request, no cookie.
import { byAge, type Flow, flowsToDrop } from './flow';

/** How many names there are. They are fixed: requests at the same time do not see each other's cookies. */
export const PLACES = 16;

/** Most bytes of a cookie, with its name and its separator, in the first place. The next ones hold a half, a third… */
export const MOST_BYTES = 2218;

/** Most bytes of all cookies together that a start leaves. */
const MOST_BYTES_TOGETHER = 4096;

/** A flow in its place. */
export interface PlacedFlow extends Flow {
  place: number;
}

interface PlaceRules {
  limit: number;
  isOpen: (flow: Flow) => boolean;
  /** A whole number from 0 to below `count`. */
  randomBelow: (count: number) => number;
}

/** How many places, from the first one on, are large enough for a cookie. */
export function placesFor(bytes: number): number {
  return Math.min(PLACES, Math.floor(MOST_BYTES / bytes));
}

/**
 * The place for a new flow, and the flows to drop besides the one whose place it takes. A free place is chosen at random,
 * since starts at the same time see the same ones as free. If none is free the oldest flow gives way; but a prefetch
 * never takes the place of an open sign-in, and gets `undefined` if there is no other.
 */
export function choosePlace<T extends PlacedFlow>(
  flows: readonly T[],
  added: Flow,
  { limit, isOpen, randomBelow }: PlaceRules,
): { place: number; dropped: T[] } | undefined {
  const fitting = placesFor(added.bytes);
  const taken = flows.filter(isOpen).map((flow) => flow.place);
  const free: number[] = [];
  for (let place = 0; place < fitting; place += 1) if (!taken.includes(place)) free.push(place);
  const mayGiveWay = (flow: Flow) => !added.isPrefetch || flow.isPrefetch || !isOpen(flow);
  const place = free.length > 0 ? free[randomBelow(free.length)] : oldestPlace(flows, fitting, mayGiveWay);
  if (place === undefined) return undefined;

  const others = flows.filter((flow) => flow.place !== place);
  const dropped = flowsToDrop(others, added, { limit, bytes: MOST_BYTES_TOGETHER, mayGiveWay });
  return dropped && { place, dropped };
}

function oldestPlace(
  flows: readonly PlacedFlow[],
  fitting: number,
  mayGiveWay: (flow: Flow) => boolean,
): number | undefined {
  return flows.filter((flow) => flow.place < fitting && mayGiveWay(flow)).sort(byAge)[0]?.place;
}
