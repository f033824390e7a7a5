// The choices of the form "Try it", what may be wrong with them, and what they mean for the strategy.
import type { PipedriveStrategyOptions } from 'passport-pipedrive-oauth2';
import type { DemoOptions } from './options';
import type { Outcome } from './outcomes';
import type { Visitor } from './visitor';

/** All but the secret. */
export interface Settings {
  target: 'sandbox' | 'pipedrive';
  clientID: string;
  callbackURL: string;
  /** What the app wants back with the user; empty for nothing. */
  state: string;
  /** Whether a callback with a code waits for a click before the code is exchanged. */
  pauses: boolean;
}

/** A sentence for each field that is not as it must be. */
export type Problems = Partial<Record<'clientID' | 'clientSecret' | 'callbackURL' | 'state', string>>;

const longestState = 500; // characters

export function defaultSettings({ callbackURL, sandbox, credentials }: DemoOptions): Settings {
  const { clientID } = credentials ?? sandbox;
  return { target: credentials ? 'pipedrive' : 'sandbox', clientID, callbackURL, state: '/deals', pauses: true };
}

/** Reads what a browser sent as form or query. */
export function readSettings(sent: Record<string, unknown> = {}): Settings {
  const text = (name: string) => String(sent[name] ?? '').trim();
  return {
    target: sent.target === 'pipedrive' ? 'pipedrive' : 'sandbox',
    clientID: text('clientID'),
    callbackURL: text('callbackURL'),
    state: text('state'),
    pauses: sent.pauses !== undefined,
  };
}

export function problemsOf({ clientID, callbackURL, state }: Settings, options: DemoOptions): Problems {
  const problems: Problems = {};
  if (!clientID) problems.clientID = 'Needed: Pipedrive wants to know which app asks.';
  if (!callbackURL) problems.callbackURL = 'Needed: without it nobody comes back.';
  else if (!comesBack(callbackURL, options.callbackURL))
    problems.callbackURL = `Nobody would come back here: this app answers at ${options.callbackURL}`;
  if (state.length > longestState) problems.state = `At most ${longestState} characters: it has to fit into a cookie.`;
  return problems;
}

/** Whether a callback URL leads to the one that the app has; it may have a query of its own. */
function comesBack(callbackURL: string, own: string): boolean {
  const placeOf = ({ origin, pathname }: URL) => origin + pathname;
  if (!URL.canParse(callbackURL) || callbackURL.includes('#')) return false;
  return placeOf(new URL(callbackURL)) === placeOf(new URL(own));
}

/** The sandbox's endpoints are Pipedrive's, at its own origin; those of a scenario are below its name. */
export function sandboxEndpoints(sandbox: string, { consent, token }: Pick<Outcome, 'consent' | 'token'> = {}) {
  const at = (scenario?: string) => (scenario ? `${sandbox}/scenarios/${scenario}` : sandbox);
  return {
    authorizationURL: `${at(consent)}/oauth/authorize`,
    tokenURL: `${at(token)}/oauth/token`,
    revocationURL: `${sandbox}/oauth/revoke`,
  };
}

export function strategyOptions(
  { settings, credentials, options: { sandbox } }: Visitor,
  outcome?: Outcome,
): PipedriveStrategyOptions {
  const { target, clientID, callbackURL } = settings;
  if (target === 'pipedrive') return { clientID, clientSecret: credentials?.clientSecret ?? '', callbackURL };
  const endpoints = sandboxEndpoints(sandbox.origin, outcome);
  return { clientID, clientSecret: sandbox.clientSecret, callbackURL, ...endpoints, timeout: outcome?.timeout };
}
