// What logins leave behind: connections, memory, state in the browser and in the session, operations of the session store.
import { App, type Browsers } from './app';
import { appOf, listen, type StrategyName, sessionStore, strategyOf } from './contestants';
import { WARM_LOGINS } from './runs';
import { printRow, printTitle } from './table';

export async function measureKept(browsers: Browsers): Promise<void> {
  printTitle('What logins leave behind');
  for (const app of ['session store', 'cookie store, no session middleware', 'passport-oauth2'] as const) {
    const isOurs = app !== 'passport-oauth2';
    const running = await App.start(browsers, { app }, ['--expose-gc']);
    await running.measure('login', WARM_LOGINS);
    // Opens more connections than ten at once can need.
    await running.visit({ task: 'login', count: 1_000, atOnce: 20 });
    const { connections } = await running.visit({ task: 'login', count: 1_000, atOnce: 10 });
    printRow(`new connections in 1,000 warm logins: ${app}`, connections, isOurs ? { exactly: 0 } : {});
    const before = await running.ask('heap');
    await running.visit({ task: 'login', count: 20_000, atOnce: 10 });
    const kept = ((await running.ask('heap')) - before) / 20_000;
    printRow(`heap kept for a login, over 20,000: ${app}`, kept, isOurs ? { unit: ' B', atMost: 11 } : { unit: ' B' });
    running.stop();
  }
}

/** The state of one browser that starts a sign-in again and again. */
export async function measureState(browsers: Browsers): Promise<void> {
  printTitle('State of one browser that starts again and again');
  for (const name of ['session store', 'cookie store'] as const) {
    const { origin, close } = await serve(name, browsers);
    const jar = new Map<string, string>();
    const bytes: number[] = [];
    for (let starts = 1; starts <= 1_000; starts += 1) {
      await get(`${origin}/auth`, jar);
      if (starts === 10 || starts === 1_000)
        bytes.push(name === 'session store' ? await sessionBytes() : cookieOf(jar).length);
    }
    const [after10 = 0, after1000 = 0] = bytes;
    printRow(`after 10 starts: ${name}`, after10, { unit: ' B' });
    printRow(`after 1,000 starts: ${name}`, after1000, { unit: ' B', exactly: after10 });
    close();
  }
}

/** What saving the session before the redirect and before the exchange costs in a session that users sign in to. */
export async function countStoreOperations(browsers: Browsers): Promise<void> {
  printTitle('Operations of the session store for a redirect and a login, with the user signed in to the session');
  for (const name of ['session store', 'cookie store', 'passport-oauth2'] as const) {
    const { origin, close } = await serve(name, browsers, { logsIn: true });
    const jar = new Map<string, string>();
    const counts = countOperations();
    const { location } = await get(`${origin}/auth`, jar);
    const redirect = counts();
    const state = new URL(location).searchParams.get('state');
    const { status } = await get(`${origin}/callback?code=a-code&state=${state}`, jar);
    if (status !== 204) throw new Error(`A login ended in ${status}`);
    printRow(`redirect: ${name}: ${redirect.text}`, redirect.total);
    const login = counts();
    printRow(`login: ${name}: ${login.text}`, login.total);
    close();
  }
}

async function serve(name: StrategyName, { pipedrive }: Browsers, { logsIn = false } = {}) {
  sessionStore.clear();
  return listen(appOf(strategyOf(name, pipedrive.origin), { sessions: true, logsIn }));
}

const cookieOf = (jar: Map<string, string>) => Array.from(jar, ([name, value]) => `${name}=${value}`).join('; ');

/** A request of a browser that keeps its cookies in this jar. */
async function get(url: string, jar: Map<string, string>): Promise<{ status: number; location: string }> {
  const { status, headers } = await fetch(url, { redirect: 'manual', headers: { cookie: cookieOf(jar) } });
  for (const line of headers.getSetCookie()) {
    const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/Max-Age=0/.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
  return { status, location: headers.get('location') ?? '' };
}

/** Bytes of the only session. */
function sessionBytes(): Promise<number> {
  return new Promise((resolve, reject) =>
    sessionStore.all((error, sessions) => {
      if (error) reject(error);
      else resolve(JSON.stringify(Object.values(sessions ?? {})).length);
    }),
  );
}

const OPERATIONS = ['get', 'set', 'touch', 'destroy'] as const;

/** Counts the operations of the store from now on. Yields those since the last time. */
function countOperations(): () => { text: string; total: number } {
  let done: string[] = [];
  for (const name of OPERATIONS) {
    const operation: (...args: unknown[]) => unknown = Reflect.get(Object.getPrototypeOf(sessionStore), name);
    Reflect.set(sessionStore, name, (...args: unknown[]) => {
      done.push(name);
      return Reflect.apply(operation, sessionStore, args);
    });
  }
  return () => {
    const counted = { text: done.join(', ') || 'none', total: done.length };
    done = [];
    return counted;
  };
}
