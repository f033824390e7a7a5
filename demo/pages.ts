// The demo's HTML: templates, the headers that go with them, whose forms count, and the page for what went wrong.
import { join } from 'node:path';
import { Eta } from 'eta';
import { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import type { PipedriveFailure } from 'passport-pipedrive-oauth2';

const views = join(__dirname, 'views');
const eta = new Eta({ views });

/** Renders a template of `views/`, with everything escaped that is put in. */
export const page = (name: 'welcome' | 'account' | 'failure', data: object): string => eta.render(name, data);

const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const pageHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    'Content-Security-Policy': policy,
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin', // a callback's URL holds a code
    'Cache-Control': 'no-store',
  });
  next();
};

/** What the pages refer to. */
export const assets = Router().get(['/style.css', '/icon.svg'], (req, res) => {
  res.set('Cache-Control', 'max-age=300').sendFile(req.path, { root: views });
});

/**
 * Refuses what another site's page makes a browser send. Browsers say where a form comes from, older ones in `Origin`
 * only; a client that says nothing acts for itself.
 */
export const ownFormsOnly: RequestHandler = (req, res, next) => {
  const site = req.get('sec-fetch-site');
  const origin = req.get('origin');
  const foreign = site ? site !== 'same-origin' : origin && origin !== `${req.protocol}://${req.get('host')}`;
  if (!foreign || req.method === 'GET' || req.method === 'HEAD') return next();
  const message = 'This form was not sent by a page of this app.';
  return res.status(403).send(page('failure', { status: 403, signedIn: true, code: 'foreign_form', message }));
};

/** Cookies belong to a host: who comes to 127.0.0.1 is sent to localhost, if that is where the callback will arrive. */
export const onOneHost =
  ({ host, origin }: URL): RequestHandler =>
  (req, res, next) =>
    req.get('host') === host || req.method !== 'GET' ? next() : res.redirect(origin + req.originalUrl);

const isFailure = (info: object | undefined): info is PipedriveFailure =>
  info !== undefined && 'code' in info && 'message' in info;

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null && 'status' in error ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500;
}

/** Sentences for errors. Their own messages are for the operator, and go to the log. */
const sentences: Partial<Record<number, string>> = {
  502: 'Pipedrive could not be reached, or its answer made no sense.',
  503: 'Pipedrive is too busy at the moment.',
  504: 'Pipedrive took too long to answer.',
};

/**
 * With `failWithError`, a sign-in that fails comes here as well as one that breaks. The strategy says in `req.authInfo`
 * why it failed, in words that are safe to show.
 */
export const failureHandler =
  (log: (error: unknown) => void): ErrorRequestHandler =>
  (error, req, res, next) => {
    if (res.headersSent) return next(error);
    const status = statusOf(error);
    const signedIn = req.user !== undefined;
    if (isFailure(req.authInfo)) return res.status(status).send(page('failure', { status, signedIn, ...req.authInfo }));
    log(error);
    const message = sentences[status] ?? 'Something went wrong on our side.';
    return res.status(status).send(page('failure', { status, signedIn, message }));
  };
