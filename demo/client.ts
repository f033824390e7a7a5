// A strategy as the settings have it, whose requests to Pipedrive are recorded.
import { PipedriveStrategy, type PipedriveStrategyOptions } from 'passport-pipedrive-oauth2';
import { Account } from './account';
import { Recorder } from './recorder';

export interface Client {
  strategy: PipedriveStrategy;
  recorder: Recorder;
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
