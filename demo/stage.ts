// Where outcomes are played: an app with this package and one on bare passport-oauth2, each on a port of its own.
import { randomBytes } from 'node:crypto';
import type { Server } from 'node:http';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler } from 'express';
import session from 'express-session';
import { Passport } from 'passport';
import OAuth2Strategy, { type VerifyCallback } from 'passport-oauth2';
import { InternalOAuthError, TokenError } from 'passport-pipedrive-oauth2';
import type { Sandbox } from 'pipedrive-sandbox';
import { Account, Connection, type Credentials } from './connection';
import { type Outcome, type Place, Player, patience } from './outcomes';
import { Consents, Recording, record, recordRequests } from './recorder';

/** What Passport made of a callback. */
export interface Result {
  outcome: 'success' | 'failure' | 'error';
  /** What the app answers with. */
  status?: number;
  code?: string;
  message: string;
  /** What else is known, by its label. */
  more: Record<string, unknown>;
  /** Who signed in. */
  account?: Account;
}

/** What the user sees in the end, as text, and what the app's log has. */
type Ending = { status?: number; page: string; log: string };

/** A sign-in: the visitor's own, or an outcome that was played. */
export interface Flow {
  connection: Connection;
  recording: Recording;
  result?: Result;
  /** Of the visitor's own, whether the next callback with a code waits for a click. */
  pauses?: boolean;
  /** The callback that waits, as a path with its query. */
  paused?: string;
  /** Of an outcome that was played, how the app with this package ended, and maybe the one without it. */
  played?: { outcome: Outcome; ours: Ending; bare?: Ending };
}

/** `undefined` when the error is not about Pipedrive. */
export function resultOf({ user, authInfo }: Request, error?: unknown): Result | undefined {
  if (!error && user instanceof Account)
    return { outcome: 'success', message: '', more: { 'Return state': authInfo?.state }, account: user };
  if (!(error instanceof Error)) return undefined;
  const status = 'status' in error && typeof error.status === 'number' ? error.status : 500;
  if (authInfo?.message) {
    const { code, message, description, state } = authInfo;
    const more = { 'Pipedrive says': description, 'Return state': state };
    return { outcome: 'failure', status, code, message, more };
  }
  if (!(error instanceof TokenError || error instanceof InternalOAuthError)) return undefined;
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  const state = 'state' in error ? error.state : undefined;
  const code = error instanceof TokenError ? error.code : undefined;
  const more = { Class: error.name, Cause: cause, 'Return state': state };
  return { outcome: 'error', status, code, message: error.message, more };
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

/** As an app is registered in the sandbox, and the server that it is on. */
export type Registered = Credentials & Place & { server: Server };

/** What is noted while an outcome is played. */
type Notes = { recording?: Recording; result?: Result; log: string[] };

/** An app as the README has it. What happens in it is noted on the way. */
function packageApp({ strategy, uninstall, options }: Connection, notes: Notes): Express {
  const passport = new Passport().use(strategy);
  const noteSuccess: RequestHandler = (req, _res, next) => {
    notes.result = resultOf(req);
    next();
  };
  const noteProblem: ErrorRequestHandler = (error, req, _res, next) => {
    notes.result = resultOf(req, error);
    if (notes.result?.outcome !== 'failure') notes.log.push(`${error.name}: ${error.message}`);
    if (error.cause) notes.log.push(`  cause: ${error.cause.message}`);
    next(error);
  };
  const start = passport.authenticate('pipedrive', { session: false, state: '/deals' });
  const signIn = passport.authenticate('pipedrive', { session: false, failWithError: true });
  return express()
    .delete(callbackPath, express.json(), uninstall)
    .use(recordRequests(() => notes.recording, new URL(options.callbackURL).origin))
    .get('/auth/pipedrive', start)
    .get(callbackPath, signIn, noteSuccess, onSuccess)
    .get('/', (_req, res) => void res.send('Welcome'))
    .get('/deals', (_req, res) => void res.send('Your deals'))
    .use(noteProblem, onFailure, onError);
}

/** An app on bare passport-oauth2, as its README has it: with state, in a session. Express has the error pages. */
function bareApp({ clientID, clientSecret, callbackURL }: Registered, pipedrive: string, notes: Notes): Express {
  const urls = { authorizationURL: `${pipedrive}/oauth/authorize`, tokenURL: `${pipedrive}/oauth/token` };
  const verify = (_accessToken: string, _refreshToken: string, _profile: object, done: VerifyCallback) =>
    done(null, { name: 'somebody: there is no profile' });
  const strategy = new OAuth2Strategy({ clientID, clientSecret, callbackURL, ...urls, state: true }, verify);
  const signIn = new Passport().use('pipedrive', strategy).authenticate('pipedrive', { session: false });
  /** Express's own log goes to the console, of which there is one. */
  const noteError: ErrorRequestHandler = (error, _req, _res, next) => {
    notes.log.push(String(error.stack));
    next(error);
  };
  return express()
    .set('env', 'test')
    .use(session({ secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: false }))
    .get('/auth/pipedrive', signIn)
    .get(callbackPath, signIn, (_req, res) => res.redirect('/deals'))
    .get('/deals', (_req, res) => void res.send('Your deals'))
    .use(noteError);
}

/** A page or a log entry as text: the first lines, with paths from the repository on. */
function excerpt(text: string): string {
  const plain = text
    .replace(/<title>.*?<\/title>|<(?!br>)[^>]*>/gs, '')
    .replaceAll('<br>', '\n')
    .replaceAll('&nbsp;', ' ');
  const lines = plain.replaceAll(`${process.cwd()}/`, '').trim().split('\n');
  return [...lines.slice(0, 2), ...(lines.length > 2 ? ['    …'] : [])].join('\n');
}

/** Milliseconds for each request to Pipedrive. */
const timeout = 1_000;

export type Stage = ReturnType<typeof createStage>;

export function createStage(sandbox: Sandbox, { server, ...registered }: Registered, bare: Registered) {
  const { origin: authorizationServer } = sandbox;
  const { clientID, callbackURL } = registered;
  const consents = new Consents(sandbox);
  const connection = new Connection({ ...registered, timeout, authorizationServer });
  const notes: Notes = { log: [] };
  const bareNotes: Notes = { log: [] };
  server.on('request', packageApp(connection, notes));
  bare.server.on('request', bareApp(bare, authorizationServer, bareNotes));

  async function playWithPackage(outcome: Outcome) {
    const recording = new Recording();
    Object.assign(notes, { recording, result: undefined, log: [] });
    const player = new Player(sandbox, registered, {
      onConsent: (state, callback) => consents.record(recording, clientID, state, callback),
      exchange: (callback) => record(recording, () => connection.strategy.exchange(callback)),
    });
    await outcome.play(player);
    const { result, log } = notes;
    if (!result) throw new Error(`The outcome "${outcome.id}" came to no end`);
    result.status ??= recording.exchanges.findLast(({ url }) => url.startsWith(callbackURL))?.response?.status;
    return {
      connection,
      recording,
      result,
      ours: { status: result.status, page: player.page.text, log: log.join('\n') },
    };
  }

  async function playBare(outcome: Outcome): Promise<Ending> {
    bareNotes.log = [];
    const player = new Player(sandbox, bare);
    await outcome.play(player);
    const { status, text } = player.page;
    const page = status === undefined ? `No response. The browser was closed after ${patience / 1000} s.` : text;
    return { status, page: excerpt(page), log: excerpt(bareNotes.log.join('\n')) };
  }

  async function playBoth(outcome: Outcome) {
    const [endpoint, fault] = outcome.fault ?? [];
    if (endpoint && fault) sandbox.fail(endpoint, fault);
    try {
      const bare = outcome.isCompared ? playBare(outcome) : undefined;
      const [{ ours, ...flow }, compared] = await Promise.all([playWithPackage(outcome), bare]);
      return { ...flow, played: { outcome, ours, bare: compared } };
    } finally {
      if (endpoint) sandbox.fail(endpoint, null);
    }
  }

  let last: Promise<unknown> = Promise.resolve();

  /** One outcome after the other: faults are the sandbox's, and so is its clock. */
  function play(outcome: Outcome): Promise<Flow & { result: Result }> {
    const played = last.then(() => playBoth(outcome));
    last = played.catch(() => {});
    return played;
  }

  return { sandbox, consents, connection, play };
}
