// CPU time of the main thread alone: what the event loop is busy with. Compilation and collections on helper threads vary
// from run to run, and hold nobody up.
import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';

const SCHEDSTAT = `/proc/self/task/${process.pid}/schedstat`;

/** CPU time of the main thread so far, in µs. Where Linux does not tell it, the time in which the event loop was busy. */
export function mainThreadTime(): number {
  try {
    const [nanoseconds] = readFileSync(SCHEDSTAT, 'utf8').split(' ');
    return Number(nanoseconds) / 1000;
  } catch {
    return performance.eventLoopUtilization().active * 1000;
  }
}
