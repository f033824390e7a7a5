// POST /oauth/token and POST /oauth/revoke: form-encoded, for clients that authenticate.
import OAuth2Server from '@node-oauth/oauth2-server';
import { type Request, type RequestHandler, Router } from 'express';
import { type TokenError, tokenErrors, tokenResponse } from './bodies';
import { createOAuthServer } from './model';
import type { App } from './options';
import { readParams } from './params';
import type { Store } from './store';

const invalidRequest = (message: string): TokenError => ({ success: false, message, error: 'invalid_request' });

// The library's messages, and Pipedrive's in their place. Pipedrive also differs from the library and from
// RFC 6749 §5.2 in the status, 400 for wrong client credentials too, and in having no `error_description`.
const translations: Partial<Record<string, TokenError>> = {
  'Missing parameter: `grant_type`': tokenErrors.missingGrantType,
  'Unsupported grant type: `grant_type` is invalid': tokenErrors.unsupportedGrantType,
  'Unauthorized client: `grant_type` is invalid': tokenErrors.unsupportedGrantType,
  'Invalid grant: authorization code is invalid': tokenErrors.authorizationCodeInvalid,
  'Invalid grant: authorization code has expired': tokenErrors.authorizationCodeExpired,
  'Invalid grant: refresh token is invalid': tokenErrors.refreshTokenInvalid,
  'Invalid grant: refresh token is invalid or could not be revoked': tokenErrors.refreshTokenInvalid,
  'Invalid grant: refresh token was issued to another client': tokenErrors.refreshTokenInvalid,
  'Invalid client: cannot retrieve client credentials': tokenErrors.clientNotRetrieved,
  'Invalid client: client is invalid': tokenErrors.clientInvalid,
  'Invalid request: `redirect_uri` is not a valid URI': tokenErrors.redirectUriNotValid,
  'Invalid request: `redirect_uri` is invalid': tokenErrors.redirectUriInvalid,
  'Invalid request: content must be application/x-www-form-urlencoded': tokenErrors.contentType,
};

function readTokenError(error: unknown): TokenError {
  if (!(error instanceof OAuth2Server.OAuthError) || error instanceof OAuth2Server.ServerError) throw error;
  return (
    translations[error.message] ?? { success: false, message: error.message.replaceAll('`', ''), error: error.name }
  );
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

/** Client credentials from the header or, as Pipedrive also allows, from the body. */
function readCredentials(req: Request): { clientId?: string; clientSecret?: string } {
  const [, encoded] = /^Basic (.+)$/i.exec(req.get('authorization') ?? '') ?? [];
  const { client_id: clientId, client_secret: clientSecret } = readParams(req.body) ?? {};
  if (encoded === undefined) return { clientId, clientSecret };
  const [id, ...secret] = Buffer.from(encoded, 'base64').toString().split(':');
  return { clientId: id, clientSecret: secret.join(':') };
}

/** The app that the request authenticates as, or Pipedrive's error. */
function readClient(req: Request, store: Store): App | TokenError {
  const { clientId, clientSecret } = readCredentials(req);
  if (!clientId || !clientSecret) return tokenErrors.clientNotRetrieved;
  const app = store.apps.get(clientId);
  return app?.clientSecret === clientSecret ? app : tokenErrors.clientInvalid;
}

function token(store: Store): RequestHandler {
  const server = createOAuthServer(store);
  return async (req, res) => {
    const request = new OAuth2Server.Request(req);
    request.query = {}; // the library would also take parameters from there
    request.body = { ...request.body, scope: undefined }; // Pipedrive has no scopes to choose
    try {
      const { accessToken, refreshToken = '', client } = await server.token(request, new OAuth2Server.Response());
      const scope = store.app(client.id).scopes.join(',');
      const apiDomain = `${req.protocol}://${req.get('host')}`;
      res.json(tokenResponse({ accessToken, refreshToken, apiDomain, scope }));
    } catch (error) {
      res.status(400).json(readTokenError(error));
    }
  };
}

/** A grant of Pipedrive's own for its first apps, which have tokens of another kind: none of them is known here. */
const exchangeApiToken =
  (store: Store): RequestHandler =>
  (req, res, next) => {
    if (readParams(req.body)?.grant_type !== 'exchange_api_token') return next();
    const app = readClient(req, store);
    return res.status(400).json('error' in app ? app : tokenErrors.apiTokenInvalid);
  };

/** The official SDK encodes an access token once more before it encodes the form. */
function decodedOnceMore(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}

/**
 * The hint is not needed. A token that is unknown, or another app's, is answered like one that was revoked.
 *
 * @see RFC 7009 §2.2
 */
const revoke =
  (store: Store): RequestHandler =>
  (req, res) => {
    const app = readClient(req, store);
    if ('error' in app) return res.status(400).json(app);
    const { token } = readParams(req.body) ?? {};
    if (!token) return res.status(400).json(invalidRequest('Missing parameter: token'));
    const install = store.installOf(token);
    if (install?.app === app) store.uninstall(install);
    for (const accessToken of [token, decodedOnceMore(token)])
      if (store.bearerOf(accessToken)?.app === app) store.dropAccessToken(accessToken);
    return res.status(200).end();
  };

export const tokenEndpoints = (store: Store, faults: Record<'token' | 'revoke', RequestHandler>) =>
  Router()
    .post('/oauth/token', faults.token, checkForm, exchangeApiToken(store), token(store))
    .post('/oauth/revoke', faults.revoke, checkForm, revoke(store));
