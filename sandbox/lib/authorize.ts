// /oauth/authorize: the consent page, and the redirect back to the app with a code, or with `user_denied`.
import OAuth2Server from '@node-oauth/oauth2-server';
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { createOAuthServer } from './model';
import type { App } from './options';
import { ownForm, page, problemPage } from './pages';
import { type Params, readParams } from './params';
import type { Store } from './store';
import type { SandboxUser } from './users';

/** What a scope lets an app do, for the consent page. */
const scopeTexts: Partial<Record<string, string>> = {
  base: 'Read your name, your company and your settings',
  'deals:read': 'Read deals',
  'deals:full': 'Read and change deals',
  'users:read': 'Read the list of users',
};

/** What the consent form carries from the request to the decision. */
const forwarded = ['client_id', 'redirect_uri', 'state', 'code_challenge', 'code_challenge_method'];

/** A request that the user may decide on, or what is wrong with it. */
type AuthorizeRequest = { app: App; params: Params } | { problem: string };

/** Scopes belong to the app's registration: Pipedrive ignores a scope, but refuses an empty one. */
const hasEmptyScope = (source: unknown): boolean =>
  typeof source === 'object' && source !== null && 'scope' in source && source.scope === '';

/** Checks which app it is and where the browser would go. A request that fails here is never redirected (RFC 6749 §4.1.2.1). */
function readAuthorize(source: unknown, store: Store): AuthorizeRequest {
  const params = readParams(source);
  if (!params) return { problem: 'A parameter is repeated.' };
  if (hasEmptyScope(source)) return { problem: 'scope must not be empty.' };
  const app = store.apps.get(params.client_id ?? '');
  if (!app) return { problem: 'No app is registered with this client_id.' };
  if (params.redirect_uri === app.callbackURL) return { app, params };
  return { problem: 'redirect_uri must be exactly the callback URL that the app is registered with.' };
}

function callbackURLWith(app: App, params: Params): string {
  const url = new URL(app.callbackURL);
  for (const [name, value] of Object.entries(params)) if (value) url.searchParams.append(name, value);
  return url.href;
}

/** A page for people; for programs, which ask for it, JSON. */
function sendProblem(req: Request, res: Response, problem: string): void {
  res.status(400);
  if (req.accepts(['html', 'json']) === 'json') res.json({ success: false, message: problem });
  else res.send(problemPage('This app cannot be installed', problem));
}

const showConsent =
  (store: Store): RequestHandler =>
  (req, res) => {
    const request = readAuthorize(req.query, store);
    if ('problem' in request) return sendProblem(req, res, request.problem);
    const { app, params } = request;
    const hidden = forwarded.flatMap((name) => (params[name] ? [{ name, value: params[name] }] : []));
    const scopes = app.scopes.map((name) => ({ name, text: scopeTexts[name] ?? name }));
    const people = store.people.choices;
    res.send(page('consent', { app, scopes, hidden, people, hasState: Boolean(params.state) }));
  };

/** Redirects back to the app with what the user decided. */
function decide(store: Store): RequestHandler {
  const server = createOAuthServer(store);

  /** Pipedrive documents no PKCE, and asks for no response_type; the library checks the one and needs the other. */
  async function authorize(
    req: Request,
    { redirect_uri, client_id, ...params }: Params,
    user: SandboxUser,
  ): Promise<Params> {
    const { code_challenge, code_challenge_method } = params;
    const body = { client_id, redirect_uri, code_challenge, code_challenge_method, response_type: 'code' };
    const libraryRequest = new OAuth2Server.Request(req);
    Object.assign(libraryRequest, { body, query: {} });
    try {
      const authenticateHandler = { handle: () => user };
      const code = await server.authorize(libraryRequest, new OAuth2Server.Response(), { authenticateHandler });
      return { code: code.authorizationCode };
    } catch (error) {
      if (error instanceof OAuth2Server.OAuthError) return { error: error.name };
      throw error;
    }
  }

  return async (req, res) => {
    const request = readAuthorize(req.body, store);
    if ('problem' in request) return sendProblem(req, res, request.problem);
    const { app, params } = request;
    const redirect = (result: Params) => res.redirect(303, callbackURLWith(app, { ...result, state: params.state }));
    if (params.decision !== 'allow') return redirect({ error: 'user_denied' }); // `access_denied` in RFC 6749
    const [first] = store.people.choices.values();
    const user = params.user ? store.people.choices.get(params.user) : first;
    if (!user) return sendProblem(req, res, 'There is no such user.');
    return redirect(await authorize(req, params, user));
  };
}

export const authorizeEndpoint = (store: Store, fault: RequestHandler) =>
  Router()
    .all('/oauth/authorize', fault)
    .get('/oauth/authorize', showConsent(store))
    .post('/oauth/authorize', ownForm, decide(store));
