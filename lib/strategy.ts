// The strategy: an OAuth2Strategy that lets its two legs, in legs.ts, decide on an outcome, and acts on it once.
import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { Strategy as OAuth2Strategy, type VerifyFunction as OAuth2Verify, type StrategyOptions } from 'passport-oauth2';
import type { PipedriveAuthenticateOptions } from './authenticate-options';
import { requestProfile, requestRefresh, requestRevocation } from './client';
import { checkRepetition } from './diagnostics';
import { isApiDomain, profileURL } from './endpoints';
import { internalOAuthError, ResponseError, readTokenError } from './errors';
import { decide } from './legs';
import { PipedriveOAuth2 } from './oauth2';
import type { PipedriveStrategyOptions, PipedriveStrategyOptionsWithRequest } from './options';
import { applyOutcome } from './outcome';
import { PendingRefreshes, PendingTokens } from './pending';
import type { PipedriveProfile } from './profile';
import { type ResolvedOptions, resolveOptions } from './resolve-options';
import { type SkipUserProfile, skipsUserProfile } from './skip-user-profile';
import type { StateStore } from './state/store';
import type { PipedriveTokens } from './tokens';
import {
  type PipedriveUninstall,
  readUninstall,
  type UninstallHandler,
  type UninstallMiddleware,
  type UninstallRequest,
  uninstallMiddleware,
} from './uninstall';
import { isText } from './values';
import type { VerifyContext, VerifyFunction, VerifyFunctionWithRequest } from './verify';

type UserProfileCallback = (error?: unknown, profile?: PipedriveProfile) => void;

/**
 * Signs users in with Pipedrive over OAuth 2.0 (RFC 6749 §4.1). A request without `code` and `error` is redirected to
 * Pipedrive's consent page; the callback ends in one of Passport's outcomes, with a `PipedriveFailure` as its `info`
 * when it is a failure.
 */
export class PipedriveStrategy extends OAuth2Strategy {
  // passport-oauth2's own fields, which others read and write: read again at each request.
  declare _oauth2: PipedriveOAuth2;
  declare _callbackURL: string;
  declare _stateStore: StateStore;
  declare _pkceMethod: 'S256' | 'plain' | false;
  declare _trustProxy: boolean;
  declare _skipUserProfile: SkipUserProfile;
  declare _verify: (...args: never[]) => unknown;
  declare _passReqToCallback: boolean;

  /** Longest time for one request to Pipedrive, in milliseconds: the option `timeout`. */
  readonly timeout: number;
  /** Everything else of ours under one name, so that a subclass can use any other. */
  private readonly _pipedrive: Pick<ResolvedOptions, 'marketplaceInstall' | 'revocationURL' | 'userProfileURL'> & {
    usesState: boolean;
    pendingTokens: PendingTokens;
    pendingRefreshes: PendingRefreshes;
  };

  /**
   * Throws a `TypeError` that names the option when one is missing or not what it must be. Passport's own verify forms
   * need annotated parameters here, and none with `Strategy`.
   */
  constructor(options: PipedriveStrategyOptions, verify: (context: VerifyContext) => unknown);
  constructor(options: PipedriveStrategyOptionsWithRequest, verify: VerifyFunctionWithRequest);
  constructor(options: PipedriveStrategyOptions, verify: VerifyFunction);
  constructor(
    options: PipedriveStrategyOptions | PipedriveStrategyOptionsWithRequest,
    verify: ((context: VerifyContext) => unknown) | VerifyFunction | VerifyFunctionWithRequest,
  ) {
    const resolved = resolveOptions(options);
    if (typeof verify !== 'function') throw new TypeError('verify is required and must be a function');
    super(resolved as StrategyOptions, verify as OAuth2Verify);
    this.name = resolved.name;
    this.timeout = resolved.timeout;
    const { state: usesState, marketplaceInstall, revocationURL, userProfileURL } = resolved;
    this._pipedrive = {
      usesState,
      marketplaceInstall,
      revocationURL,
      userProfileURL,
      pendingTokens: new PendingTokens(),
      pendingRefreshes: new PendingRefreshes(),
    };
    const { clientID, clientSecret, authorizationURL, tokenURL, customHeaders, timeout, agent } = resolved;
    this._oauth2 = new PipedriveOAuth2(clientID, clientSecret, '', authorizationURL, tokenURL, customHeaders, {
      timeout,
      agent,
      userProfileURL,
    });
  }

  /** Passport calls it for each request. */
  override authenticate(req: Request, options: PipedriveAuthenticateOptions = {}): void {
    checkRepetition(req);
    const { usesState, marketplaceInstall, pendingTokens } = this._pipedrive;
    const signIn = { strategy: this, usesState, marketplaceInstall, pendingTokens, req, options };
    applyOutcome(this, req, decide(signIn), options);
  }

  /**
   * Loads the profile of the user whom an access token stands for. During a sign-in the company's `api_domain` is known
   * by the access token; at other times the option `userProfileURL` is needed. Calls back with an `InternalOAuthError`
   * when Pipedrive cannot be reached (502), limits the rate (503), is too slow (504), or refuses the token (502).
   */
  override userProfile(accessToken: string, done: UserProfileCallback): void {
    const { userProfileURL, pendingTokens } = this._pipedrive;
    const domain = pendingTokens.get(accessToken)?.api_domain;
    // Checked here as well: a client other than ours does not.
    const companyURL = isApiDomain(domain, [this._oauth2._accessTokenUrl]) ? profileURL(domain) : undefined;
    const url = userProfileURL ?? companyURL;
    if (url === undefined) {
      const error = new ResponseError('No usable api_domain is known, and userProfileURL is not set');
      return done(internalOAuthError("Pipedrive's /users/me", error));
    }
    requestProfile(this, url, accessToken)
      .then((profile) => done(null, profile))
      .catch(done);
  }

  /** Loads the profile unless `skipUserProfile` says otherwise. */
  _loadUserProfile(accessToken: string, done: UserProfileCallback): void {
    skipsUserProfile(this, accessToken)
      .then((skips) => (skips ? done(null) : this.userProfile(accessToken, done)))
      .catch(done);
  }

  /** The error in a response of the token endpoint, or `null` where it has none in Pipedrive's JSON or the RFC's. */
  override parseErrorResponse(body: unknown, status: number): Error | null {
    return readTokenError(body, status) ?? null;
  }

  /** An error of `_oauth2` as the app gets it: what `parseErrorResponse` finds, otherwise an `InternalOAuthError`. */
  _createOAuthError(endpoint: string, error: unknown): Error {
    const { statusCode, data }: Record<string, unknown> = Object(error);
    if (typeof statusCode !== 'number' || !isText(data)) return internalOAuthError(endpoint, error);
    try {
      return this.parseErrorResponse(data, statusCode) || internalOAuthError(endpoint, error);
    } catch {
      return internalOAuthError(endpoint, error); // as in passport-oauth2: an override may not expect every body
    }
  }

  /**
   * Exchanges a refresh token for a new access token. Calls with the same token at the same time share one request, and
   * get a copy each. Rejects with `TokenError` when Pipedrive refuses (`code` is `'invalid_grant'`: the user must sign in
   * again), and with `InternalOAuthError` when it cannot be reached or its response is unusable (502), limits the rate
   * (503) or is too slow (504). A `refreshToken` that is empty or no string is a `TypeError`.
   *
   * @see RFC 6749 §6; Pipedrive, marketplace-oauth-authorization: the refresh token stays the same
   */
  async refresh(refreshToken: string): Promise<PipedriveTokens> {
    if (!isText(refreshToken)) throw new TypeError('refreshToken must be a string');
    return { ...(await this._pipedrive.pendingRefreshes.join(refreshToken, () => requestRefresh(this, refreshToken))) };
  }

  /**
   * Revokes a token (RFC 7009 §2.1). Revoking the refresh token uninstalls the app for its user; revoking the access token
   * leaves it installed. Pipedrive treats an unknown token as revoked. Rejects as `refresh` does.
   */
  async revoke(token: string, hint?: 'access_token' | 'refresh_token'): Promise<void> {
    if (!isText(token)) throw new TypeError('token must be a string');
    const { revocationURL, pendingRefreshes } = this._pipedrive;
    // Nobody may join a refresh from before the revocation: its tokens may be revoked with it.
    pendingRefreshes.clear();
    try {
      await requestRevocation(this, revocationURL, { token, token_type_hint: hint });
    } finally {
      pendingRefreshes.clear();
    }
  }

  /**
   * Middleware for `DELETE {callback URL}`, with which Pipedrive says that a user has uninstalled the app, in any
   * framework with the `req` and `res` of Node.js. It checks Pipedrive's credentials, reads the body, parsed or not, awaits
   * the handler, and responds with 204; with 401 to other credentials, 400 to a body that is malformed or over 16 KiB, 403
   * to a notice for another app. The handler's errors go to `next`; without `next` the response is a 500. Requests with
   * another method go to `next`; without it they get 405. Throws a `TypeError` if the handler is no function.
   *
   * @see Pipedrive, app-uninstallation
   */
  uninstall<Req extends IncomingMessage = Request>(handler: UninstallHandler<Req>): UninstallMiddleware<Req> {
    return uninstallMiddleware(handler, () => credentialsOf(this._oauth2));
  }

  /**
   * What `uninstall` does, without a framework: the notice in a request. Throws an error with `status` 401, 400 or 403
   * and `headers` to answer with.
   *
   * @see Pipedrive, app-uninstallation
   */
  readUninstall(request: UninstallRequest): PipedriveUninstall {
    return readUninstall(request, credentialsOf(this._oauth2));
  }
}

/** The app's credentials, as they are at the time of a request. */
function credentialsOf({ _clientId: clientID, _clientSecret: clientSecret }: PipedriveOAuth2) {
  return { clientID, clientSecret };
}
