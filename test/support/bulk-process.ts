// A process with many installations in memory, all of whose tokens have expired: it wants them all at once.
import { Agent } from 'node:http';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { Installations } from 'passport-pipedrive-oauth2/installations';

/** What the parent asks for. */
export interface BulkOrder {
  /** Of the token endpoint. */
  origin: string;
  count: number;
  /** Installations, or `refresh` of the strategy over an agent with 50 sockets. @default 'Installations' */
  by?: 'Installations' | 'refresh';
}

/** What the parent is told. */
export interface BulkReport {
  refreshed: number;
  failed: number;
  /** Longest pause of the event loop, in ms. */
  pause: number;
  /** Wall time, in ms. */
  time: number;
}

async function refreshAll({ origin, count, by }: BulkOrder): Promise<BulkReport> {
  const options = { clientID: 'client-id', clientSecret: 'secret', callbackURL: 'http://127.0.0.1/callback' };
  const agent = by === 'refresh' ? new Agent({ keepAlive: true, maxSockets: 50 }) : undefined;
  const strategy = new PipedriveStrategy({ ...options, tokenURL: `${origin}/oauth/token`, agent }, (_context) => false);
  const store = new Map<string, object>();
  const installations = new Installations(strategy, { store });
  const ids = Array.from({ length: count }, (_, index) => `1:${index + 1}`);
  for (const id of ids) {
    const tokens = { access_token: `old-${id}-${'x'.repeat(500)}`, refresh_token: `refresh-${id}`, expires_at: 0 };
    store.set(id, { token_type: 'bearer', scope: 'base', expires_in: 3600, api_domain: origin, ...tokens });
  }

  const delay = monitorEventLoopDelay({ resolution: 5 });
  await new Promise(setImmediate);
  const start = performance.now();
  delay.enable();
  const all = await Promise.allSettled(
    ids.map((id) => (agent ? strategy.refresh(`refresh-${id}`) : installations.tokens(id))),
  );
  // Once around the loop, for the histogram to see the last pause as well.
  await new Promise((resolve) => setTimeout(resolve, 10));
  delay.disable();
  const refreshed = all.filter(({ status }) => status === 'fulfilled').length;
  return { refreshed, failed: count - refreshed, pause: delay.max / 1e6, time: performance.now() - start };
}

process.on('message', (order: BulkOrder) => {
  refreshAll(order).then((report) => process.send?.(report));
});
process.send?.('ready');
