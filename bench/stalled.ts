// A thousand logins at once, and a Pipedrive that never answers.
import { once } from 'node:events';
import { App, type Browsers } from './app';
import type { VisitsDone } from './browsers-process';
import { WARM_LOGINS } from './runs';
import { printRow, printTitle } from './table';

const LOGINS = 1_000;

/** The option `timeout`, in ms. */
const TIMEOUT = 4_000;

export async function measureStalled(browsers: Browsers): Promise<void> {
  printTitle(`${LOGINS} logins at once on a silent upstream, timeout ${TIMEOUT} ms`);
  const settings = { app: 'cookie store, no session middleware', timeout: TIMEOUT } as const;
  const app = await App.start(browsers, settings, ['--expose-gc']);
  await app.measure('login', WARM_LOGINS);
  const visits = { origin: app.origin, task: 'login', count: LOGINS, atOnce: LOGINS };
  await app.visit({ ...visits, task: 'login' }); // what a thousand connections leave behind in any case
  const before = await app.ask('memory');

  browsers.child.send({ ...visits, isSilent: true });
  await once(browsers.child, 'message');
  const waiting = await app.ask('memory');
  await app.ask('pause');
  const start = performance.now();
  const [done]: VisitsDone[] = await once(browsers.child, 'message');
  const time = performance.now() - start;
  const pause = await app.ask('pause');
  if (!done) return;
  // The connections of the browsers are closed.
  await new Promise((resolve) => setTimeout(resolve, 500));
  const after = await app.ask('memory');
  app.stop();

  printRow('logins that ended in 504', done.statuses[504] ?? 0, { exactly: LOGINS });
  printRow('the last of them, after its timeout', time - TIMEOUT, { unit: ' ms', atMost: 1_000 });
  printRow('longest pause of the event loop, when they time out', pause, { unit: ' ms', atMost: 100 });
  printRow('memory of a login while it waits', (waiting - before) / LOGINS / 1000, {
    unit: ' kB',
    digits: 1,
    atMost: 20,
  });
  printRow('memory of a login after it, 0 is all returned', (after - before) / LOGINS / 1000, {
    unit: ' kB',
    digits: 1,
    atMost: 0.1,
  });
}
