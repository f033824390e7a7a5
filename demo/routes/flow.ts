// "The flow": the steps of the last sign-in, and everything that a sign-in can end in, one click each.
import { type Request, type Response, Router } from 'express';
import { type Outcome, outcomes } from '../outcomes';
import { accountOf, page } from '../pages';
import { sandboxEndpoints } from '../settings';
import type { Visitor, Visitors } from '../visitor';
import { explain, meanings, stepTitles } from '../words';

/** Where the browser goes for an outcome. */
function startOf({ begins, consent }: Outcome, { settings: { clientID, callbackURL }, options }: Visitor): string {
  if (begins === 'forged callback') {
    const { pathname } = new URL(callbackURL);
    return `${pathname}?${new URLSearchParams({ code: 'code-of-somebody-else', state: 'state-of-somebody-else' })}`;
  }
  if (begins === 'Marketplace') {
    // What Pipedrive itself asks for, when an app has no Installation URL.
    const { authorizationURL } = sandboxEndpoints(options.sandbox.origin, { consent });
    return `${authorizationURL}?${new URLSearchParams({ client_id: clientID, redirect_uri: callbackURL })}`;
  }
  return '/auth/pipedrive';
}

/** The step that is asked for, or else the last one that has something to show. */
function stepIndex(req: Request, { run }: Visitor): number {
  const last = (run?.steps.length ?? 0) - 1;
  const asked = Number(req.query.step ?? Number.NaN);
  return Number.isInteger(asked) && asked >= 1 && asked <= last + 1 ? asked - 1 : last;
}

export function flowRoutes(visitors: Visitors) {
  const show = (req: Request, res: Response) => {
    const visitor = visitors.of(req);
    const { run, results, settings } = visitor;
    const index = stepIndex(req, visitor);
    const step = run?.steps[index];
    const words = { titles: stepTitles, meanings, explanation: step && explain(step) };
    res.send(page('flow', { account: accountOf(req), run, index, results, settings, outcomes, ...words }));
  };

  return Router()
    .get('/flow', show)
    .post('/flow/continue', (req, res) => res.redirect(303, visitors.of(req).run?.paused ?? '/flow'))
    .post('/outcomes/:id', (req, res, next) => {
      const visitor = visitors.of(req);
      const outcome = outcomes.find(({ id }) => id === req.params.id);
      if (!outcome) return next();
      if (!visitor.isReady) return res.redirect(303, '/');
      if (outcome.needsSandbox && visitor.settings.target !== 'sandbox') return res.redirect(303, '/flow#outcomes');
      visitor.begin(outcome);
      return res.redirect(303, startOf(outcome, visitor));
    });
}
