// The API that access tokens open: the current user, and a few made-up deals.
import { type Request, type RequestHandler, Router } from 'express';
import { apiErrors, currentUser } from './bodies';
import type { Install, Store } from './store';

const deals = [
  { id: 1, title: 'Ten city bikes', value: 7_900, currency: 'EUR', status: 'open', stage_id: 2 },
  { id: 2, title: 'Cargo bike lease', value: 2_400, currency: 'EUR', status: 'won', stage_id: 5 },
  { id: 3, title: 'Winter service', value: 650, currency: 'EUR', status: 'open', stage_id: 1 },
];

/** The token counts only in the header: in a URL it would end up in logs (RFC 6750 §2.3). */
function bearerOf(req: Request, store: Store): Install | undefined {
  const [, accessToken] = /^Bearer ([\w.~+/=-]+)$/i.exec(req.get('authorization') ?? '') ?? [];
  return accessToken ? store.bearerOf(accessToken) : undefined;
}

/** Answers with `body` to a bearer whose app has one of the scopes. */
const answer =
  (store: Store, scopes: string[], body: (install: Install) => object): RequestHandler =>
  (req, res) => {
    const install = bearerOf(req, store);
    res.set('Cache-Control', 'no-store');
    if (!install) return res.status(401).json(apiErrors.unauthorized);
    if (!scopes.some((scope) => install.app.scopes.includes(scope)))
      return res.status(403).json(apiErrors.scopeMismatch);
    return res.json(body(install));
  };

export const api = (store: Store) =>
  Router()
    .get(
      '/api/v1/users/me',
      answer(store, ['base', 'users:read'], ({ user }) => currentUser(user)),
    )
    .get(
      '/api/v1/deals',
      answer(store, ['deals:read', 'deals:full'], () => ({ success: true, data: deals })),
    );
