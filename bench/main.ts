// `npm run bench`: CPU time of the redirect and of a whole login in an Express app, beside passport-oauth2's, in
// interleaved rounds. passport-oauth2 needs a session for its state, so its app has one in memory.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express, { type RequestHandler } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import { PipedriveStrategy, SessionStateStore } from 'passport-pipedrive-oauth2';
import type { Order } from './driver';

const rounds = 15;
const perRound = { redirect: 1_000, login: 300 };

/** passport-oauth2 with the profile request that an app would write. */
class Plain extends OAuth2Strategy {
  override userProfile(accessToken: string, done: (error?: unknown, profile?: unknown) => void): void {
    this._oauth2.useAuthorizationHeaderforGET(true);
    const url = new URL('/api/v1/users/me', this._oauth2.getAuthorizeUrl()).href;
    this._oauth2.get(url, accessToken, (error, body) => {
      if (error) return done(error);
      const { data } = JSON.parse(String(body));
      done(null, { id: `${data.company_id}:${data.id}`, displayName: data.name, _raw: body, _json: data });
    });
  }
}

/** Sessions in memory, as a small app has them. */
const sessions = (): RequestHandler => session({ secret: 'bench', resave: false, saveUninitialized: false });

async function startApp(strategy: OAuth2Strategy, before: RequestHandler[]): Promise<string> {
  const passport = new Passport();
  passport.use('pipedrive', strategy);
  const authenticate = passport.authenticate('pipedrive', { session: false });
  const app = express();
  for (const handler of before) app.use(handler);
  app.get('/auth', authenticate);
  app.get('/callback', authenticate, (_req, res) => void res.status(204).end());
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startApps(pipedrive: string): Promise<[name: string, origin: string][]> {
  const options = {
    clientID: 'client-id',
    clientSecret: 'client-secret',
    callbackURL: 'http://127.0.0.1/callback',
    authorizationURL: `${pipedrive}/oauth/authorize`,
    tokenURL: `${pipedrive}/oauth/token`,
  };
  const verify = (
    _token: string,
    _refresh: string,
    { id }: { id: string },
    done: (error: null, user: object) => void,
  ) => done(null, { id });
  return [
    ['passport-oauth2', await startApp(new Plain({ ...options, state: true }, verify), [sessions()])],
    ['cookie store', await startApp(new PipedriveStrategy(options, verify), [])],
    [
      'session store',
      await startApp(new PipedriveStrategy({ ...options, store: new SessionStateStore() }, verify), [sessions()]),
    ],
  ];
}

async function main(): Promise<void> {
  const driver = fork(join(__dirname, 'driver.ts'));
  const [port] = await once(driver, 'message');
  const apps = await startApps(`http://127.0.0.1:${port}`);

  for (const task of ['redirect', 'login'] as const) {
    const count = perRound[task];
    const spent = new Map<string, number[]>(apps.map(([name]) => [name, []]));
    for (let round = -2; round < rounds; round += 1) {
      for (const [name, origin] of apps) {
        const start = process.cpuUsage();
        driver.send({ origin, task, count } satisfies Order);
        await once(driver, 'message');
        const { user, system } = process.cpuUsage(start);
        if (round >= 0) spent.get(name)?.push((user + system) / count); // the first two rounds warm up
      }
    }
    const median = (name: string) => spent.get(name)?.sort((a, b) => a - b)[(rounds - 1) / 2] ?? Number.NaN;
    for (const [name] of apps) {
      const ratio = median(name) / median('passport-oauth2');
      console.log(
        `${task.padEnd(9)} ${name.padEnd(16)} ${median(name).toFixed(0).padStart(6)} µs CPU  ${ratio.toFixed(2)}`,
      );
    }
  }
  driver.kill();
  process.exit();
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
