// POST /oauth/token and POST /oauth/revoke: form-encoded, for clients that authenticate.
import OAuth2Server from '@node-oauth/oauth2-server';
import { type Request, type RequestHandler, Router } from 'express';
import { type TokenError, tokenErrors, tokenResponse } from './bodies';
import { createOAuthServer } from './model';
import { readParams } from './params';
import type { App, Store } from './store';

const invalidRequest = (message: string): TokenError => ({ success: false, message, error: 'invalid_request' });

// The library's message, and what Pipedrive says in its place. Pipedrive also differs from the library and from
// RFC 6749 §5.2 in the status, 400 for wrong client credentials too, and in having no `error_description`.
const answers: Partial<Record<string, TokenError>> = {
  'Missing parameter: `grant_type`': tokenErrors.missingGrantType,
  'Unsupported grant type: `grant_type` is invalid': tokenErrors.unsupportedGrantType,
  'Unauthorized client: `grant_type` is invalid': tokenErrors.unsupportedGrantType,
  'Invalid grant: authorization code is invalid': tokenErrors.authorizationCodeInvalid,
  'Invalid grant: authorization code has expired': tokenErrors.authorizationCodeExpired,
  'Invalid grant: refresh token is invalid': tokenErrors.refreshTokenInvalid,
  'Invalid grant: refresh token was issued to another client': tokenErrors.refreshTokenInvalid,
  'Invalid client: cannot retrieve client credentials': tokenErrors.clientNotRetrieved,
  'Invalid client: client is invalid': tokenErrors.clientInvalid,
  'Invalid request: `redirect_uri` is not a valid URI': tokenErrors.redirectUriNotValid,
  'Invalid request: `redirect_uri` is invalid': tokenErrors.redirectUriInvalid,
  'Invalid request: content must be application/x-www-form-urlencoded': tokenErrors.contentType,
};

function tokenErrorOf(error: unknown): TokenError {
  if (!(error instanceof OAuth2Server.OAuthError) || error instanceof OAuth2Server.ServerError) throw error;
  return answers[error.message] ?? { success: false, message: error.message.replaceAll('`', ''), error: error.name };
}

/** What is wrong with the request before its client and grant are looked at. */
function formProblem(req: Request): TokenError | undefined {
  if (!req.is('application/x-www-form-urlencoded')) return tokenErrors.contentType;
  const params = readParams(req.body);
  if (!params) return invalidRequest('Invalid request: a parameter is repeated');
  // RFC 6749 §2.3: a client must not use more than one way to authenticate. The library would take the first.
  const authenticatesTwice = req.get('authorization') && params.client_secret;
  return authenticatesTwice ? invalidRequest('Invalid request: more than one client authentication') : undefined;
}

const checkForm: RequestHandler = (req, res, next) => {
  const problem = formProblem(req);
  return problem ? res.status(400).json(problem) : next();
};

function appOf(req: Request, store: Store): App | undefined {
  const [, encoded = ''] = /^Basic (.+)$/i.exec(req.get('authorization') ?? '') ?? [];
  const [clientId = '', ...secret] = Buffer.from(encoded, 'base64').toString().split(':');
  const app = store.apps.get(clientId);
  return app?.clientSecret === secret.join(':') ? app : undefined;
}

function token(store: Store): RequestHandler {
  const server = createOAuthServer(store);
  return async (req, res) => {
    const request = new OAuth2Server.Request(req);
    request.query = {}; // the library would also take parameters from there
    res.set('Cache-Control', 'no-store');
    try {
      const { accessToken, refreshToken = '', client } = await server.token(request, new OAuth2Server.Response());
      const scope = store.apps.get(client.id)?.scopes.join(',');
      const apiDomain = `${req.protocol}://${req.get('host')}`;
      res.json(tokenResponse({ accessToken, refreshToken, apiDomain, scope }));
    } catch (error) {
      res.status(400).json(tokenErrorOf(error));
    }
  };
}

/** RFC 7009. The hint is not needed; a token that is unknown, or another app's, is answered like one that ended. */
const revoke =
  (store: Store): RequestHandler =>
  (req, res) => {
    const app = appOf(req, store);
    if (!app) return res.status(400).json(tokenErrors.clientInvalid);
    const { token } = readParams(req.body) ?? {};
    if (!token) return res.status(400).json(invalidRequest('Missing parameter: token'));
    const install = store.installOf(token);
    if (install?.app === app) store.uninstall(install);
    if (store.bearerOf(token)?.app === app) store.dropAccessToken(token);
    return res.status(200).end();
  };

export const exchange = (store: Store): RequestHandler[] => [checkForm, token(store)];

export const tokenEndpoints = (store: Store) =>
  Router().post('/oauth/token', exchange(store)).post('/oauth/revoke', checkForm, revoke(store));
