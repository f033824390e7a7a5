// Runs of several contestants: each in a fresh process, warm, in turns, so that a busy moment of the machine meets all.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type Figure, figureOf, median } from './table';

export type Task = 'redirect' | 'login';

/** Rounds of a set. */
export const rounds = Number(process.env.BENCH_ROUNDS ?? 9);

/** Sets of fresh processes: what a process compiles, and where its memory is, differs from one to the next. */
export const SETS = 3;

/** Logins before anything is measured. */
export const WARM_LOGINS = 5_000;

/** Starts a file of this folder in a process of its own, and yields it with its first message. */
export async function startProcess<Message>(
  file: string,
  args: string[] = [],
  flags: string[] = [],
): Promise<{ child: ChildProcess; message: Message }> {
  const child = fork(join(__dirname, file), args, { execArgv: [...process.execArgv, ...flags] });
  child.once('exit', (code) => code && process.exit(code)); // it has said why
  const [message] = await once(child, 'message');
  return { child, message };
}

export async function ask<Answer>(child: ChildProcess, order: object | string): Promise<Answer> {
  child.send(order);
  const [answer] = await once(child, 'message');
  return answer;
}

/** A contestant in its process: what so many redirects or logins cost, in µs each. */
export interface Contestant {
  measure(task: Task, count: number): Promise<number>;
  stop(): void;
}

/** Per task and contestant, the figures of each set: one for each round. */
export type Runs<Name extends string> = Record<Task, Record<Name, number[][]>>;

/** Sets of fresh processes, each with its rounds in turns. `counts` is how many redirects and logins a round has. */
export async function runSets<Name extends string>(
  names: readonly Name[],
  start: (name: Name) => Promise<Contestant>,
  counts: Record<Task, number>,
): Promise<Runs<Name>> {
  const empty = () => Object.fromEntries(names.map((name) => [name, [] as number[][]])) as Record<Name, number[][]>;
  const runs = { redirect: empty(), login: empty() };
  for (let set = 0; set < SETS; set += 1) {
    const contestants = new Map<Name, Contestant>();
    for (const name of names) contestants.set(name, await start(name));
    for (const contestant of contestants.values()) await contestant.measure('login', WARM_LOGINS);
    for (const task of ['redirect', 'login'] as const) {
      for (const name of names) runs[task][name].push([]);
      for (let round = -2; round < rounds; round += 1) {
        // Back and forth, so that nobody always comes after the same one.
        for (const [name, contestant] of round % 2 === 0 ? contestants : [...contestants].reverse()) {
          const time = await contestant.measure(task, counts[task]);
          if (round >= 0) runs[task][name].at(-1)?.push(time);
        }
      }
    }
    for (const contestant of contestants.values()) contestant.stop();
  }
  return runs;
}

/** The figure of one contestant by the other's, round by round. */
export function ratioOf(ours: number[][], theirs: number[][]): Figure {
  const ofSet = (set: number[], index: number) =>
    median(set.map((time, round) => time / (theirs[index]?.[round] ?? Number.NaN)));
  return figureOf(ours.map(ofSet));
}

export function timeOf(sets: number[][]): Figure {
  return figureOf(sets.map(median));
}
