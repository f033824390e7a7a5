// The handlers alone, beside passport-oauth2's.
import type { StrategyName } from './contestants';
import { ask, ratioOf, runSets, startProcess, type Task, timeOf } from './runs';
import { printRatio, printRow, printTitle } from './table';

const names = ['session store', 'cookie store', 'passport-oauth2'] as const satisfies StrategyName[];

const targets = {
  redirect: { 'session store': 0.6, 'cookie store': 1.15 },
  login: { 'session store': 0.97, 'cookie store': 1.45 },
};

async function start(name: StrategyName) {
  const { child } = await startProcess('handlers-process.ts', [name]);
  return {
    measure: (task: Task, count: number) => ask<number>(child, { task, count }),
    stop: () => void child.kill(),
  };
}

export async function compareHandlers(): Promise<void> {
  printTitle('Handlers alone, upstream in memory; CPU time of the main thread');
  const runs = await runSets(names, start, { redirect: 20_000, login: 2_000 });
  for (const task of ['redirect', 'login'] as const) {
    printRow(`${task}: passport-oauth2`, timeOf(runs[task]['passport-oauth2']), { unit: ' µs', digits: 1 });
    for (const ours of ['session store', 'cookie store'] as const) {
      printRatio(
        `${task}: ${ours} / passport-oauth2`,
        ratioOf(runs[task][ours], runs[task]['passport-oauth2']),
        targets[task][ours],
      );
    }
  }
}
