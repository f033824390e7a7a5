// The sandbox's home page, in place of Pipedrive's Marketplace: installs an app, and uninstalls it.
import { type RequestHandler, Router } from 'express';
import { sendSharing, sendUninstall } from './notices';
import { ownForm, page, problemPage } from './pages';
import { readParams } from './params';
import type { Store } from './store';

const home =
  (store: Store): RequestHandler =>
  (req, res) => {
    const apps = [...store.apps.values()].map((app) => ({ ...app, origin: new URL(app.callbackURL).origin }));
    const uninstalled = req.query.uninstalled !== undefined;
    const installs = store.installs.map((one) => ({ ...one, userKey: store.people.keyOf(one.user) }));
    res.send(page('home', { apps, installs, uninstalled, told: req.query.told !== undefined }));
  };

/** Without an Installation URL, Pipedrive itself starts the flow: with no state, since the app knows of nothing. */
const install =
  (store: Store): RequestHandler =>
  (req, res) => {
    const app = store.apps.get(readParams(req.query)?.client_id ?? '');
    if (!app) return res.status(404).send(problemPage('There is no such app', 'It is not registered here.'));
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

/** Tells the app that the user shares it with the company, or no longer does. */
const share =
  (store: Store): RequestHandler =>
  async (req, res) => {
    const { install: id, shared } = readParams(req.body) ?? {};
    const install = store.installs.find((one) => one.id === id);
    if (install) await sendSharing(install.app, install.user, shared === 'true');
    res.redirect(303, '/?told');
  };

export const marketplace = (store: Store) =>
  Router()
    .get('/', home(store))
    .get('/marketplace/install', install(store))
    .post('/marketplace/uninstall', ownForm, uninstall(store))
    .post('/marketplace/share', ownForm, share(store));
