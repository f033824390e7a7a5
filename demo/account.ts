// Who is signed in: a Pipedrive user in one company, with the tokens that the app has for them.
import type { PipedriveProfile, PipedriveTokens } from 'passport-pipedrive-oauth2';

export class Account {
  constructor(
    readonly profile: PipedriveProfile,
    public tokens: PipedriveTokens,
  ) {}

  /** `{company id}:{user id}`: a user of two companies is two accounts. */
  get id(): string {
    return this.profile.id;
  }
}

/** By id. A real app has a database here. */
export type Accounts = Map<string, Account>;

/** What the next page tells the user. */
export type Note = 'refreshed' | 'revoked' | 'uninstalled' | 'signedOut';

declare module 'express-session' {
  interface SessionData {
    note: Note;
  }
}
