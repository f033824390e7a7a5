// What the server keeps for one browser: the form's choices, the secret of a real app, and the last sign-in.
import type { Request } from 'express';
import { z } from 'zod';
import { Connection, type Credentials } from './connection';
import type { Flow } from './stage';

export interface DemoOptions {
  /** Absolute. The app answers at its origin only, and has its callback at its path. */
  callbackURL: string;
  /** As the demo is registered in the sandbox. */
  sandbox: Credentials & { origin: string };
  /** Of a real app, from the environment. With them live Pipedrive is the first choice, otherwise the sandbox. */
  credentials?: Credentials;
}

const text = z.string().trim().catch('');

/** The form's choices but the secret, under the names of the fields. Whatever is sent can be read. */
const form = z.object({
  target: z.enum(['sandbox', 'pipedrive']).catch('sandbox'),
  client_id: text,
  redirect_uri: text,
  /** What the app wants back with the user; empty for nothing. */
  return_state: text,
  /** Whether a callback with a code waits for a click before the code is exchanged. */
  pauses: z.preprocess((value) => value !== undefined, z.boolean()),
});

export type Settings = z.infer<typeof form>;

export const readSettings = (sent: unknown): Settings => form.parse(Object(sent));

/** Whether a callback URL leads to the one that the app has; it may have a query of its own. */
function leadsTo(callbackURL: string, own: string): boolean {
  if (!URL.canParse(callbackURL) || callbackURL.includes('#')) return false;
  const { origin, pathname } = new URL(callbackURL);
  return origin + pathname === new URL(own).origin + new URL(own).pathname;
}

const required = (why: string) => z.string().min(1, `Required: ${why}`);

/** A sentence for each field that is not as it must be, by its name. */
export type Problems = Partial<Record<string, string>>;

export function problemsOf(settings: Settings, client_secret: string, { callbackURL, sandbox }: DemoOptions): Problems {
  const isSandbox = settings.target === 'sandbox';
  const checks = z.object({
    client_id: required('Pipedrive must know which app asks.').refine(
      (id) => !isSandbox || id === sandbox.clientID,
      `The sandbox knows one app, "${sandbox.clientID}".`,
    ),
    client_secret: isSandbox ? z.string() : required('Pipedrive gives tokens to nobody else.'),
    redirect_uri: required('where Pipedrive sends the user back.').refine(
      (url) => leadsTo(url, callbackURL),
      `Pipedrive would send the user somewhere else: this app answers at ${callbackURL}`,
    ),
    return_state: z.string().max(500, 'At most 500 characters: it has to fit into a cookie.'),
  });
  const { error } = checks.safeParse({ ...settings, client_secret });
  if (!error) return {};
  const { fieldErrors } = z.flattenError(error);
  return Object.fromEntries(Object.entries(fieldErrors).map(([name, [first]]) => [name, first]));
}

export class Visitor {
  settings: Settings;
  /** Of a real app. No page ever gets the secret back. */
  credentials?: Credentials;
  /** The last sign-in. */
  flow?: Flow;
  /** How each outcome ended last, by its id. */
  readonly results = new Map<string, Flow['result']>();

  constructor(readonly options: DemoOptions) {
    const { callbackURL: redirect_uri, sandbox, credentials } = options;
    const target = credentials ? 'pipedrive' : 'sandbox';
    const { clientID: client_id } = credentials ?? sandbox;
    this.settings = { target, client_id, redirect_uri, return_state: '/deals', pauses: true };
    this.credentials = credentials;
  }

  get isReady(): boolean {
    const problems = problemsOf(this.settings, this.credentials?.clientSecret ?? '', this.options);
    return Object.keys(problems).length === 0;
  }

  /** An empty secret stands for the one that the server has, if it is the same app's. */
  choose(settings: Settings, clientSecret: string): void {
    this.settings = settings;
    const { target, client_id: clientID } = settings;
    const isKept = clientSecret === '' && clientID === this.credentials?.clientID;
    if (target === 'pipedrive' && !isKept) this.credentials = { clientID, clientSecret };
  }

  /** The registered app that the settings name. */
  connect(connections: Connection[]): Connection {
    const { target, client_id: clientID, redirect_uri: callbackURL } = this.settings;
    const { clientSecret = '', origin: authorizationServer } =
      target === 'sandbox' ? this.options.sandbox : { ...this.credentials, origin: undefined };
    const wanted = { clientID, clientSecret, callbackURL, authorizationServer };
    const isWanted = ({ options }: Connection) =>
      Object.entries(wanted).every(([name, value]) => Reflect.get(options, name) === value);
    const known = connections.find(isWanted);
    if (known) return known;
    const connection = new Connection(wanted);
    connections.push(connection);
    return connection;
  }
}

const mostVisitors = 1_000;

export type Visitors = ReturnType<typeof createVisitors>;

/** The visitors of an app, in memory, by session. */
export function createVisitors(options: DemoOptions) {
  const visitors = new Map<string, Visitor>();

  /** Forgets the visitor, and the secret with it. */
  function renew({ session }: Request): Visitor {
    visitors.delete(session.visitor ?? '');
    session.visitor = crypto.randomUUID();
    const visitor = new Visitor(options);
    visitors.set(session.visitor, visitor);
    const [oldest = ''] = visitors.keys();
    if (visitors.size > mostVisitors) visitors.delete(oldest);
    return visitor;
  }

  return { of: (req: Request): Visitor => visitors.get(req.session.visitor ?? '') ?? renew(req), renew };
}

declare module 'express-session' {
  interface SessionData {
    visitor: string;
  }
}
