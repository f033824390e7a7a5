// What a running sandbox offers.
/// <reference lib="esnext.disposable" preserve="true" />
import type { Who } from './people';

/** `deals` is the list of deals in both versions of the API. */
export type Endpoint = 'authorize' | 'token' | 'users/me' | 'deals' | 'revoke';

/**
 * What can go wrong. In place of a response: `outage` (503 with a page of HTML), `html` (403 with a page of HTML, as of a
 * firewall), `silence` (no response, while the connection stays open), `reset` (of the connection), `redirect` (302),
 * `not-json` (200), `429` (a burst), `budget` (429 until midnight: the company's daily budget is spent). On the way back:
 * `slow` (a late good response), `stall` (half of the body, and then nothing), `truncate` (half of the body, and then the
 * end of the connection), `drip` (one byte after the other).
 */
export type Fault =
  | ('outage' | 'html' | 'silence' | 'reset' | 'redirect' | 'not-json' | '429' | 'budget')
  | ('slow' | 'stall' | 'truncate' | 'drip');

export interface FaultOptions {
  /** How many requests it happens to. @default all, until `fail(endpoint, null)` */
  times?: number | undefined;
  /** Milliseconds that `slow` waits, and ten times what `drip` waits before each byte. @default 1000 */
  delay?: number | undefined;
}

/** Where in Pipedrive the extension is, and what is selected there. */
export interface ExtensionDetails {
  /** Such as `deal`, `person` or `organization`. */
  resource?: string | undefined;
  /** Such as `details` or `list`. */
  view?: string | undefined;
  selectedIds?: readonly number[] | undefined;
}

export interface RecordedRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  /** None as long as there is no response. */
  readonly status: number | undefined;
  /** The parameters of the form, of a GET those of the query. Every secret in it is `***`. */
  readonly form: Readonly<Record<string, string>>;
}

/** For the environment of an app that runs in a process of its own. */
export type Environment = Record<
  'PIPEDRIVE_CLIENT_ID' | 'PIPEDRIVE_CLIENT_SECRET' | 'PIPEDRIVE_AUTHORIZATION_SERVER',
  string
>;

/**
 * A running sandbox. Where a user is asked for, the first user is the default; a name means the first of that user's
 * companies. An unknown user or client id is a `TypeError`, thrown or as a rejection.
 */
export interface Sandbox extends AsyncDisposable {
  /** For example `http://127.0.0.1:4000`; also the `api_domain` of the tokens. */
  readonly origin: string;

  /** How the first app reaches the sandbox. */
  readonly env: Environment;

  /**
   * Plays the user who presses "Allow and install". `authorizeURL` is where the app has redirected the browser to.
   * Resolves to the callback URL, with a code, that the browser comes back to. Rejects when authorize does not show
   * its page: the text of the error says why. Waits for as long as the fault `'silence'` does.
   */
  approve(authorizeURL: string | URL, options?: { as?: Who | undefined }): Promise<string>;

  /** Plays the user who presses "Cancel": resolves to the callback URL with `error=user_denied`. Rejects as `approve`. */
  cancel(authorizeURL: string | URL, options?: { as?: Who | undefined }): Promise<string>;

  /**
   * Plays the user who presses "Install" in the Marketplace. Resolves to where the browser goes next: the app's
   * Installation URL, or without one the callback URL with a code and no state, after the user has allowed the app.
   */
  install(clientId: string, who?: Who): Promise<string>;

  /**
   * Plays the user who uninstalls the app: its tokens end, and `DELETE` goes to the callback URL if that is on this
   * machine. Resolves to the status of the app's response, which Pipedrive never reads, or `undefined` if there is
   * none within 5 seconds. Rejects for a user who has not installed the app.
   */
  uninstall(clientId: string, who?: Who): Promise<number | undefined>;

  /** Sends the `POST` that an app with sharing gets: `{ company_id, user_id, isShared }`. Resolves as `uninstall`. */
  share(clientId: string, who?: Who, isShared?: boolean): Promise<number | undefined>;

  /**
   * The address that Pipedrive loads in an iframe for an extension of the app: `url` with `userId`, `companyId`, `id`,
   * a signed `token` that is good for 5 minutes, and `resource`, `view` and `selectedIds` if given.
   */
  extensionURL(clientId: string, url: string | URL, who?: Who, details?: ExtensionDetails): string;

  /**
   * The address of a page of the sandbox that frames the extension as Pipedrive does, for tests in a browser: it
   * responds to the commands `initialize`, `resize`, `get_signed_token`, `get_metadata` and `show_snackbar` of
   * `@pipedrive/app-extensions-sdk`. `url` must be on this machine or at the origin of the callback URL.
   */
  extensionPage(clientId: string, url: string | URL, who?: Who, details?: ExtensionDetails): string;

  /**
   * Plays the reset of the app's client secret in Developer Hub: the old one ends at once, also as the default of the JWT
   * secret, and users' tokens live on. Throws a `TypeError` for a secret that is empty.
   */
  resetSecret(clientId: string, clientSecret: string): void;

  /**
   * Lets time pass, in milliseconds, by the sandbox's own clock: codes expire after 5 minutes, access tokens after an
   * hour, refresh tokens after 60 days without use.
   */
  advance(milliseconds: number): void;

  /**
   * Lets the next requests to an endpoint meet a fault; `null` ends it. `slow`, `stall`, `truncate` and `drip` spoil a
   * response whose request has been carried out; with the others nothing is. Throws a `TypeError` for an unknown
   * endpoint or fault.
   */
  fail(endpoint: Endpoint, fault: Fault | null, options?: FaultOptions): void;

  /** The requests that have arrived, in their order; the newest 10,000. Pictures and styles of pages are left out. */
  readonly requests: readonly RecordedRequest[];

  /** Stops listening, and ends all connections. */
  close(): Promise<void>;
}
