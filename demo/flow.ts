// "The flow": what the last sign-in sent and received, and everything that a sign-in can end in, one click each.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Request, type Response, Router } from 'express';
import type { Connection } from './connection';
import { drawn } from './diagram';
import { secretsOf, shown } from './exchange';
import type { Result } from './outcome-apps';
import { type Outcome, outcomes } from './outcomes';
import { accountOf, highlighted, page } from './pages';
import type { Recording } from './recorder';
import type { Compared, Stage } from './stage';
import type { Visitors } from './visitor';

/** A sign-in: the visitor's own, or an outcome that was played. */
export interface Flow {
  connection: Connection;
  recording: Recording;
  /** Whether the next callback with a code waits for a click. */
  pauses: boolean;
  /** The callback that waits, as a path with its query. */
  paused?: string;
  result?: Result;
  outcome?: Outcome;
  /** What the user sees in the end, and what the app's log has. */
  page?: string;
  log?: string;
  compared?: Compared;
}

/** Lines of a source file of the demo's, as they run: those between `// lines: {name}` and the next empty line. */
function sourceLines(file: string, name: string): string {
  const [, text = ''] = readFileSync(join(__dirname, file), 'utf8').split(`// lines: ${name}\n`);
  const lines = (text.split('\n\n')[0] ?? '').trimEnd().split('\n');
  const indent = Math.min(...lines.map((line) => line.search(/\S|$/)));
  return lines.map((line) => line.slice(indent)).join('\n');
}

const kinds: Record<Result['outcome'], string> = {
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

function headline({ result, paused }: Flow): string | undefined {
  if (!result) return paused && 'Paused';
  return result.status ? String(result.status) : result.outcome;
}

/** Of a result, what the page says, masked. */
function resultView(flow: Flow) {
  const { result, connection, recording, page: text, log, compared } = flow;
  if (!result) return undefined;
  const secrets = secretsOf(recording, connection.options.clientSecret);
  const { outcome, status, code, name, description, cause, returnState } = result;
  const rows = { 'Passport outcome': outcome, Status: status, Code: code, Class: name };
  const more = { 'Pipedrive says': description, Cause: cause, 'Return state': returnState };
  const facts = Object.entries({ ...rows, ...more }).filter(([, value]) => value !== undefined);
  return {
    kind: outcome,
    message: messageOf(result),
    facts: facts.map(([label, value]) => [label, secrets.mask(String(value))]),
    explanation: kinds[outcome],
    lines: highlighted(sourceLines('outcome-apps.ts', outcome), 'typescript'),
    ours: text !== undefined && { status, page: secrets.mask(text), log: secrets.mask(log ?? '') },
    compared: compared && { ...compared, page: secrets.mask(compared.page), log: secrets.mask(compared.log) },
  };
}

/** The exchange that is asked for, or else the first one. */
function indexOf(req: Request, recording: Recording): number {
  const asked = Number(req.query.exchange ?? Number.NaN);
  return Number.isInteger(asked) && asked >= 1 && asked <= recording.exchanges.length ? asked - 1 : 0;
}

function walkView(flow: Flow, index: number) {
  const { recording, connection, result } = flow;
  const secrets = secretsOf(recording, connection.options.clientSecret);
  const exchange = recording.exchanges[index];
  return {
    diagram: drawn(recording, secrets, result !== undefined),
    exchange: exchange && shown(exchange, secrets),
    index,
    count: recording.exchanges.length,
    isLive: connection.options.authorizationServer === undefined,
  };
}

export function flowRoutes(visitors: Visitors, stage: Stage) {
  const show = (req: Request, res: Response) => {
    const visitor = visitors.of(req);
    const { flow } = visitor;
    const name = flow?.outcome?.title ?? 'Flow';
    const head = flow && headline(flow);
    const noted = new Map([...visitor.results].map(([id, { result }]) => [id, result]));
    const view = {
      ...{ title: head ? `${head} · ${name}` : name, outcomes, noted, account: accountOf(req), flow },
      ...{ result: flow && resultView(flow), walk: flow && walkView(flow, indexOf(req, flow.recording)) },
    };
    res.send(page('flow', view));
  };

  return Router()
    .get('/flow', show)
    .post('/flow/continue', (req, res) => res.redirect(303, visitors.of(req).flow?.paused ?? '/flow'))
    .post('/outcomes/:id', async (req, res, next) => {
      const visitor = visitors.of(req);
      const outcome = outcomes.find(({ id }) => id === req.params.id);
      if (!outcome) return next();
      const { recording, result, page: seen, log, compared } = await stage.play(outcome);
      const { connection } = stage;
      visitor.flow = { connection, recording, pauses: false, result, outcome, page: seen.text, log, compared };
      visitor.results.set(outcome.id, visitor.flow);
      const show = () => res.redirect(303, '/flow#result');
      if (!result.account) return show();
      return req.login(result.account, { session: true, keepSessionInfo: true }, (error) =>
        error ? next(error) : show(),
      );
    });
}
