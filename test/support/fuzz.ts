// How property tests run: how many cases, and from which seed.
import fc from 'fast-check';

const isLong = process.env.npm_lifecycle_event === 'fuzz';
const runs = Number(process.env.FUZZ_RUNS ?? (isLong ? 100_000 : 2_000));
const seed = Number(process.env.FUZZ_SEED ?? (isLong ? Date.now() % 2 ** 31 : 1));

/** Time for one property, in milliseconds. */
export const longest = runs * 20;

/** Expects that a property holds for a part of all cases. FUZZ_SEED and FUZZ_RUNS replay a run. */
export async function expectHolds<T>(part: number, property: fc.IAsyncProperty<T>): Promise<void> {
  const details = await fc.check(property, { seed, numRuns: Math.round(runs * part) });
  if (!details.failed) return;
  const replay = `Replay it with FUZZ_SEED=${seed} FUZZ_RUNS=${runs} npm run fuzz`;
  throw new Error(`${fc.defaultReportMessage(details)}\n\n${replay}`, { cause: details.errorInstance });
}
