// The two apps that outcomes are played with: one with this package, and one on bare passport-oauth2.
import { randomBytes } from 'node:crypto';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import OAuth2Strategy, { type VerifyCallback } from 'passport-oauth2';
import { InternalOAuthError, type PipedriveFailure, TokenError } from 'passport-pipedrive-oauth2';
import { Account, type Connection, type Credentials } from './connection';
import { type Recording, recordRequests } from './recorder';

/** What Passport made of a callback. */
export interface Result {
  outcome: 'success' | 'failure' | 'error';
  /** What the app answers with. */
  status?: number;
  code?: string;
  /** Class of an error. */
  name?: string;
  message: string;
  /** Of an error, for the operator. */
  cause?: string;
  /** Pipedrive's text. */
  description?: string;
  /** The return state: what the app gave to `authenticate`, back again. */
  returnState?: string;
  /** Who signed in. */
  account?: Account;
}

const isFailure = (info: object | undefined): info is PipedriveFailure =>
  info !== undefined && 'code' in info && 'message' in info;

const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);

const statusOf = (error: Error): number => ('status' in error && typeof error.status === 'number' ? error.status : 500);

/** `undefined` when the error is not about Pipedrive. */
export function resultOf({ user, authInfo }: Request, error?: unknown): Result | undefined {
  if (!error && user instanceof Account) {
    return { outcome: 'success', message: '', returnState: textOf(authInfo?.state), account: user };
  }
  if (!(error instanceof Error)) return undefined;
  const status = statusOf(error);
  if (isFailure(authInfo)) {
    const { code, message, description, state } = authInfo;
    return { outcome: 'failure', status, code, message, description, returnState: textOf(state) };
  }
  if (!(error instanceof TokenError || error instanceof InternalOAuthError)) return undefined;
  const returnState = 'state' in error ? textOf(error.state) : undefined;
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  const code = error instanceof TokenError ? error.code : undefined;
  return { outcome: 'error', status, code, name: error.name, message: error.message, cause, returnState };
}

/** What is noted while an outcome is played. */
export interface Notes {
  recording?: Recording;
  result?: Result;
  log: string[];
}

const callbackPath = '/auth/pipedrive/callback';

// lines: success
const onSuccess: RequestHandler = (req, res) => {
  res.redirect(String(req.authInfo?.state ?? '/')); // '/deals'
};

// lines: failure
const onFailure: ErrorRequestHandler = (error, req, res, next) => {
  if (!req.authInfo) return next(error); // not a failure
  return res.status(error.status).send(req.authInfo.message);
};

// lines: error
const onError: ErrorRequestHandler = (error, _req, res, _next) => {
  res.status(error.status ?? 500).send('We cannot reach Pipedrive. Please try again later.');
};

/** An app as the README has it. What happens in it is noted on the way. */
export function packageApp({ strategy, uninstall }: Connection, origin: string, notes: Notes): Express {
  const passport = new Passport();
  passport.use(strategy);
  const noteSuccess: RequestHandler = (req, _res, next) => {
    notes.result = resultOf(req);
    next();
  };
  const noteProblem: ErrorRequestHandler = (error, req, _res, next) => {
    notes.result = resultOf(req, error);
    if (notes.result?.outcome !== 'failure')
      notes.log.push(`${error.name}: ${error.message}`, ...(error.cause ? [`  cause: ${error.cause.message}`] : []));
    next(error);
  };
  return express()
    .delete(callbackPath, express.json(), uninstall)
    .use(recordRequests(() => notes.recording, origin))
    .get('/auth/pipedrive', passport.authenticate('pipedrive', { session: false, state: '/deals' }))
    .get(
      callbackPath,
      passport.authenticate('pipedrive', { session: false, failWithError: true }),
      noteSuccess,
      onSuccess,
    )
    .get('/deals', (_req, res) => void res.send('Your deals'))
    .use(noteProblem, onFailure, onError);
}

/** An app on bare passport-oauth2, as its README has it: with state, in a session. Express has the error pages. */
export function bareApp(
  { clientID, clientSecret, callbackURL }: Credentials & { callbackURL: string },
  pipedrive: string,
) {
  const app = express();
  const notes: Notes = { log: [] };
  const passport = new Passport();
  const urls = { authorizationURL: `${pipedrive}/oauth/authorize`, tokenURL: `${pipedrive}/oauth/token` };
  const verify = (_accessToken: string, _refreshToken: string, _profile: object, done: VerifyCallback) =>
    done(null, { name: 'somebody: there is no profile' });
  passport.use('pipedrive', new OAuth2Strategy({ clientID, clientSecret, callbackURL, ...urls, state: true }, verify));
  passport.serializeUser((user, done) => done(null, user));
  passport.deserializeUser((user: object, done) => done(null, user));

  /** Express's own log goes to the console, of which there is one. */
  const noteError: ErrorRequestHandler = (error, _req, _res, next) => {
    notes.log.push(String(error.stack));
    next(error);
  };
  app.set('env', 'test');
  app.use(session({ secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: false }));
  app.get('/auth/pipedrive', passport.authenticate('pipedrive'));
  app.get(callbackPath, passport.authenticate('pipedrive'), (_req, res) => res.redirect('/deals'));
  app.get('/deals', (_req, res) => void res.send('Your deals'));
  app.use(noteError);
  return { app, notes };
}
