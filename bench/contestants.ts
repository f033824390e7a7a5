// Who is compared: strategies that sign users in, in apps that are the same but for the strategy.
import { once } from 'node:events';
import { type Agent, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type Request } from 'express';
import session from 'express-session';
import { Passport, Strategy } from 'passport';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import { CookieStateStore, PipedriveStrategy, SessionStateStore } from 'passport-pipedrive-oauth2';
import { authorizeURL, type Client, cookieFlows, type Flows, sessionFlows, signIn } from './by-hand';

/** passport-oauth2, configured as an app would, with the profile request that the app has to write. */
class ByConfiguration extends OAuth2Strategy {
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

/** The floor for any strategy: the same work, written by hand for this one case. */
class Floor extends Strategy {
  constructor(
    private readonly client: Client,
    private readonly flows: Flows,
  ) {
    super();
  }

  override authenticate(req: Request): void {
    const { code, state } = req.query;
    if (typeof code !== 'string') return this.redirect(authorizeURL(this.client, this.flows.begin(req)));
    if (!this.flows.isMine(req, String(state))) return this.fail({ message: 'no flow' }, 403);
    signIn(this.client, code).then(
      (user) => this.success(user),
      (error) => this.error(error),
    );
  }
}

const verify = (_token: string, _refresh: string, { id }: { id: string }, done: (error: null, user: object) => void) =>
  done(null, { id });

const strategies = {
  'session store': (client) => new PipedriveStrategy({ ...client, store: new SessionStateStore() }, verify),
  'cookie store': (client) => new PipedriveStrategy({ ...client, store: new CookieStateStore() }, verify),
  'passport-oauth2': (client) => new ByConfiguration({ ...client, state: true }, verify),
  'floor, session': (client) => new Floor(client, sessionFlows),
  'floor, cookie': (client) => new Floor(client, cookieFlows),
} satisfies Record<string, (client: Client & Settings) => Strategy>;

interface Settings {
  timeout?: number;
  agent?: Agent;
}

export type StrategyName = keyof typeof strategies;

/** Each app: its strategy, and whether it has sessions. Without `state` in a session passport-oauth2 does not work. */
export const apps = {
  'session store': { strategy: 'session store', sessions: true },
  'cookie store beside sessions': { strategy: 'cookie store', sessions: true },
  'cookie store, no session middleware': { strategy: 'cookie store', sessions: false },
  'passport-oauth2': { strategy: 'passport-oauth2', sessions: true },
  'floor, session': { strategy: 'floor, session', sessions: true },
  'floor, cookie': { strategy: 'floor, cookie', sessions: false },
} satisfies Record<string, { strategy: StrategyName; sessions: boolean }>;

export type AppName = keyof typeof apps;

/** A strategy for a Pipedrive at this origin. */
export function strategyOf(name: StrategyName, pipedrive: string, settings: Settings = {}) {
  return strategies[name]({
    clientID: 'client-id',
    clientSecret: 'client-secret',
    callbackURL: 'http://127.0.0.1/callback',
    authorizationURL: `${pipedrive}/oauth/authorize`,
    tokenURL: `${pipedrive}/oauth/token`,
    ...settings,
  });
}

/** Passport's middleware for both legs. With `logsIn` the user stays signed in, in the session. */
export function handlerOf(strategy: Strategy, { logsIn = false } = {}) {
  const passport = new Passport();
  passport.use('pipedrive', strategy);
  passport.serializeUser((user, done) => done(null, user));
  return passport.authenticate('pipedrive', { session: logsIn });
}

/** Sessions in memory, as a small app has them. */
export const sessionStore = new session.MemoryStore();

/** An app with the routes `/auth` and `/callback`. */
export function appOf(strategy: Strategy, { sessions, logsIn }: { sessions: boolean; logsIn?: boolean }): Express {
  const app = express();
  if (sessions) app.use(session({ secret: 'bench', resave: false, saveUninitialized: false, store: sessionStore }));
  const handler = handlerOf(strategy, { logsIn });
  app.get('/auth', handler);
  app.get('/callback', handler, (_req, res) => void res.status(204).end());
  app.use(answerError);
  return app;
}

/** Express's own prints the error, too. */
const answerError: ErrorRequestHandler = ({ status = 500 }, _req, res, _next) => void res.status(status).end();

/** Starts an app on a free port. */
export async function listen(app: Express): Promise<{ origin: string; close: () => void }> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
