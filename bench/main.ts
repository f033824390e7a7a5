// `npm run bench`: what a redirect and a login cost, beside others, in one interleaved run on this machine. Figures are
// medians of ratios, round by round. BENCH_ROUNDS sets the number of rounds. It measures, and judges nothing.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { globalAgent } from 'node:http';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { coldStart } from './cold-start';
import { contestants, listen, type Name, sessionStore } from './contestants';
import type { Done, Order } from './driver';
import { median } from './median';

const rounds = Number(process.env.BENCH_ROUNDS ?? 21);
const perRound = { redirect: 600, login: 200 };
const WARM_UP = 3;

/** `[ours, theirs, at most]` */
type Target = [Name, Name, number];

const targets: Record<Order['task'], Target[]> = {
  redirect: [
    ['cookie store', 'passport-oauth2', 0.97],
    ['session store', 'passport-oauth2', 0.97],
  ],
  login: [
    ['cookie store', 'passport-oauth2', 0.97],
    ['session store', 'passport-oauth2', 0.95],
    ['cookie store', 'floor, cookie', 1.05],
    ['session store', 'floor, session', 1.05],
  ],
};

const print = (what: string, figure: string, atMost = '') =>
  console.log(what.padEnd(60), figure.padStart(12), ' ', atMost);

function printRatio(what: string, ratio: number, atMost: number): void {
  print(what, ratio.toFixed(2), `target: at most ${atMost}${ratio > atMost ? ', missed' : ''}`);
}

const driver = fork(join(__dirname, 'driver.ts'));
driver.once('exit', () => process.exit(1)); // it has said why

async function ask(order: Order): Promise<Done> {
  driver.send(order);
  const [done] = await once(driver, 'message');
  return done;
}

type Origins = [Name, string][];

/** CPU time of each app in each round, in µs for one redirect or login. */
async function spent(task: Order['task'], origins: Origins): Promise<Map<Name, number[]>> {
  const count = perRound[task];
  const times = new Map(origins.map(([name]) => [name, [] as number[]]));
  for (let round = -WARM_UP; round < rounds; round += 1) {
    // Back and forth, so that nobody always comes after the same one.
    for (const [name, origin] of round % 2 === 0 ? origins : origins.toReversed()) {
      sessionStore.clear(); // what others have left there would make each collection longer
      const start = process.cpuUsage();
      await ask({ origin, task, count });
      const { user, system } = process.cpuUsage(start);
      if (round >= 0) times.get(name)?.push((user + system) / count);
    }
  }
  return times;
}

const ratioOf = (ours: number[] = [], theirs: number[] = []) =>
  median(ours.map((each, round) => each / (theirs[round] ?? Number.NaN)));

async function compareTime(origins: Origins): Promise<void> {
  for (const task of ['redirect', 'login'] as const) {
    const times = await spent(task, origins);
    for (const [name, each] of times) print(`${task}: ${name}`, `${median(each).toFixed(0)} µs CPU`);
    for (const [ours, theirs, atMost] of targets[task]) {
      printRatio(`${task}: ${ours} / ${theirs}`, ratioOf(times.get(ours), times.get(theirs)), atMost);
    }
  }
}

/** Connections opened over 1,000 logins, ten at a time. */
async function countConnections(origins: Origins): Promise<void> {
  for (const [name, origin] of origins) {
    globalAgent.destroy(); // it is everybody's, and keeps what the app before has opened
    const { connections } = await ask({ origin, task: 'login', count: 1_000, atOnce: 10 });
    print(`connections to Pipedrive in 1,000 logins: ${name}`, String(connections));
  }
}

/** 200 logins at once, while the token endpoint takes a quarter of a second. */
async function compareSlow(origins: Map<Name, string>): Promise<void> {
  const slow = { task: 'login', count: 200, atOnce: 200, delay: 250 } as const;
  const times = async (name: Name) => (await ask({ origin: origins.get(name) ?? '', ...slow })).time;
  for (const ours of ['cookie store', 'session store'] as const) {
    const ratios: number[] = [];
    for (let round = -1; round < 5; round += 1) {
      const ratio = (await times(ours)) / (await times('bare handlers'));
      if (round >= 0) ratios.push(ratio);
    }
    printRatio(`200 logins at once, slow upstream: ${ours} / bare handlers`, median(ratios), 1.2);
  }
}

/** Heap kept over 20,000 logins, without the sessions. A collection is forced only here, when nothing is timed any more. */
async function measureHeap(origins: Map<Name, string>): Promise<void> {
  setFlagsFromString('--expose-gc');
  const collect: () => void = runInNewContext('gc');
  const heapAfter = async (name: Name, count: number) => {
    await ask({ origin: origins.get(name) ?? '', task: 'login', atOnce: 10, count });
    sessionStore.clear();
    collect();
    return process.memoryUsage().heapUsed;
  };
  for (const name of ['cookie store', 'session store', 'passport-oauth2'] as const) {
    const before = await heapAfter(name, 5_000);
    const kept = (await heapAfter(name, 20_000)) - before;
    print(`heap kept over 20,000 logins: ${name}`, `${Math.round(kept / 1024)} KiB`);
  }
}

async function compareStart(): Promise<void> {
  const others = ['passport-oauth2', 'passport-google-oauth20'] as const;
  const { time, ratios } = await coldStart('passport-pipedrive-oauth2', [...others], rounds);
  print('cold start', `${time.toFixed(1)} ms CPU`);
  for (const [index, atMost] of [1.15, 1.3].entries()) {
    printRatio(`cold start / ${others[index]}`, ratios[index] ?? Number.NaN, atMost);
  }
}

async function main(): Promise<void> {
  const [port] = await once(driver, 'message');
  const origins: Origins = [];
  for (const [name, app] of Object.entries(contestants(`http://127.0.0.1:${port}`))) {
    origins.push([name as Name, await listen(app)]);
  }
  await compareTime(origins);
  await countConnections(origins);
  await compareSlow(new Map(origins));
  await measureHeap(new Map(origins));
  await compareStart();
}

main()
  .catch((error: unknown) => {
    console.error(error);
    process.exitCode = 1;
  })
  .finally(() => {
    driver.kill();
    process.exit();
  });
