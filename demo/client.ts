// A strategy as the settings have it, whose requests to Pipedrive are recorded.
import { PipedriveStrategy, type PipedriveStrategyOptions } from 'passport-pipedrive-oauth2';
import { Account } from './account';
import type { Outcome } from './outcomes';
import { Recorder } from './recorder';

export interface Client {
  strategy: PipedriveStrategy;
  recorder: Recorder;
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

export function createClient(options: PipedriveStrategyOptions): Client {
  const recorder = new Recorder(options.tokenURL ?? 'https://oauth.pipedrive.com');
  const client: Client = {
    recorder,
    strategy: new PipedriveStrategy(
      { ...options, agent: recorder.agent },
      ({ profile, tokens }) => new Account(profile, tokens, client),
    ),
  };
  return client;
}
