// Where outcomes are played: both apps on ports of their own, one outcome after the other.
import type { Server } from 'node:http';
import type { Sandbox } from 'pipedrive-sandbox';
import { Connection, type Credentials } from './connection';
import type { Result } from './outcome-apps';
import { bareApp, type Notes, packageApp } from './outcome-apps';
import type { Outcome } from './outcomes';
import { type Page, Player, patience } from './player';
import { Recording, record } from './recorder';

/** As an app is registered in the sandbox, and the server that it is on. */
export interface Registered extends Credentials {
  callbackURL: string;
  server: Server;
}

/** What the app on bare passport-oauth2 did with the same click. */
export interface Compared {
  status?: number;
  /** The page, as text. */
  page: string;
  log: string;
}

export interface Played {
  recording: Recording;
  result: Result;
  page: Page;
  log: string;
  compared?: Compared;
}

/** Milliseconds for each request to Pipedrive. */
const timeout = 1_000;

const longest = 2; // lines of a stack

/** A page or a log entry as text: the first lines, with paths from the repository on. */
function excerpt(text: string): string {
  const plain = text
    .replace(/<title>.*?<\/title>/gs, '')
    .replace(/<br>/g, '\n')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&nbsp;', ' ');
  const lines = plain.replaceAll(`${process.cwd()}/`, '').trim().split('\n');
  return [...lines.slice(0, longest), ...(lines.length > longest ? ['    …'] : [])].join('\n');
}

export class Stage {
  readonly #sandbox: Sandbox;
  readonly #registered: Registered;
  readonly #bare: Registered;
  readonly connection: Connection;
  readonly #notes: Notes = { log: [] };
  readonly #bareNotes: Notes;
  #last: Promise<unknown> = Promise.resolve();

  constructor(sandbox: Sandbox, registered: Registered, bare: Registered) {
    const { clientID, clientSecret, callbackURL, server } = registered;
    this.#sandbox = sandbox;
    this.#registered = registered;
    this.#bare = bare;
    this.connection = new Connection({
      ...{ clientID, clientSecret, callbackURL, timeout },
      authorizationServer: sandbox.origin,
    });
    server.on('request', packageApp(this.connection, new URL(callbackURL).origin, this.#notes));
    const { app, notes } = bareApp(bare, sandbox.origin);
    bare.server.on('request', app);
    this.#bareNotes = notes;
  }

  /** One at a time: faults are the sandbox's, and so is its clock. */
  play(outcome: Outcome): Promise<Played> {
    const played = this.#last.then(() => this.#play(outcome));
    this.#last = played.catch(() => {});
    return played;
  }

  async #play(outcome: Outcome): Promise<Played> {
    const { fault: [endpoint, fault] = [] } = outcome;
    if (endpoint && fault) this.#sandbox.fail(endpoint, fault);
    try {
      const [played, compared] = await Promise.all([
        this.#playWithPackage(outcome),
        outcome.isCompared ? this.#playBare(outcome) : undefined,
      ]);
      return { ...played, compared };
    } finally {
      if (endpoint) this.#sandbox.fail(endpoint, null);
    }
  }

  async #playWithPackage(outcome: Outcome): Promise<Omit<Played, 'compared'>> {
    const recording = new Recording();
    const notes = Object.assign(this.#notes, { recording, result: undefined, log: [] });
    const exchange = (callback: string) => record(recording, () => this.connection.strategy.exchange(callback));
    const player = new Player(this.#sandbox, this.#registered, exchange, recording);
    await outcome.play(player);
    const { result, log } = notes as Notes;
    if (!result) throw new Error(`The outcome "${outcome.id}" came to no end`);
    const callback = recording.exchanges.findLast(({ url }) => url.startsWith(this.#registered.callbackURL));
    result.status ??= callback?.response?.status;
    return { recording, result, page: player.page, log: log.join('\n') };
  }

  async #playBare(outcome: Outcome): Promise<Compared> {
    this.#bareNotes.log = [];
    const player = new Player(this.#sandbox, this.#bare);
    await outcome.play(player);
    const { status, text } = player.page;
    const page = status === undefined ? `No response. The browser was closed after ${patience / 1000} s.` : text;
    return { status, page: excerpt(page), log: excerpt(this.#bareNotes.log.join('\n')) };
  }
}
