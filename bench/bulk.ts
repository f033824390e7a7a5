// Ten thousand tokens that are refreshed at once: by Installations, and by `refresh` over an agent with 50 sockets.
import type { BulkOrder, BulkReport } from '../test/support/bulk-process';
import { TokenEndpoint } from '../test/support/token-endpoint';
import { ask, startProcess } from './runs';
import { printRow, printTitle } from './table';

const COUNT = 10_000;

export async function measureBulk(): Promise<void> {
  printTitle(`${COUNT} refreshes at once`);
  for (const by of ['Installations', 'refresh'] as const) {
    const endpoint = await new TokenEndpoint().start();
    const { child } = await startProcess('../test/support/bulk-process.ts');
    const order: BulkOrder = { origin: endpoint.origin, count: COUNT, by };
    const { refreshed, pause, time } = await ask<BulkReport>(child, order);
    child.kill();
    await endpoint.close();
    const name = by === 'refresh' ? 'refresh, agent with 50 sockets' : by;
    printRow(`${name}: refreshed, in ${(time / 1000).toFixed(1)} s`, refreshed, { exactly: COUNT });
    printRow(`${name}: connections`, endpoint.connections, { atMost: 50 });
    printRow(`${name}: longest pause of the event loop`, pause, { unit: ' ms', atMost: 100 });
  }
}
