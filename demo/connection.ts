// An app as it is registered at Pipedrive or in the sandbox: its strategy, and the installations that its users have made.
import type { Request, RequestHandler } from 'express';
import { type PipedriveProfile, PipedriveStrategy, type PipedriveStrategyOptions } from 'passport-pipedrive-oauth2';
import { Installations } from 'passport-pipedrive-oauth2/installations';
import { Recording, recordBodies } from './recorder';

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

  /** In the session. The same user may have signed in to several apps. */
  get key(): string {
    return `${this.connection.options.clientID} ${this.id}`;
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
      if (account) account.happening = uninstalled(options.callbackURL, req);
    });
  }
}

function uninstalled(url: string, { method, headers, body, res }: Request): Happening {
  const { authorization, 'content-type': type } = headers;
  const recording = new Recording();
  const notice = recording.request({
    ...{ from: 'pipedrive', to: 'app', method, url, body: JSON.stringify(body) },
    headers: { authorization: String(authorization), 'content-type': String(type) },
  });
  res?.once('finish', () => recording.respond(notice, res.statusCode));
  const text =
    "The user has uninstalled the app on Pipedrive's side. Pipedrive told this app's server, which deleted the tokens.";
  return { title: 'Uninstalled', text, recording };
}
