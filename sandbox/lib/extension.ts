// How Pipedrive shows an app's page in an iframe: the address with a signed token, and the page around it.
import { randomUUID } from 'node:crypto';
import { type Request, type RequestHandler, Router } from 'express';
import { isLoopback } from './loopback';
import type { App } from './options';
import { ownForm, page, problemPage } from './pages';
import { type Params, readParams } from './params';
import { contentPolicy } from './security';
import type { Store } from './store';
import { signedJWT } from './tokens';
import type { ExtensionDetails } from './types';
import type { SandboxUser } from './users';

/** Seconds. */
const tokenLifetime = 5 * 60;

/** The token of an extension, good for five minutes by the sandbox's clock. */
function extensionToken({ jwtSecret }: App, { id, company_id }: SandboxUser, now: number): string {
  const iat = Math.floor(now / 1000);
  return signedJWT({ userId: id, companyId: company_id, iat, exp: iat + tokenLifetime }, jwtSecret);
}

/** The address that Pipedrive loads in the iframe. */
export function extensionURL(url: string | URL, app: App, user: SandboxUser, details: ExtensionDetails, now: number) {
  const framed = new URL(url);
  const { resource, view, selectedIds = [] } = details;
  const params: Params = {
    ...{ resource, view, selectedIds: selectedIds.join(',') },
    ...{ userId: String(user.id), companyId: String(user.company_id) },
    ...{ id: randomUUID(), token: extensionToken(app, user, now) },
  };
  for (const [name, value] of Object.entries(params)) if (value) framed.searchParams.set(name, value);
  return framed.href;
}

/** The sandbox's own page with the iframe. */
export function extensionPagePath(url: string | URL, app: App, user: string, details: ExtensionDetails): string {
  const { resource = '', view = '', selectedIds = [] } = details;
  const params = {
    client_id: app.clientId,
    url: String(url),
    user,
    resource,
    view,
    selectedIds: selectedIds.join(','),
  };
  return `/extension?${new URLSearchParams(params)}`;
}

interface Viewer {
  app: App;
  user: SandboxUser;
  params: Params;
}

function readViewer(parsed: unknown, store: Store): Viewer | undefined {
  const params = readParams(parsed) ?? {};
  const app = store.apps.get(params.client_id ?? '');
  const user = store.people.choices.get(params.user ?? '');
  return app && user && { app, user, params };
}

/** Any site can send a browser here: the signed token goes to a page on this machine or of the app's own origin only. */
function readFramed({ url = '' }: Params, app: App): URL | undefined {
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) return undefined;
  const framed = new URL(url);
  return isLoopback(framed) || framed.origin === new URL(app.callbackURL).origin ? framed : undefined;
}

const showExtension =
  (store: Store): RequestHandler =>
  (req, res, next) => {
    const viewer = readViewer(req.query, store);
    const url = viewer && readFramed(viewer.params, viewer.app);
    if (!viewer || !url) {
      const message = 'It takes a client_id, a user, and a url on this machine or at the origin of the callback URL.';
      return res.status(400).send(problemPage('This extension cannot be shown', message));
    }
    const { app, user, params } = viewer;
    const { resource, view, selectedIds = '' } = params;
    const details = { resource, view, selectedIds: selectedIds.split(',').filter(Boolean).map(Number) };
    const src = extensionURL(url, app, user, details, store.now());
    const id = new URL(src).searchParams.get('id');
    const html = page('extension', { app, user, src, id, clientId: app.clientId, userKey: params.user });
    const policy = contentPolicy({ scriptSrc: ["'self'"], connectSrc: ["'self'"], frameSrc: [url.origin] });
    return policy(req, res, (error) => (error ? next(error) : res.send(html)));
  };

/** A new token, for the SDK's GET_SIGNED_TOKEN. */
const renewToken =
  (store: Store): RequestHandler =>
  (req: Request, res) => {
    const viewer = readViewer(req.body, store);
    if (!viewer) return res.status(400).json({ success: false });
    return res.json({ token: extensionToken(viewer.app, viewer.user, store.now()) });
  };

export const extensionPage = (store: Store) =>
  Router().get('/extension', showExtension(store)).post('/extension/token', ownForm, renewToken(store));
