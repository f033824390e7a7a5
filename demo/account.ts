// Who is signed in: a Pipedrive user in one company, with the tokens that the app has for them, and what became of those.
import type { PipedriveProfile, PipedriveTokens } from 'passport-pipedrive-oauth2';
import type { Client } from './client';
import type { Exchange } from './exchange';

/** What was done with the tokens last. */
export interface Happening {
  title: string;
  text: string;
  isBad?: boolean;
  exchanges: Exchange[];
}

export class Account {
  happening?: Happening;
  /** The tokens have ended: the app is no longer installed. */
  hasEnded = false;

  constructor(
    readonly profile: PipedriveProfile,
    public tokens: PipedriveTokens,
    /** Refreshes and revokes the tokens that it got. */
    readonly client: Client,
  ) {}

  /** `{company id}:{user id}`: a user of two companies is two accounts. */
  get id(): string {
    return this.profile.id;
  }

  end(happening: Happening): void {
    this.hasEnded = true;
    this.happening = happening;
  }
}

/** By id. A real app has a database here. */
export type Accounts = Map<string, Account>;
