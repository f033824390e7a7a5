// A process with many installations in memory, all of whose tokens have expired: it wants them all at once.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { Installations } from 'passport-pipedrive-oauth2/installations';

/** What the parent is told. */
export interface BulkReport {
  refreshed: number;
  failed: number;
  /** Longest pause of the event loop, in ms. */
  pause: number;
  /** Wall time, in ms. */
  time: number;
}

async function refreshAll(origin: string, count: number): Promise<BulkReport> {
  const options = { clientID: 'client-id', clientSecret: 'secret', callbackURL: 'http://127.0.0.1/callback' };
  const strategy = new PipedriveStrategy({ ...options, tokenURL: `${origin}/oauth/token` }, (_context) => false);
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
  const all = await Promise.allSettled(ids.map((id) => installations.tokens(id)));
  // Once around the loop, for the histogram to see the last pause as well.
  await new Promise((resolve) => setTimeout(resolve, 10));
  delay.disable();
  const refreshed = all.filter(({ status }) => status === 'fulfilled').length;
  return { refreshed, failed: count - refreshed, pause: delay.max / 1e6, time: performance.now() - start };
}

process.on('message', ({ origin, count }: { origin: string; count: number }) => {
  refreshAll(origin, count).then((report) => process.send?.(report));
});
process.send?.('ready');
