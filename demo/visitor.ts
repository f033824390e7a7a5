// What the server keeps for one browser: the choices of its form, the secret of its app, and how its sign-ins went.
import { randomUUID } from 'node:crypto';
import type { Request } from 'express';
import { createClient } from './client';
import type { Credentials, DemoOptions } from './options';
import type { Outcome } from './outcomes';
import { type Result, Run } from './run';
import { defaultSettings, type Problems, problemsOf, type Settings, strategyOptions } from './settings';

declare module 'express-session' {
  interface SessionData {
    visitor: string;
  }
}

export class Visitor {
  settings: Settings;
  /** Of a real app. No page ever gets the secret back. */
  credentials?: Credentials;
  run?: Run;
  /** How each outcome ended last, by its id. */
  readonly results = new Map<string, Result>();

  constructor(readonly options: DemoOptions) {
    this.settings = defaultSettings(options);
    this.credentials = options.credentials;
  }

  get problems(): Problems {
    const problems = problemsOf(this.settings, this.options);
    if (this.settings.target === 'pipedrive' && !this.credentials?.clientSecret)
      problems.clientSecret = 'Needed: Pipedrive gives tokens to nobody else.';
    return problems;
  }

  get isReady(): boolean {
    return Object.keys(this.problems).length === 0;
  }

  /** An empty secret stands for the one that the server has, if it is the same app's. */
  choose(settings: Settings, clientSecret: string): void {
    this.settings = settings;
    const { target, clientID } = settings;
    const isKept = clientSecret === '' && clientID === this.credentials?.clientID;
    if (target === 'pipedrive' && !isKept) this.credentials = { clientID, clientSecret };
  }

  begin(outcome?: Outcome): Run {
    const client = createClient(strategyOptions(this, outcome));
    this.run = new Run(client, outcome, !outcome && this.settings.pauses);
    return this.run;
  }
}

const mostVisitors = 1_000;

/** The visitors of an app, in memory. */
export class Visitors {
  readonly #visitors = new Map<string, Visitor>();

  constructor(readonly options: DemoOptions) {}

  of(req: Request): Visitor {
    const known = this.#visitors.get(req.session.visitor ?? '');
    return known ?? this.renew(req);
  }

  /** Forgets the visitor, and the secret with it. */
  renew(req: Request): Visitor {
    this.#visitors.delete(req.session.visitor ?? '');
    req.session.visitor = randomUUID();
    const visitor = new Visitor(this.options);
    this.#visitors.set(req.session.visitor, visitor);
    const [oldest = ''] = this.#visitors.keys();
    if (this.#visitors.size > mostVisitors) this.#visitors.delete(oldest);
    return visitor;
  }
}
