// The two routes that every app with Passport has, recorded; and "The flow": what the last sign-in sent and received, and
// everything that a sign-in can end in, one click each.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Request, type RequestHandler, Router } from 'express';
import type { Authenticator } from 'passport';
import type { Connection } from './connection';
import { drawn, secretsOf, shown } from './exchange';
import { outcomes } from './outcomes';
import { accountOf, highlighted, page } from './pages';
import { type Consents, Recording, recordRequests } from './recorder';
import { type Flow, type Result, resultOf, type Stage } from './stage';
import type { Visitor, Visitors } from './visitor';

export function signInRoutes(
  passport: Pick<Authenticator, 'authenticate'>,
  { visitors, connections, consents }: { visitors: Visitors; connections: Connection[]; consents: Consents },
  callbackURL: URL,
) {
  function begin(visitor: Visitor): Flow {
    const connection = visitor.connect(connections);
    visitor.flow = { connection, recording: new Recording(), pauses: visitor.settings.pauses };
    return visitor.flow;
  }

  const whenReady: RequestHandler = (req, res, next) => (visitors.of(req).isReady ? next() : res.redirect('/'));

  const beginFlow: RequestHandler = (req, _res, next) => {
    begin(visitors.of(req));
    next();
  };

  /** A callback that belongs to no flow begins one: the Marketplace starts installs, and anybody can send a browser here. */
  const continueFlow: RequestHandler = (req, _res, next) => {
    const visitor = visitors.of(req);
    const flow = visitor.flow && !visitor.flow.result ? visitor.flow : begin(visitor);
    const { state } = req.query;
    const { target, client_id } = visitor.settings;
    const url = new URL(req.originalUrl, callbackURL).href;
    if (target === 'sandbox')
      consents.record(flow.recording, client_id, typeof state === 'string' ? state : undefined, url);
    next();
  };

  const recorded = recordRequests((req) => visitors.of(req).flow?.recording, callbackURL.origin);

  /** Stops at the first callback with a code, until a click goes on. */
  const pause: RequestHandler = (req, res, next) => {
    const { flow } = visitors.of(req);
    const isPause = flow?.pauses && flow.paused !== req.originalUrl && req.query.code !== undefined;
    if (flow) Object.assign(flow, isPause ? { pauses: false, paused: req.originalUrl } : { paused: undefined });
    return isPause ? res.redirect('/flow#result') : next();
  };

  const authenticate: RequestHandler = (req, res, next) => {
    const { flow, settings } = visitors.of(req);
    if (!flow) return next();
    const options = {
      state: settings.return_state || undefined,
      failWithError: true,
      keepSessionInfo: true, // the session holds who the visitor is
    };
    const done = (error?: unknown) => {
      flow.result = resultOf(req, error);
      return flow.result ? res.redirect('/flow#result') : next(error);
    };
    return passport.authenticate(flow.connection.strategy, options)(req, res, done);
  };

  return Router()
    .get('/auth/pipedrive', whenReady, beginFlow, recorded, authenticate)
    .get(callbackURL.pathname, whenReady, continueFlow, recorded, pause, authenticate);
}

/** Lines of a source file, as they run: those between `// lines: {name}` and the next empty line. */
function sourceLines(file: string, name: string): string {
  const [, text = ''] = readFileSync(join(__dirname, file), 'utf8').split(`// lines: ${name}\n`);
  return text.slice(0, text.indexOf('\n\n'));
}

const explanations: Record<Result['outcome'], string> = {
  success:
    "Passport's success: the handler of the callback route runs. `req.user` is what the verify function returned, and `req.authInfo.state` is the return state.",
  failure:
    "Passport's failure: `failureRedirect` sends the user to a login page. With `failWithError` the error handler gets it, and `req.authInfo` has a code, and a message that is safe to show.",
  error:
    "Passport's error: the error handler gets it, and `err.status` is what to answer with. The user can do nothing about it; an operator finds the reason in `err.cause`.",
};

function messageOf({ message, account }: Result): string {
  if (!account) return message;
  const who = `${account.profile.displayName} of ${account.profile.companyName ?? 'a company'}`;
  return account.isInstalled ? `${who} is signed in.` : `${who} had signed in. The app has been uninstalled since.`;
}

/** What the page says of a flow, masked, with one of its exchanges: the one that is asked for, or else the first. */
function flowView({ recording, connection, result, played }: Flow, asked: number) {
  const { exchanges } = recording;
  const secrets = secretsOf(recording, connection.options.clientSecret);
  const index = exchanges[asked - 1] ? asked - 1 : 0;
  const exchange = exchanges[index];
  const walk = exchange && {
    diagram: drawn(recording, secrets, result !== undefined),
    ...{ exchange: shown(exchange, secrets), index, count: exchanges.length },
    isLive: connection.options.authorizationServer === undefined,
  };
  if (!result) return { walk };
  const { outcome, status, code, more } = result;
  const facts = Object.entries({ 'Passport outcome': outcome, Status: status, Code: code, ...more })
    .filter(([, value]) => value !== undefined)
    .map(([label, value]) => [label, secrets.mask(String(value))]);
  const sides = Object.entries({ 'With this package': played?.ours, 'Beside it: bare passport-oauth2': played?.bare })
    .flatMap(([title, side]) => (side ? [{ ...side, title }] : []))
    .map((side) => ({ ...side, page: secrets.mask(side.page), log: secrets.mask(side.log) }));
  const lines = highlighted(sourceLines('stage.ts', outcome), 'typescript');
  const view = { kind: outcome, message: messageOf(result), facts, explanation: explanations[outcome], lines, sides };
  return { walk, result: view };
}

export function flowRoutes(visitors: Visitors, stage: Stage) {
  const show: RequestHandler = (req, res) => {
    const { flow, results } = visitors.of(req);
    const { result, paused, played } = flow ?? {};
    const head = result ? (result.status ?? result.outcome) : paused && 'Paused';
    const title = [head, played?.outcome.title ?? 'Flow'].filter(Boolean).join(' · ');
    const view = flow && flowView(flow, Number(req.query.exchange));
    res.send(page('flow', { title, outcomes, results, account: accountOf(req), flow, ...view }));
  };

  const play: RequestHandler = async (req, res, next) => {
    const visitor = visitors.of(req);
    const outcome = outcomes.find(({ id }) => id === req.params.id);
    if (!outcome) return next();
    const flow = await stage.play(outcome);
    visitor.flow = flow;
    visitor.results.set(outcome.id, flow.result);
    const { account } = flow.result;
    const showResult = (error?: unknown) => (error ? next(error) : res.redirect(303, '/flow#result'));
    return account ? req.login(account, { session: true, keepSessionInfo: true }, showResult) : showResult();
  };

  return Router()
    .get('/flow', show)
    .post('/flow/continue', (req: Request, res) => res.redirect(303, visitors.of(req).flow?.paused ?? '/flow'))
    .post('/outcomes/:id', play);
}
