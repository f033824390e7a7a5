// The demo's HTML, what a browser may do with it, and whose requests count.
import { join } from 'node:path';
import { Eta } from 'eta';
import express, { type ErrorRequestHandler, type Request, type RequestHandler } from 'express';
import hljs from 'highlight.js/lib/common';
import { isLoopback } from '../sandbox/lib/loopback';
import { ownFormsOnly, pageHeaders } from '../sandbox/lib/security';
import { Account } from './connection';

/** Code as HTML, with everything escaped that is in it. */
export const highlighted = (code: string, language: 'bash' | 'json' | 'typescript' | 'xml'): string =>
  hljs.highlight(code, { language, ignoreIllegals: true }).value;

const eta = new Eta({ views: join(__dirname, 'views') });

/** Renders a template of `views/`, with everything escaped that is put in. */
export const page = (name: 'reference' | 'flow' | 'account' | 'panel', data: object): string =>
  eta.render(name, { name, ...data });

const problemPage = (title: string, message: string): string => eta.render('layout', { title, message });

/** Who is signed in, if the app is still installed for them. */
export const accountOf = ({ user }: Request): Account | undefined =>
  user instanceof Account && user.isInstalled ? user : undefined;

/** Stylesheet, script and icon, and Pipedrive's SDK for the panel. */
export const assets: RequestHandler[] = [
  express.static(join(__dirname, 'public'), { index: false, cacheControl: false }),
  (req, res, next) => {
    if (req.path !== '/sdk.js') return next();
    return res.sendFile(require.resolve('@pipedrive/app-extensions-sdk/dist/index.umd.js'));
  },
];

/** `form-action` covers the redirects that follow a form, to the consent page. Only the panel can be framed, by the sandbox. */
export const headers = (sandbox: string): RequestHandler[] =>
  pageHeaders({
    ...{ scriptSrc: ["'self'"], connectSrc: ["'self'"] },
    formAction: ["'self'", sandbox, 'https://*.pipedrive.com'],
    frameAncestors: [({ url = '' }) => (/^\/panel\?/.test(url) ? sandbox : "'none'")],
  });

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

/** Refuses what another site's page makes a browser send. */
export const ownForms = (origin: string): RequestHandler =>
  ownFormsOnly({
    originOf: () => origin,
    refusal: () => problemPage('Not from this app', 'This form was not sent by a page of this app.'),
  });

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
