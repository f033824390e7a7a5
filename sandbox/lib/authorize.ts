// /oauth/authorize: the consent page, and the redirect back to the app with a code, or with `user_denied`.
import OAuth2Server from '@node-oauth/oauth2-server';
import { type Request, type RequestHandler, Router } from 'express';
import { type User, users } from './bodies';
import { createOAuthServer } from './model';
import { ownForm, page } from './pages';
import { type Params, readParams } from './params';
import type { App, Store } from './store';

const people = new Map<string, User>(Object.entries(users));

/** What a scope lets an app do, for the consent page. */
const scopeTexts: Partial<Record<string, string>> = {
  base: 'Read your name, your company and your settings',
  'deals:read': 'Read deals',
  'deals:full': 'Read and change deals',
  'users:read': 'Read the list of users',
};

/** What the consent form carries from the request to the decision. */
const forwarded = ['client_id', 'redirect_uri', 'state', 'code_challenge', 'code_challenge_method'];

type Asked = { app: App; params: Params } | { problem: string };

/** Checks who asks and where the answer would go. A request that fails here is never redirected (RFC 6749 §4.1.2.1). */
function readAuthorize(source: unknown, store: Store): Asked {
  const params = readParams(source);
  if (!params) return { problem: 'A parameter is there more than once.' };
  const app = store.apps.get(params.client_id ?? '');
  if (!app) return { problem: 'No app is registered with this client_id.' };
  if (params.redirect_uri === app.callbackURL) return { app, params };
  return { problem: 'redirect_uri must be exactly the callback URL that the app is registered with.' };
}

function callbackURL(app: App, answer: Params): string {
  const url = new URL(app.callbackURL);
  for (const [name, value] of Object.entries(answer)) if (value) url.searchParams.append(name, value);
  return url.href;
}

const problemPage = (problem: string) => page('problem', { title: 'This app cannot be connected', message: problem });

const showConsent =
  (store: Store): RequestHandler =>
  (req, res) => {
    const asked = readAuthorize(req.query, store);
    if ('problem' in asked) return res.status(400).send(problemPage(asked.problem));
    const { app, params } = asked;
    const hidden = forwarded.flatMap((name) => (params[name] ? [{ name, value: params[name] }] : []));
    const scopes = app.scopes.map((name) => ({ name, text: scopeTexts[name] ?? name }));
    return res.send(page('consent', { app, scopes, hidden, people, hasState: Boolean(params.state) }));
  };

/** Redirects back to the app with what the user decided, which `read` finds in the request. */
export function decide(store: Store, read: (req: Request) => unknown): RequestHandler {
  const server = createOAuthServer(store);

  /** Pipedrive documents no PKCE, and asks for no response_type; the library checks the one and needs the other. */
  async function authorize(req: Request, { redirect_uri, client_id, ...params }: Params, user: User): Promise<Params> {
    const { code_challenge, code_challenge_method } = params;
    const body = { client_id, redirect_uri, code_challenge, code_challenge_method, response_type: 'code' };
    const request = new OAuth2Server.Request(req);
    Object.assign(request, { body, query: {} });
    try {
      const authenticateHandler = { handle: () => user };
      const code = await server.authorize(request, new OAuth2Server.Response(), { authenticateHandler });
      return { code: code.authorizationCode };
    } catch (error) {
      if (error instanceof OAuth2Server.OAuthError) return { error: error.name };
      throw error;
    }
  }

  return async (req, res) => {
    const asked = readAuthorize(read(req), store);
    if ('problem' in asked) return res.status(400).send(problemPage(asked.problem));
    const { app, params } = asked;
    const back = (answer: Params) => res.redirect(303, callbackURL(app, { ...answer, state: params.state }));
    if (params.decision !== 'allow') return back({ error: 'user_denied' }); // `access_denied` in RFC 6749
    const user = people.get(params.user ?? 'ada');
    if (!user) return res.status(400).send(problemPage('There is no such user.'));
    return back(await authorize(req, params, user));
  };
}

export const authorizeEndpoint = (store: Store) =>
  Router()
    .get('/oauth/authorize', showConsent(store))
    .post(
      '/oauth/authorize',
      ownForm,
      decide(store, (req) => req.body),
    );
