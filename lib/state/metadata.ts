// What the strategy tells a state store of a request. The client secret is in it, out of sight.
import type { StateMetadata } from './store';

/** A store of the app's own sees the metadata, and may log it. So the secret is in a private field, for our own store. */
export class RequestMetadata implements StateMetadata {
  readonly authorizationURL: string;
  readonly tokenURL: string;
  readonly clientID: string;
  readonly callbackURL: string;
  readonly strategy: string;
  readonly ownCallbackURL: string;
  declare marketplace?: boolean;
  declare prefetch?: boolean;
  readonly #clientSecret: string;

  constructor(metadata: Omit<StateMetadata, 'marketplace' | 'prefetch'>, clientSecret: string) {
    // Field by field, since `Object.assign` takes five times as long.
    this.authorizationURL = metadata.authorizationURL;
    this.tokenURL = metadata.tokenURL;
    this.clientID = metadata.clientID;
    this.callbackURL = metadata.callbackURL;
    this.strategy = metadata.strategy;
    this.ownCallbackURL = metadata.ownCallbackURL;
    this.#clientSecret = clientSecret;
  }

  /** The client secret of the request with this metadata; `undefined` where no strategy has made it. */
  static clientSecretOf(metadata: StateMetadata): string | undefined {
    return #clientSecret in metadata ? metadata.#clientSecret : undefined;
  }
}
