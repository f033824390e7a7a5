// The apps that the benchmark compares. Each has the routes /auth and /callback, and differs in what signs users in.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import express, { type Express, type Request, type RequestHandler } from 'express';
import session from 'express-session';
import { Passport, Strategy } from 'passport';
import { Strategy as GoogleStrategy } from 'passport-google-oauth20';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import { PipedriveStrategy, SessionStateStore } from 'passport-pipedrive-oauth2';
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

/** Where the sessions of all apps are: in memory, as a small app has them. */
export const sessionStore = new session.MemoryStore();

const sessions = (): RequestHandler =>
  session({ secret: 'bench', resave: false, saveUninitialized: false, store: sessionStore });

function appWith(strategy: Strategy, before: RequestHandler[] = []): Express {
  const passport = new Passport();
  passport.use('pipedrive', strategy);
  const authenticate = passport.authenticate('pipedrive', { session: false });
  const app = express();
  for (const handler of before) app.use(handler);
  app.get('/auth', authenticate);
  app.get('/callback', authenticate, (_req, res) => void res.status(204).end());
  return app;
}

/** The limit: no Passport at all. */
function handlers(client: Client): Express {
  const app = express();
  app.get('/auth', (req, res) => res.redirect(authorizeURL(client, cookieFlows.begin(req))));
  app.get('/callback', async (req, res) => {
    const { code, state } = req.query;
    if (!cookieFlows.isMine(req, String(state))) return void res.status(403).end();
    await signIn(client, String(code));
    res.status(204).end();
  });
  return app;
}

const verify = (_token: string, _refresh: string, { id }: { id: string }, done: (error: null, user: object) => void) =>
  done(null, { id });

/** The apps by name, for a Pipedrive at this origin. */
export function contestants(pipedrive: string) {
  const client = {
    clientID: 'client-id',
    clientSecret: 'client-secret',
    callbackURL: 'http://127.0.0.1/callback',
    authorizationURL: `${pipedrive}/oauth/authorize`,
    tokenURL: `${pipedrive}/oauth/token`,
  };
  const userProfileURL = `${pipedrive}/api/v1/users/me`;
  return {
    'cookie store': appWith(new PipedriveStrategy(client, verify)),
    'session store': appWith(new PipedriveStrategy({ ...client, store: new SessionStateStore() }, verify), [
      sessions(),
    ]),
    'passport-oauth2': appWith(new ByConfiguration({ ...client, state: true }, verify), [sessions()]),
    'passport-google-oauth20': appWith(new GoogleStrategy({ ...client, userProfileURL, state: true }, verify), [
      sessions(),
    ]),
    'floor, cookie': appWith(new Floor(client, cookieFlows)),
    'floor, session': appWith(new Floor(client, sessionFlows), [sessions()]),
    'bare handlers': handlers(client),
  };
}

export type Name = keyof ReturnType<typeof contestants>;

/** Starts an app on a free port, and yields its origin. */
export async function listen(app: Express): Promise<string> {
  const server = createServer(app).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
