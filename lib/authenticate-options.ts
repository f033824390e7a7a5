// What the strategy adds to Passport's types: options of `passport.authenticate`, and what `req.authInfo` carries.
import type { AuthenticateOptions, AuthenticateCallback as Callback, Strategy as PassportStrategy } from 'passport';

/** Options of `passport.authenticate('pipedrive', options)`. */
export interface PipedriveAuthenticateOptions extends Omit<AuthenticateOptions, 'state'> {
  /**
   * Whatever the app wants back when the user returns, such as the page to show: a string, or anything that JSON can
   * hold. It stays on the app's side, and comes back as `req.authInfo.state`.
   */
  state?: unknown;
  /** Another callback URL for this request; it follows the same rules as the option of the strategy. */
  callbackURL?: string | undefined;
}

/** What the strategy puts into `req.authInfo`. */
interface PipedriveAuthInfo {
  /** What the app gave as `state` to `passport.authenticate`. An app may declare its type in `Express.AuthInfo`. */
  state?: unknown;
  /** On success: `true` if this sign-in began as an install from the Marketplace. */
  marketplace?: boolean;
  /** On failure: the `code` of the `PipedriveFailure`. */
  code?: string;
  /** On failure: the `message` of the `PipedriveFailure`. */
  message?: string;
  /** On failure: Pipedrive's text, if the state of the request verified. */
  description?: string;
  /** On failure: Pipedrive's page about the error, if the state of the request verified. */
  uri?: string;
}

// `authenticate` and `authorize` once more, with our options. The second overload is for callbacks whose parameters are
// annotated more narrowly than Passport's.
declare module 'passport' {
  interface Authenticator<InitializeRet, AuthenticateRet, AuthorizeRet, AuthorizeOptions> {
    authenticate(
      strategy: string | string[] | PassportStrategy,
      options: PipedriveAuthenticateOptions,
      callback?: Callback,
    ): AuthenticateRet;
    authenticate(
      strategy: string | string[] | PassportStrategy,
      options: PipedriveAuthenticateOptions,
      callback: (...args: never[]) => unknown,
    ): AuthenticateRet;
    authorize(
      strategy: string | string[] | PassportStrategy,
      options: PipedriveAuthenticateOptions,
      callback?: Callback,
    ): AuthorizeRet;
    authorize(
      strategy: string | string[] | PassportStrategy,
      options: PipedriveAuthenticateOptions,
      callback: (...args: never[]) => unknown,
    ): AuthorizeRet;
    authorize(strategy: string | string[] | PassportStrategy, callback?: Callback): AuthorizeRet;
    authorize(strategy: string | string[] | PassportStrategy, callback: (...args: never[]) => unknown): AuthorizeRet;
  }
}

declare global {
  namespace Express {
    // Extended, not merged: so an app can declare a narrower type of `state`.
    interface AuthInfo extends PipedriveAuthInfo {}
  }
}
