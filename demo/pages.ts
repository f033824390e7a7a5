// The demo's HTML: templates, what they refer to, and the page for what went wrong on the server's side.
import { join } from 'node:path';
import { Eta } from 'eta';
import express, { type ErrorRequestHandler, type Request, type RequestHandler } from 'express';
import { Account } from './account';

const views = join(__dirname, 'views');
const eta = new Eta({ views });

export type PageName = 'try-it' | 'flow' | 'account' | 'problem';

/** Renders a template of `views/`, with everything escaped that is put in. */
export const page = (name: PageName, data: object): string => eta.render(name, { name, ...data });

/** Who is signed in, if the app is still installed for them. */
export function accountOf({ user }: Request): Account | undefined {
  return user instanceof Account && !user.hasEnded ? user : undefined;
}

/** Stylesheets, the script and the icon. */
export const assets = express.static(join(__dirname, 'public'), {
  index: false,
  setHeaders: (res) => res.setHeader('Cache-Control', 'no-cache'),
});

export const notFound: RequestHandler = (_req, res) => {
  res.status(404).send(page('problem', { title: 'No such page', message: 'There is nothing at this address.' }));
};

export const failureHandler =
  (log: (error: unknown) => void): ErrorRequestHandler =>
  (error, _req, res, next) => {
    if (res.headersSent) return next(error);
    log(error);
    const message = 'Something went wrong on our side. The terminal that the demo runs in has the details.';
    return res.status(500).send(page('problem', { title: 'That did not work', message }));
  };
