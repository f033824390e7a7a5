// An app as it is registered at Pipedrive or in the sandbox: its strategy, and the installations that its users have made.
import type { RequestHandler } from 'express';
import { type PipedriveProfile, PipedriveStrategy, type PipedriveStrategyOptions } from 'passport-pipedrive-oauth2';
import { Installations } from 'passport-pipedrive-oauth2/installations';
import { type Exchange, Recording, record, recordBodies } from './recorder';

export interface Credentials {
  clientID: string;
  clientSecret: string;
}

/** What was done with the tokens last. */
export interface Happening {
  title: string;
  text: string;
  isBad?: boolean;
  recording: Recording;
}

/** The tokens of each installation, by `company:user`. A real app has a database here. */
type Store = Map<string, Parameters<Installations['save']>[1] & { expires_at: number; access_token: string }>;

/** A Pipedrive user in one company, who has signed in to the app. */
export class Account {
  happening?: Happening;

  constructor(
    readonly profile: PipedriveProfile,
    readonly connection: Connection,
  ) {}

  /** `{company id}:{user id}`: a user of two companies is two accounts. */
  get id(): string {
    return this.profile.id;
  }

  get tokens() {
    return this.connection.store.get(this.id);
  }

  /** Not after an uninstall, from whichever side. */
  get isInstalled(): boolean {
    return this.tokens !== undefined;
  }
}

class RecordedStrategy extends PipedriveStrategy {
  constructor(...[options, verify]: ConstructorParameters<typeof PipedriveStrategy>) {
    super(options, verify);
    recordBodies(this._oauth2);
  }

  /** Exchanges the code of a callback, as an earlier callback with the same code does. */
  exchange(callback: string): Promise<void> {
    const { origin, pathname, searchParams } = new URL(callback);
    const params = { grant_type: 'authorization_code', redirect_uri: origin + pathname };
    const code = searchParams.get('code') ?? '';
    return new Promise((resolve, reject) =>
      this._oauth2.getOAuthAccessToken(code, params, (error) => (error ? reject(error) : resolve())),
    );
  }
}

export class Connection {
  readonly store: Store = new Map();
  readonly accounts = new Map<string, Account>();
  readonly strategy: RecordedStrategy;
  readonly installations: Installations;
  /** For `DELETE {callback URL}`. */
  readonly uninstall: RequestHandler;

  constructor(readonly options: PipedriveStrategyOptions) {
    this.strategy = new RecordedStrategy(options, async ({ profile, tokens }) => {
      await this.installations.save(profile, tokens);
      const account = new Account(profile, this);
      this.accounts.set(account.id, account);
      return account;
    });
    this.installations = new Installations(this.strategy, { store: this.store });
    this.uninstall = this.strategy.uninstall(async (notice, req) => {
      await this.installations.remove(notice);
      const account = this.accounts.get(`${notice.companyId}:${notice.userId}`);
      if (account) account.happening = uninstalled(options.callbackURL, req.headers, req.body);
    });
  }
}

function uninstalled(url: string, headers: Record<string, unknown>, body: unknown): Happening {
  const recording = new Recording();
  const { authorization, 'content-type': type } = headers;
  const notice: Exchange = {
    ...{ from: 'pipedrive', to: 'app', method: 'DELETE', url, body: JSON.stringify(body) },
    headers: { authorization: String(authorization), 'content-type': String(type) },
  };
  recording.respond(recording.request(notice), 204);
  const text =
    "The user has uninstalled the app on Pipedrive's side. Pipedrive told this app's server, which deleted the tokens.";
  return { title: 'Uninstalled', text, recording };
}

/** Does something with an account's tokens, and notes what was sent and received. Errors are for the caller. */
export async function withTokens(
  account: Account,
  action: (recording: Recording) => Promise<Omit<Happening, 'recording'>>,
): Promise<void> {
  const recording = new Recording();
  account.happening = { ...(await record(recording, () => action(recording))), recording };
}
