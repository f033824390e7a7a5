// What a browser may do with the demo's pages, and whose requests count.
import type { Request, RequestHandler } from 'express';
import { page } from './pages';

/** `form-action` covers the redirects that follow a form: those to the consent page, wherever that is. */
const policy = (sandbox: string) =>
  [
    "default-src 'none'",
    "style-src 'self'",
    "script-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    `form-action 'self' ${sandbox} https://*.pipedrive.com`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');

export const pageHeaders =
  (sandbox: string): RequestHandler =>
  (_req, res, next) => {
    res.set({
      'Content-Security-Policy': policy(sandbox),
      'Cross-Origin-Opener-Policy': 'same-origin',
      'X-Frame-Options': 'DENY',
      'X-Content-Type-Options': 'nosniff',
      'Referrer-Policy': 'same-origin', // a callback's URL holds a code
      'Cache-Control': 'no-store',
    });
    next();
  };

const isLoopback = ({ hostname }: URL) => /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);

/**
 * The app answers under its own name. Other names of this machine lead there, since cookies belong to a name; behind a
 * tunnel they may be what the tunnel makes of the app's. Whatever else points here is somebody's trick: it gets nothing.
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
    return res.status(403).send(page('problem', { title: 'Not your click', message }));
  };
