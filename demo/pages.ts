// The demo's HTML, what a browser may do with it, and whose requests count.
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { Eta } from 'eta';
import express, { type ErrorRequestHandler, type Request, type RequestHandler } from 'express';
import helmet from 'helmet';
import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import json from 'highlight.js/lib/languages/json';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';
import { Account } from './connection';

const languages = { bash, json, typescript, xml };
for (const [name, language] of Object.entries(languages)) hljs.registerLanguage(name, language);

/** Code as HTML, with everything escaped that is in it. */
export const highlighted = (code: string, language: keyof typeof languages): string =>
  hljs.highlight(code, { language, ignoreIllegals: true }).value;

const eta = new Eta({ views: join(__dirname, 'views') });

/** Renders a template of `views/`, with everything escaped that is put in. */
export const page = (name: 'reference' | 'flow' | 'account' | 'panel', data: object): string =>
  eta.render(name, { name, ...data });

const problemPage = (title: string, message: string): string => eta.render('layout', { title, message });

/** Who is signed in, if the app is still installed for them. */
export function accountOf({ user }: Request): Account | undefined {
  return user instanceof Account && user.isInstalled ? user : undefined;
}

/** Who was signed in until the app was uninstalled. */
export function formerAccountOf({ user }: Request): Account | undefined {
  return user instanceof Account && !user.isInstalled ? user : undefined;
}

/** Stylesheet, script and icon, and Pipedrive's SDK for the panel. */
export const assets: RequestHandler[] = [
  express.static(join(__dirname, 'public'), { index: false, cacheControl: false }),
  (req, res, next) => {
    if (req.path !== '/sdk.js') return next();
    return res.sendFile(require.resolve('@pipedrive/app-extensions-sdk/dist/index.umd.js'));
  },
];

/** `form-action` covers the redirects that follow a form, to the consent page. Only the panel can be framed, by the sandbox. */
export function pageHeaders(sandbox: string): RequestHandler[] {
  const directives = {
    defaultSrc: ["'none'"],
    ...{ styleSrc: ["'self'"], scriptSrc: ["'self'"], imgSrc: ["'self'"], connectSrc: ["'self'"] },
    formAction: ["'self'", sandbox, 'https://*.pipedrive.com'],
    baseUri: ["'none'"],
    frameAncestors: [({ url = '' }: IncomingMessage) => (/^\/panel\?/.test(url) ? sandbox : "'none'")],
  };
  const headers = helmet({
    contentSecurityPolicy: { useDefaults: false, directives },
    referrerPolicy: { policy: 'same-origin' }, // a callback's URL holds a code
    xFrameOptions: false, // an older frame-ancestors, which knows no origins
    strictTransportSecurity: false, // the demo has no https of its own
  });
  const noStore: RequestHandler = (_req, res, next) => {
    res.set('Cache-Control', 'no-store');
    next();
  };
  return [headers, noStore];
}

const isLoopback = ({ hostname }: URL) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/**
 * The app answers under its own name. Other names of this machine are redirected there, since cookies belong to a name.
 * Behind a tunnel they may be what the tunnel makes of the app's. Any other name is refused (DNS rebinding).
 */
export const ownHostOnly =
  ({ host, origin }: URL): RequestHandler =>
  (req, res, next) => {
    const asked = `http://${req.get('host')}`;
    if (req.get('host') === host) return next();
    if (!URL.canParse(asked) || !isLoopback(new URL(asked)))
      return res.status(421).type('text').send(`This app answers at ${origin}\n`);
    return req.method === 'GET' && isLoopback(new URL(origin)) ? res.redirect(origin + req.originalUrl) : next();
  };

/** Browsers say where a form comes from, older ones in `Origin` only; a client that says nothing acts for itself. */
function isForeign(req: Request, own: string): boolean {
  const site = req.get('sec-fetch-site');
  const origin = req.get('origin');
  return site ? site !== 'same-origin' : origin !== undefined && origin !== own;
}

/** Refuses what another site's page makes a browser send. */
export const ownFormsOnly =
  (origin: string): RequestHandler =>
  (req, res, next) => {
    if (req.method === 'GET' || req.method === 'HEAD' || !isForeign(req, origin)) return next();
    const message = 'This form was not sent by a page of this app.';
    return res.status(403).send(problemPage('Not from this app', message));
  };

export const notFound: RequestHandler = (_req, res) => {
  res.status(404).send(problemPage('No such page', 'There is nothing at this address.'));
};

export const failureHandler =
  (log: (error: unknown) => void): ErrorRequestHandler =>
  (error, _req, res, next) => {
    if (res.headersSent) return next(error);
    log(error);
    const message = 'Something went wrong on our side. The terminal that the demo runs in has the details.';
    return res.status(500).send(problemPage('That did not work', message));
  };
