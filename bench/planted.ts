// 60 kB of cookies that somebody has planted, of our names and of others'.
import { App, type Browsers } from './app';
import { WARM_LOGINS } from './runs';
import { median, printRow, printTitle } from './table';

const BYTES = 60_000;
const ROUNDS = 11;

/** CPU time of the main thread for one request of each leg, in ms. */
async function legTimes(app: App, visits: { planted?: string }): Promise<{ start: number; callback: number }> {
  const start = await app.measure('redirect', 50, visits);
  const both = await app.measure('login', 50, visits);
  return { start: start / 1000, callback: (both - start) / 1000 };
}

/** What planted cookies add to each leg, in ms: medians. */
async function added(app: App, planted: string): Promise<{ start: number; callback: number }> {
  const [start, callback]: [number[], number[]] = [[], []];
  for (let round = -2; round < ROUNDS; round += 1) {
    const without = await legTimes(app, {});
    const withPlanted = await legTimes(app, { planted });
    if (round < 0) continue;
    start.push(withPlanted.start - without.start);
    callback.push(withPlanted.callback - without.callback);
  }
  return { start: median(start), callback: median(callback) };
}

export async function measurePlanted(browsers: Browsers): Promise<void> {
  printTitle('60 kB of planted cookies, beside none; CPU time of the main thread for one request');
  const app = await App.start(browsers, { app: 'cookie store, no session middleware' }, [
    '--max-http-header-size=131072',
  ]);
  await app.measure('login', WARM_LOGINS);
  for (const [whose, planted] of Object.entries(plantedCookies(await cookieNameOf(app)))) {
    const { start, callback } = await added(app, planted);
    const { largest: redirect } = await app.visit({ task: 'redirect', count: 10, planted });
    const { largest: login } = await app.visit({ task: 'login', count: 10, planted });
    printRow(`start, cookies of ${whose}: more`, start, { unit: ' ms', digits: 2, atMost: 2 });
    printRow(`callback, cookies of ${whose}: more`, callback, { unit: ' ms', digits: 2, atMost: 2 });
    printRow(`largest response, cookies of ${whose}`, Math.max(redirect, login), { unit: ' B', atMost: 4096 });
  }
  app.stop();
}

/** The name of a flow's cookie, without its place. */
async function cookieNameOf({ origin }: App): Promise<string> {
  const response = await fetch(`${origin}/auth`, { redirect: 'manual' });
  return String(response.headers.get('set-cookie')).replace(/.=.*/, '');
}

function plantedCookies(ourName: string): Record<string, string> {
  const fill = (cookie: (index: number) => string) => {
    const cookies: string[] = [];
    for (let bytes = 0; bytes < BYTES; bytes += (cookies.at(-1)?.length ?? 0) + 2) cookies.push(cookie(cookies.length));
    return cookies.join('; ').slice(0, BYTES);
  };
  const start = Date.now().toString(36);
  const flow = (index: number) => `${start}.${String(index).padStart(8, '0')}....${'s'.repeat(43)}`;
  return {
    'our names': fill((index) => `${ourName}${(index % 16).toString(16)}=${flow(index)}`),
    'other names': fill((index) => `planted-${index}=${'x'.repeat(40)}`),
  };
}
