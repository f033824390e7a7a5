// Ten thousand tokens that are refreshed at once: by Installations, and by `refresh` over an agent with 50 sockets.
import type { BulkOrder, BulkReport } from '../test/support/bulk-process';
import { TokenEndpoint } from '../test/support/token-endpoint';
import { ask, startProcess } from './runs';
import { figureOf, printRow, printTitle } from './table';

const COUNT = 10_000;
const RUNS = 3;

/** One run in a fresh process. */
async function refreshAll(by: 'Installations' | 'refresh'): Promise<BulkReport & { connections: number }> {
  const endpoint = await new TokenEndpoint().start();
  const { child } = await startProcess('../test/support/bulk-process.ts');
  const order: BulkOrder = { origin: endpoint.origin, count: COUNT, by };
  const report = await ask<BulkReport>(child, order);
  child.kill();
  await endpoint.close();
  return { ...report, connections: endpoint.connections };
}

export async function measureBulk(): Promise<void> {
  printTitle(`${COUNT} refreshes at once; the worst of ${RUNS} runs, and the median of their pauses`);
  for (const by of ['Installations', 'refresh'] as const) {
    const reports = [];
    for (let run = 0; run < RUNS; run += 1) reports.push(await refreshAll(by));
    const name = by === 'refresh' ? 'refresh, agent with 50 sockets' : by;
    printRow(`${name}: refreshed`, Math.min(...reports.map(({ refreshed }) => refreshed)), { exactly: COUNT });
    printRow(`${name}: connections`, Math.max(...reports.map(({ connections }) => connections)), { atMost: 50 });
    printRow(`${name}: time`, figureOf(reports.map(({ time }) => time / 1000)), { unit: ' s', digits: 1 });
    printRow(`${name}: longest pause of the event loop`, figureOf(reports.map(({ pause }) => pause)), {
      unit: ' ms',
      atMost: 100,
    });
  }
}
