// How long a package takes to load, in processes that load nothing else.
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { median } from './median';

const run = promisify(execFile);

/** CPU time in ms. What Node.js takes to start by itself is not in it. */
async function loadTime(path: string): Promise<number> {
  const program = `
    const start = process.cpuUsage();
    require(${JSON.stringify(path)});
    const { user, system } = process.cpuUsage(start);
    console.log((user + system) / 1000);`;
  const { stdout } = await run(process.execPath, ['-e', program]);
  return Number(stdout);
}

/** Median CPU time of the first module in ms, and the median of its ratios to each of the others, in interleaved rounds. */
export async function coldStart(path: string, others: string[], rounds: number) {
  const times: number[] = [];
  const ratios = others.map((): number[] => []);
  for (let round = 0; round < rounds; round += 1) {
    const time = await loadTime(path);
    times.push(time);
    for (const [index, other] of others.entries()) ratios[index]?.push(time / (await loadTime(other)));
  }
  return { time: median(times), ratios: ratios.map(median) };
}
