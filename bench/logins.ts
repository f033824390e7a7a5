// Whole redirects and logins through Express, beside passport-oauth2 and what is written by hand.
import { App, type Browsers } from './app';
import { type AppName, apps } from './contestants';
import { ratioOf, runSets, timeOf } from './runs';
import { printRatio, printRow, printTitle } from './table';

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
