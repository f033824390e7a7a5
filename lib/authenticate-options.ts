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

declare module 'passport' {
  interface Authenticator<InitializeRet, AuthenticateRet, AuthorizeRet, AuthorizeOptions> {
    authenticate(
      strategy: string | string[] | PassportStrategy,
      options: PipedriveAuthenticateOptions,
      callback?: Callback,
    ): AuthenticateRet;
  }
}

declare global {
  namespace Express {
    interface AuthInfo {
      /** What the app gave as `state` to `passport.authenticate`. */
      state?: unknown;
    }
  }
}
