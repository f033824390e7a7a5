// The two routes that every app with Passport has: one starts the sign-in, one is the callback. Both note what happened.
import { type Request, type RequestHandler, type Response, Router } from 'express';
import type { Authenticator } from 'passport';
import { InternalOAuthError, type PipedriveFailure, TokenError } from 'passport-pipedrive-oauth2';
import { Account } from '../account';
import type { Result, Run } from '../run';
import type { Visitors } from '../visitor';

const isFailure = (info: object | undefined): info is PipedriveFailure =>
  info !== undefined && 'code' in info && 'message' in info;

/** The app's own state, which came back; a string, as it was given. */
const stateOf = (value: unknown) => (typeof value === 'string' ? value : undefined);

const statusOf = (error: Error): number => ('status' in error && typeof error.status === 'number' ? error.status : 500);

/** What Passport made of the callback. `undefined` when the error is not about Pipedrive. */
function resultOf({ user, authInfo }: Request, error: unknown): Result | undefined {
  if (!error && user instanceof Account) {
    const message = `${user.profile.displayName} of ${user.profile.companyName ?? 'a company'} is signed in.`;
    return { outcome: 'success', message, state: stateOf(authInfo?.state) };
  }
  if (!(error instanceof Error)) return undefined;
  const status = statusOf(error);
  if (isFailure(authInfo)) {
    const { code, message, description, state } = authInfo;
    return { outcome: 'failure', status, code, message, description, state: stateOf(state) };
  }
  if (!(error instanceof TokenError || error instanceof InternalOAuthError)) return undefined;
  const state = 'state' in error ? stateOf(error.state) : undefined;
  const cause = error.cause instanceof Error ? error.cause.message : undefined;
  const code = error instanceof TokenError ? error.code : undefined;
  return { outcome: 'error', status, code, name: error.name, message: error.message, cause, state };
}

/** The strategy redirects on its own, to an address elsewhere; the app's own redirects are paths. */
function noteRedirect(res: Response, run: Run): void {
  res.once('finish', () => {
    const location = String(res.getHeader('location') ?? '');
    if (URL.canParse(location)) run.redirected(location);
  });
}

export function signInRoutes(passport: Pick<Authenticator, 'authenticate'>, visitors: Visitors, callbackURL: URL) {
  const authenticate = (run: Run, state: string): RequestHandler =>
    passport.authenticate(run.client.strategy, {
      state: state || undefined,
      failWithError: true,
      keepSessionInfo: true, // the session holds who the visitor is
    });

  const start: RequestHandler = (req, res, next) => {
    const visitor = visitors.of(req);
    if (!visitor.isReady) return res.redirect('/');
    const run = visitor.run?.isNew ? visitor.run : visitor.begin();
    noteRedirect(res, run);
    return authenticate(run, visitor.settings.state)(req, res, next);
  };

  const callback: RequestHandler = (req, res, next) => {
    const visitor = visitors.of(req);
    if (!visitor.isReady) return res.redirect('/');
    const run = visitor.run && !visitor.run.isOver ? visitor.run : visitor.begin();
    if (!run.calledBack(new URL(req.originalUrl, callbackURL))) return res.redirect('/flow');
    noteRedirect(res, run);
    return authenticate(run, visitor.settings.state)(req, res, (error: unknown) => {
      const result = resultOf(req, error);
      if (!result) return next(error);
      run.decided(result);
      if (run.outcome) visitor.results.set(run.outcome.id, result);
      return res.redirect(run.isOver ? '/flow' : req.originalUrl);
    });
  };

  return Router().get('/auth/pipedrive', start).get(callbackURL.pathname, callback);
}
