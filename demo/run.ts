// One sign-in, from its start to Passport's outcome: each step with what was sent and received.
import type { Client } from './client';
import type { Exchange } from './exchange';
import { type Field, maskedFields } from './masked';
import type { Outcome } from './outcomes';

/** Where the browser was sent or came back to, with the query apart. */
interface Visit {
  kind: 'redirect' | 'callback';
  url: string;
  fields: Field[];
}

export type Step =
  | Visit
  | { kind: 'consent' }
  | { kind: 'token' | 'profile'; exchange: Exchange }
  | { kind: 'outcome'; result: Result };

/** What Passport made of a sign-in. */
export interface Result {
  outcome: 'success' | 'failure' | 'error';
  /** Of a failure or an error: what the app would answer with. */
  status?: number;
  code?: string;
  /** Class of an error. */
  name?: string;
  message: string;
  /** Of an error, for the operator. */
  cause?: string;
  /** Pipedrive's words. */
  description?: string;
  /** What the app gave to `authenticate`, back again. */
  state?: string;
}

export class Run {
  readonly steps: Step[] = [];
  /** The callback that waits for a click, as a path with its query. */
  paused?: string;
  isOver = false;
  #pauses: boolean;

  constructor(
    readonly client: Client,
    /** Without one the user decides on the consent page. */
    readonly outcome?: Outcome,
    pauses = false,
  ) {
    this.#pauses = pauses;
  }

  get isNew(): boolean {
    return this.steps.length === 0;
  }

  redirected(location: string): void {
    this.steps.push(this.#visit('redirect', new URL(location)), { kind: 'consent' });
  }

  /** Answers whether the callback may go on to the strategy; if not, it waits for a click. */
  calledBack(callback: URL): boolean {
    const path = callback.pathname + callback.search;
    const isResumed = this.paused === path;
    this.paused = undefined;
    if (isResumed) return true;
    this.steps.push(this.#visit('callback', callback));
    if (!this.#pauses || !callback.searchParams.has('code')) return true;
    this.#pauses = false;
    this.paused = path;
    return false;
  }

  /** Passport has decided. A callback that is to be loaded again goes on after that. */
  decided(result: Result): void {
    for (const exchange of this.client.recorder.take())
      this.steps.push({ kind: exchange.method === 'POST' ? 'token' : 'profile', exchange });
    this.steps.push({ kind: 'outcome', result });
    const outcomes = this.steps.filter(({ kind }) => kind === 'outcome').length;
    this.isOver = !this.outcome?.reloads || outcomes === 2;
  }

  #visit(kind: Visit['kind'], { origin, pathname, searchParams }: URL): Visit {
    return { kind, url: origin + pathname, fields: maskedFields(searchParams) };
  }
}
