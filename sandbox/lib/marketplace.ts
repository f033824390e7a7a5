// The sandbox's home page, in place of Pipedrive's Marketplace: installs an app, and uninstalls it.
import { type RequestHandler, Router } from 'express';
import { uninstallNotice } from './bodies';
import { ownForm, page } from './pages';
import { readParams } from './params';
import type { Install, Store } from './store';

/** Milliseconds that an app has for its answer, which nobody reads. */
const patience = 5_000;

const isLoopback = (url: URL) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);

/**
 * Tells the app's server that it was uninstalled. As with Pipedrive, the answer does not matter and nothing is sent
 * twice. Loopback targets only: the sandbox speaks with nobody else.
 */
async function sendUninstall({ app, user }: Install, now: number): Promise<void> {
  const target = new URL(app.callbackURL);
  if (!isLoopback(target)) return;
  const ids = { clientId: app.clientId, companyId: user.company_id, userId: user.id };
  const credentials = Buffer.from(`${app.clientId}:${app.clientSecret}`).toString('base64');
  await fetch(target, {
    method: 'DELETE',
    headers: { 'Content-Type': 'application/json', Authorization: `Basic ${credentials}` },
    body: JSON.stringify(uninstallNotice({ ...ids, timestamp: new Date(now).toISOString() })),
    redirect: 'manual',
    signal: AbortSignal.timeout(patience),
  }).then(
    (response) => response.body?.cancel(),
    () => undefined,
  );
}

const home =
  (store: Store): RequestHandler =>
  (req, res) => {
    const apps = [...store.apps.values()].map((app) => ({ ...app, origin: new URL(app.callbackURL).origin }));
    const uninstalled = req.query.uninstalled !== undefined;
    res.send(page('home', { apps, installs: store.installs, uninstalled }));
  };

/** Without an Installation URL, Pipedrive itself starts the flow: with no state, since the app knows of nothing. */
const install =
  (store: Store): RequestHandler =>
  (req, res) => {
    const app = store.apps.get(readParams(req.query)?.client_id ?? '');
    if (!app)
      return res.status(404).send(page('problem', { title: 'No such app', message: 'It is not registered here.' }));
    const query = new URLSearchParams({ client_id: app.clientId, redirect_uri: app.callbackURL });
    return res.redirect(app.installationURL ?? `/oauth/authorize?${query}`);
  };

/** Waits until the app was told, so that its pages are up to date when the user goes back there. */
const uninstall =
  (store: Store): RequestHandler =>
  async (req, res) => {
    const { install: id } = readParams(req.body) ?? {};
    const install = store.installs.find((one) => one.id === id);
    if (install) {
      store.uninstall(install);
      await sendUninstall(install, store.now());
    }
    res.redirect(303, '/?uninstalled');
  };

export const marketplace = (store: Store) =>
  Router()
    .get('/', home(store))
    .get('/marketplace/install', install(store))
    .post('/marketplace/uninstall', ownForm, uninstall(store));
