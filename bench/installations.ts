// A part of `npm run bench`: tokens by hand (check, refresh, store) beside Installations, in four processes over one Redis; and
// ten thousand refreshes at once. It measures, and judges nothing.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createClient } from 'redis';
import type { BulkReport } from '../test/support/bulk-process';
import { recipe } from '../test/support/recipes';
import { startRedis } from '../test/support/redis';
import { TokenEndpoint } from '../test/support/token-endpoint';
import type { Done, Order, Way } from './installations-process';

const ways: Way[] = ['by hand', 'Installations', 'Installations, claim'];
const CALLS = 100;

/** How long the token endpoint takes, in ms. */
const LATENCY = 200;

const print = (what: string, figure: string) => console.log(what.padEnd(60), figure);

async function started(file: string): Promise<ChildProcess> {
  const child = fork(file);
  await once(child, 'message');
  return child;
}

async function ask(child: ChildProcess, order: Order): Promise<Done> {
  const answered = once(child, 'message');
  child.send(order);
  const [done] = await answered;
  return done;
}

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
      const all = await Promise.all(processes.map((child) => ask(child, order)));
      const failed = all.reduce((sum, done) => sum + done.failed, 0);
      const what = `400 calls, expired${rotates ? ', rotating server' : ''}: ${way}`;
      print(what, `refreshes: ${endpoint.requests}, failed calls: ${failed}`);
      if (!rotates) await countFresh(processes, order);
      await endpoint.close();
    }
  }
  redis.destroy();
}

/** The same tokens, which are fresh now. */
async function countFresh([child]: ChildProcess[], order: Order): Promise<void> {
  if (!child) return;
  const { storeOperations } = await ask(child, order);
  print(`store operations of a call, fresh: ${order.way}`, String(storeOperations / order.count));
}

async function measureBulk(): Promise<void> {
  const endpoint = await new TokenEndpoint().start();
  const child = await started(join(__dirname, '..', 'test', 'support', 'bulk-process.ts'));
  const answered = once(child, 'message');
  child.send({ origin: endpoint.origin, count: 10_000 });
  const [report]: BulkReport[] = await answered;
  child.kill();
  await endpoint.close();
  if (!report) return;
  const { refreshed, pause, time } = report;
  print('10,000 refreshes at once: done, connections', `${refreshed}, ${endpoint.connections}`);
  print('10,000 refreshes at once: longest pause of the event loop', `${pause.toFixed(0)} ms of ${time.toFixed(0)}`);
}

async function main(): Promise<void> {
  await measureBulk();
  const redis = await startRedis();
  if (!redis) return print('Installations', 'not compared: there is no redis-server');
  const processes = await Promise.all(
    Array.from({ length: 4 }, () => started(join(__dirname, 'installations-process.ts'))),
  );
  try {
    await compareExpired(processes, redis.url);
  } finally {
    for (const child of processes) child.kill();
    await redis.stop();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
