// Whole redirects and logins through Express, beside passport-oauth2 and what is written by hand.
import { App, type Browsers } from './app';
import { type AppName, apps } from './contestants';
import { ratioOf, runSets, timeOf, WARM_LOGINS } from './runs';
import { median, printRatio, printRow, printTitle } from './table';

/** `[ours, theirs, at most for a redirect, at most for a login]` */
const comparisons: [AppName, AppName, number?, number?][] = [
  ['session store', 'passport-oauth2', 1.02, 1],
  ['cookie store beside sessions', 'passport-oauth2', 1.03, 1.08],
  ['cookie store, no session middleware', 'passport-oauth2', 0.9, 0.93],
  ['session store', 'floor, session'],
  ['cookie store, no session middleware', 'floor, cookie'],
];

export async function compareLogins(browsers: Browsers): Promise<void> {
  printTitle(
    'Whole requests through Express; CPU time of the main thread; passport-oauth2 with sessions, which it needs',
  );
  const names = Object.keys(apps) as AppName[];
  const runs = await runSets(names, (app) => App.start(browsers, { app }), { redirect: 600, login: 300 });
  for (const task of ['redirect', 'login'] as const) {
    const passport = timeOf(runs[task]['passport-oauth2']);
    printRow(`${task}: passport-oauth2`, passport, { unit: ' µs' });
    for (const [ours, theirs, redirect, login] of comparisons) {
      const target = task === 'redirect' ? redirect : login;
      printRatio(`${task}: ${ours} / ${theirs}`, ratioOf(runs[task][ours], runs[task][theirs]), target);
    }
  }
}

/** Users of a thousand companies, each with a host of its own, beside users of one company. */
export async function compareHosts(browsers: Browsers): Promise<void> {
  const { tls } = browsers.pipedrive;
  printTitle('Companies on hosts of their own, over TLS');
  if (!tls) return console.log('  not measured: there is no openssl');
  const app = await App.start(browsers, {
    app: 'cookie store, no session middleware',
    pipedrive: 'https://oauth.pipedrive.com',
    tls,
  });
  await app.measure('login', WARM_LOGINS);
  const one = await app.measure('login', 1_000);
  const before = await app.ask('connections');
  const many = await app.measure('login', 1_000, { companies: 1_000 });
  const connections = (await app.ask('connections')) - before;
  app.stop();
  printRow('login: one company', one, { unit: ' µs' });
  printRow('login: 1,000 companies, which come once each', many, { unit: ' µs' });
  printRow('new connections in these 1,000 logins', connections);
}

/** 60 kB of cookies that somebody has planted, of our names and of others'. */
export async function measurePlanted(browsers: Browsers): Promise<void> {
  printTitle('60 kB of planted cookies, beside none; CPU time of the main thread for one request');
  const app = await App.start(browsers, { app: 'cookie store, no session middleware' }, [
    '--max-http-header-size=131072',
  ]);
  await app.measure('login', WARM_LOGINS);
  for (const [whose, planted] of Object.entries(plantedCookies(await cookieNameOf(app)))) {
    const more: Record<'start' | 'callback', number[]> = { start: [], callback: [] };
    let largest = 0;
    for (let round = -2; round < 11; round += 1) {
      const cost = async (visits: { planted?: string }) => {
        const redirect = await app.measure('redirect', 50, visits);
        return { start: redirect, callback: (await app.measure('login', 50, visits)) - redirect };
      };
      const [without, withPlanted] = [await cost({}), await cost({ planted })];
      if (round < 0) continue;
      for (const leg of ['start', 'callback'] as const) more[leg].push((withPlanted[leg] - without[leg]) / 1000);
    }
    for (const task of ['redirect', 'login'] as const) {
      largest = Math.max(largest, (await app.visit({ task, count: 10, planted })).largest);
    }
    printRow(`start, cookies of ${whose}: more`, median(more.start), { unit: ' ms', digits: 2, atMost: 2 });
    printRow(`callback, cookies of ${whose}: more`, median(more.callback), { unit: ' ms', digits: 2, atMost: 2 });
    printRow(`largest response, cookies of ${whose}`, largest, { unit: ' B', atMost: 4096 });
  }
  app.stop();
}

/** The name of a flow's cookie, without its place. */
async function cookieNameOf({ origin }: App): Promise<string> {
  const response = await fetch(`${origin}/auth`, { redirect: 'manual' });
  return String(response.headers.get('set-cookie')).replace(/.=.*/, '');
}

function plantedCookies(ourName: string): Record<string, string> {
  const BYTES = 60_000;
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
