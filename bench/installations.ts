// Tokens by hand (check, refresh, store) beside Installations, in four processes over one Redis.
import type { ChildProcess } from 'node:child_process';
import { createClient } from 'redis';
import { recipe } from '../test/support/recipes';
import { startRedis } from '../test/support/redis';
import { TokenEndpoint } from '../test/support/token-endpoint';
import type { Done, Order, Way } from './installations-process';
import { ask, startProcess } from './runs';
import { printRow, printTitle } from './table';

const ways: Way[] = ['by hand', 'Installations', 'Installations, claim'];
const CALLS = 100;

/** How long the token endpoint takes, in ms. */
const LATENCY = 200;

/** One token that has expired, and a hundred calls in each of four processes. */
async function compareExpired(processes: ChildProcess[], url: string): Promise<void> {
  const redis = await createClient({ url }).connect();
  const store = (await recipe('redisStore'))(redis);
  let user = 0;
  for (const rotates of [false, true]) {
    for (const way of ways) {
      const endpoint = await new TokenEndpoint({ rotates }).start();
      user += 1;
      const who = `1:${user}`;
      await store.set(who, { access_token: 'old', refresh_token: 'refresh-token', expires_at: 0 });
      const order = { way, redis: url, origin: endpoint.origin, who, count: CALLS };
      endpoint.hold();
      endpoint.arrived(1).then(() => setTimeout(() => endpoint.release(), LATENCY));
      const all = await Promise.all(processes.map((child) => ask<Done>(child, order)));
      const failed = all.reduce((sum, done) => sum + done.failed, 0);
      const what = `400 calls, expired${rotates ? ', rotating server' : ''}: ${way}`;
      printRow(`${what}: refreshes`, endpoint.requests);
      printRow(`${what}: failed calls`, failed);
      if (!rotates) await countFresh(processes, order);
      await endpoint.close();
    }
  }
  redis.destroy();
}

/** The same tokens, which are fresh now. */
async function countFresh([child]: ChildProcess[], order: Order): Promise<void> {
  if (!child) return;
  const { storeOperations } = await ask<Done>(child, order);
  printRow(`store operations of a call, fresh: ${order.way}`, storeOperations / order.count);
}

export async function compareInstallations(): Promise<void> {
  printTitle('Tokens in four processes over one Redis');
  const redis = await startRedis();
  if (!redis) return console.log('  not compared: there is no redis-server');
  const processes = await Promise.all(Array.from({ length: 4 }, () => startProcess('installations-process.ts')));
  const children = processes.map(({ child }) => child);
  try {
    await compareExpired(children, redis.url);
  } finally {
    for (const child of children) child.kill();
    await redis.stop();
  }
}
