// "Try it": the form for the authorize request, and what it leads to while one types.
import { Router } from 'express';
import type { DemoOptions } from '../options';
import { accountOf, page } from '../pages';
import { previewOf } from '../preview';
import { problemsOf, readSettings } from '../settings';
import type { Visitors } from '../visitor';

export const tryItRoutes = (options: DemoOptions, visitors: Visitors) =>
  Router()
    .get('/', (req, res) => {
      const { settings, problems, credentials } = visitors.of(req);
      const preview = previewOf(settings, options);
      const clients = { sandbox: options.sandbox.clientID, pipedrive: credentials?.clientID };
      const hasSecret = Boolean(credentials?.clientSecret);
      res.send(page('try-it', { account: accountOf(req), settings, problems, preview, clients, hasSecret }));
    })
    .get('/preview', (req, res) => {
      const settings = readSettings(req.query);
      res.json({ ...previewOf(settings, options), problems: problemsOf(settings, options) });
    })
    .post('/start', (req, res) => {
      const visitor = visitors.of(req);
      visitor.choose(readSettings(req.body), String(req.body?.clientSecret ?? ''));
      if (!visitor.isReady) return res.redirect(303, '/');
      visitor.begin();
      return res.redirect(303, '/auth/pipedrive');
    })
    .post('/reset', (req, res) => {
      visitors.renew(req);
      res.redirect(303, '/');
    });
