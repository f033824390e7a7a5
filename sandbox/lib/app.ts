// The sandbox as an Express app: what each request passes on its way.
import express, { type Express } from 'express';
import { api } from './api';
import { authorizeEndpoint } from './authorize';
import { extensionPage } from './extension';
import type { Faults } from './faults';
import { ownHostOnly } from './loopback';
import { marketplace } from './marketplace';
import { assets, notFound } from './pages';
import { unreadableForm } from './params';
import type { Requests } from './requests';
import { pageHeaders } from './security';
import type { Store } from './store';
import { tokenEndpoints } from './token';

// No form-action: browsers apply it to redirects too, and an app's callback may be anywhere.
const headers = pageHeaders({}, { crossOriginOpenerPolicy: false }); // apps may open the consent page in a popup

export const createApp = (store: Store, faults: Faults, requests: Requests): Express =>
  express()
    .disable('x-powered-by')
    .set('query parser', 'simple')
    .use(headers, requests.onArrival, ownHostOnly, assets)
    .use(express.urlencoded({ extended: false }), unreadableForm, requests.onForm)
    .use(authorizeEndpoint(store, faults.at('authorize')))
    .use(tokenEndpoints(store, { token: faults.at('token'), revoke: faults.at('revoke') }))
    .use(api(store, { me: faults.at('users/me'), deals: faults.at('deals') }))
    .use(marketplace(store), extensionPage(store))
    .use(notFound);
