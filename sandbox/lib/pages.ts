// The sandbox's HTML: templates, the headers that go with them, and whose forms count.
import { join } from 'node:path';
import { Eta } from 'eta';
import { type RequestHandler, Router } from 'express';

const views = join(__dirname, '..', 'views');
const eta = new Eta({ views, cache: true });

/** Renders a template of `views/`, with everything escaped that is put in. */
export const page = (name: 'consent' | 'extension' | 'home' | 'problem', data: object): string =>
  eta.render(name, data);

export const problemPage = (title: string, message: string): string => page('problem', { title, message });

// No form-action: browsers apply it to redirects too, and an app's callback may be anywhere.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";

export const pageHeaders: RequestHandler = (_req, res, next) => {
  res.set({
    'Content-Security-Policy': policy,
    'X-Frame-Options': 'DENY',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cache-Control': 'no-store',
  });
  next();
};

/**
 * Refuses a form that another site's page sent. Browsers say where a form comes from, older ones in `Origin` only;
 * other clients say nothing, and nobody can make them send one unawares.
 */
export const ownForm: RequestHandler = (req, res, next) => {
  const site = req.get('sec-fetch-site');
  const origin = req.get('origin');
  const foreign = site ? site !== 'same-origin' : origin && origin !== `${req.protocol}://${req.get('host')}`;
  if (!foreign) return next();
  const message = 'The request did not come from one of its pages.';
  return res.status(403).send(problemPage('This form is not from the sandbox', message));
};

/** What the pages refer to. */
export const assets = Router().get(['/style.css', '/icon.svg', '/extension.js'], (req, res) => {
  res.set('Cache-Control', 'max-age=300').sendFile(req.path, { root: views });
});

export const notFound: RequestHandler = (_req, res) => {
  res.status(404).send(problemPage('There is no such page', 'The address is not one of the sandbox.'));
};
