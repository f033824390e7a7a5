// How long a package takes to load in a fresh process: by `require` and by `import`, alone and in an app that has loaded
// Express and Passport.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { rounds } from './runs';
import { type Figure, median, printRatio, printRow, printTitle } from './table';

const run = promisify(execFile);

type Way = 'require' | 'import';

const LOADS: Record<Way, (name: string) => string> = {
  require: (name) => `require(${JSON.stringify(name)});`,
  import: (name) => `await import(${JSON.stringify(name)});`,
};

/** CPU time of the process in ms. What Node.js takes to start by itself is not in it. */
async function loadTime(name: string, { way, isAlone }: { way: Way; isAlone: boolean }): Promise<number> {
  const load = LOADS[way];
  const program = `
    ${isAlone ? '' : load('express') + load('passport')}
    const start = process.cpuUsage();
    ${load(name)}
    const { user, system } = process.cpuUsage(start);
    console.log((user + system) / 1000);`;
  const type = way === 'import' ? 'module' : 'commonjs';
  const { stdout } = await run(process.execPath, [`--input-type=${type}`, '-e', program]);
  return Number(stdout);
}

/** The package beside another one: medians of ratios and of differences in ms, in interleaved rounds. */
export async function compareLoad(other: string, how: { way: Way; isAlone: boolean }) {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = -1; round < 3 * rounds; round += 1) {
    const [our, their] = [await loadTime('passport-pipedrive-oauth2', how), await loadTime(other, how)];
    if (round < 0) continue;
    ours.push(our);
    theirs.push(their);
  }
  const each = (compute: (our: number, their: number) => number) =>
    quartiles(ours.map((our, round) => compute(our, theirs[round] ?? Number.NaN)));
  return { time: quartiles(ours), ratio: each((a, b) => a / b), difference: each((a, b) => a - b) };
}

/** The median, with the middle half of the values as its spread. */
function quartiles(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return { value: median(sorted), spread: [median(sorted.slice(0, half)), median(sorted.slice(-half))] };
}

export async function measureLoad(): Promise<void> {
  printTitle('Loading in fresh processes; CPU time, with the middle half of the rounds');
  for (const isAlone of [false, true]) {
    for (const way of ['import', 'require'] as const) {
      const { time, ratio, difference } = await compareLoad('passport-oauth2', { way, isAlone });
      const what = `${way} ${isAlone ? 'alone' : 'after Express'}`;
      printRow(what, time, { unit: ' ms', digits: 1 });
      printRatio(`${what} / passport-oauth2`, ratio, way === 'import' && isAlone ? 1.2 : undefined);
      const target = way === 'require' && !isAlone ? { atMost: 2.5 } : {};
      printRow(`${what}: more than passport-oauth2`, difference, { unit: ' ms', digits: 1, ...target });
    }
  }
}
