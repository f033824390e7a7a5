// The sandbox's HTML: templates, what they refer to, and their forms.
import { join } from 'node:path';
import { Eta } from 'eta';
import { type RequestHandler, Router } from 'express';
import { ownFormsOnly } from './security';

const views = join(__dirname, '..', 'views');
const eta = new Eta({ views, cache: true });

/** Renders a template of `views/`, with everything escaped that is put in. */
export const page = (name: 'consent' | 'extension' | 'home' | 'problem', data: object): string =>
  eta.render(name, data);

export const problemPage = (title: string, message: string): string => page('problem', { title, message });

/** On the routes of the pages' own forms: the token endpoints get theirs from everywhere. */
export const ownForm = ownFormsOnly({
  originOf: (req) => `${req.protocol}://${req.get('host')}`,
  refusal: () => problemPage('This form is not from the sandbox', 'The request did not come from one of its pages.'),
});

/** What the pages refer to. */
export const assets = Router().get(['/style.css', '/icon.svg', '/extension.js'], (req, res) => {
  res.set('Cache-Control', 'max-age=300').sendFile(req.path, { root: views });
});

export const notFound: RequestHandler = (_req, res) => {
  res.status(404).send(problemPage('There is no such page', 'The address is not one of the sandbox.'));
};
