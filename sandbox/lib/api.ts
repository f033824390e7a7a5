// The API that access tokens open: the current user, and a few deals.
import { type Request, type RequestHandler, Router } from 'express';
import { type ApiError, apiErrors, currentUser } from './bodies';
import { dealsV1, dealsV2 } from './deals';
import type { Install, Store } from './store';

/** Whose token it is, or why it is nobody's. It counts only in the header: in a URL it would be logged (RFC 6750 §2.3). */
function readBearer(authorization: string | undefined, store: Store): Install | ApiError {
  if (authorization === undefined) return apiErrors.unauthorized;
  const [, accessToken] = /^Bearer (\S+)$/i.exec(authorization) ?? [];
  if (accessToken === undefined) return apiErrors.malformedAuthorization;
  return store.bearerOf(accessToken) ?? apiErrors.tokenInvalid;
}

/** Responds with `body` to the bearer of a token whose app has one of the scopes. */
const forBearer =
  (store: Store, scopes: string[], body: (install: Install, query: Request['query']) => object): RequestHandler =>
  (req, res) => {
    const bearer = readBearer(req.get('authorization'), store);
    if ('error' in bearer) return res.status(bearer.errorCode).json(bearer);
    const { scopeMismatch } = apiErrors;
    if (!scopes.some((scope) => bearer.app.scopes.includes(scope)))
      return res.status(scopeMismatch.errorCode).json(scopeMismatch);
    return res.json(body(bearer, req.query));
  };

/** `faults` go in front of the endpoints. */
export function api(store: Store, faults: { me: RequestHandler; deals: RequestHandler }) {
  const dealScopes = ['deals:read', 'deals:full'];
  const me = forBearer(store, ['base'], ({ user }) => currentUser(user));
  return Router()
    .get('/api/v1/users/me', faults.me, me)
    .get(
      '/api/v1/deals',
      faults.deals,
      forBearer(store, dealScopes, (_install, query) => dealsV1(query)),
    )
    .get(
      '/api/v2/deals',
      faults.deals,
      forBearer(store, dealScopes, (_install, query) => dealsV2(query)),
    )
    .use('/api', (_req, res) => void res.status(404).json(apiErrors.notFound));
}
