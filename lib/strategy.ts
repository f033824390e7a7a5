// The strategy: chooses between its two legs, which decide what comes of a request, and acts on that once.
import { stringify } from 'node:querystring';
import type { Request, RequestHandler } from 'express';
import {
  Strategy as OAuth2Strategy,
  type VerifyFunction as OAuth2Verify,
  type StrategyOptions,
  TokenError,
} from 'passport-oauth2';
import type { PipedriveAuthenticateOptions } from './authenticate-options';
import { type Callback, isCallback, queryOf, readCallback } from './callback';
import { isCallbackURL, resolveCallbackURL } from './callback-url';
import { USER_PROFILE_PATH } from './endpoints';
import { withState } from './errors';
import { fromCallback } from './from-callback';
import { type Form, PipedriveOAuth2 } from './oauth2';
import {
  type PipedriveStrategyOptions,
  type PipedriveStrategyOptionsWithRequest,
  type ResolvedOptions,
  resolveOptions,
} from './options';
import { applyOutcome, failure, type Outcome, refusal, verdictOutcome } from './outcome';
import { createProofKey } from './pkce';
import type { PipedriveProfile } from './profile';
import { resolveSkip } from './skip-user-profile';
import { type BegunFlow, beginFlow, endFlow, type StateMetadata, type StateStore } from './state/store';
import type { PipedriveTokens } from './tokens';
import { type PipedriveUninstall, readUninstall, type UninstallRequest, uninstallMiddleware } from './uninstall';
import { isErrorCode, isText } from './values';
import { resolveVerify, type Verify, type VerifyFunction, type VerifyFunctionWithRequest } from './verify';

/**
 * Signs users in with Pipedrive over OAuth 2.0 (RFC 6749 §4.1). A request without `code` and `error` is redirected to
 * Pipedrive's consent page; the callback ends in one of Passport's outcomes, with a `PipedriveFailure` as its `info`
 * when it is a failure.
 */
export class PipedriveStrategy extends OAuth2Strategy {
  override name = 'pipedrive';

  /** The client to Pipedrive, an `OAuth2` of the `oauth` package. */
  declare readonly _oauth2: PipedriveOAuth2;

  // passport-oauth2 keeps the store under this name, one that does nothing if there is none.
  declare private readonly _stateStore: StateStore;
  private readonly options: ResolvedOptions;
  private readonly verify: Verify;
  private readonly skipsProfile: ReturnType<typeof resolveSkip>;
  private readonly authorizePrefix: string;
  private readonly refreshes = new Map<string, Promise<PipedriveTokens>>();

  /** Throws a `TypeError` that names the option when one is missing or not what it must be. */
  constructor(options: PipedriveStrategyOptionsWithRequest, verify: VerifyFunctionWithRequest);
  constructor(options: PipedriveStrategyOptions, verify: VerifyFunction);
  constructor(
    options: PipedriveStrategyOptions | PipedriveStrategyOptionsWithRequest,
    verify: VerifyFunction | VerifyFunctionWithRequest,
  ) {
    const resolved = resolveOptions(options);
    const verifyUser = resolveVerify(verify, resolved.passReqToCallback);
    // What passport-oauth2 is given, it only keeps: both legs are ours.
    super(resolved as StrategyOptions, verify as OAuth2Verify);
    this.options = resolved;
    this.verify = verifyUser;
    this.skipsProfile = resolveSkip(resolved.skipUserProfile);

    const { clientID, clientSecret, authorizationURL, tokenURL, userProfileURL, customHeaders, timeout, agent } =
      resolved;
    const configured = userProfileURL === undefined ? [tokenURL] : [tokenURL, userProfileURL];
    this._oauth2 = new PipedriveOAuth2(clientID, clientSecret, '', authorizationURL, tokenURL, customHeaders, {
      timeout,
      agent,
      configuredOrigins: configured.map((url) => new URL(url).origin),
    });
    this.authorizePrefix = authorizationURL + (authorizationURL.includes('?') ? '&' : '?');
  }

  /** Passport calls it for each request. */
  override authenticate(req: Request, options: PipedriveAuthenticateOptions = {}): void {
    // Taken now: Passport may put the actions of another request on this object while this one waits.
    const { redirect, success, fail, error } = this;
    const actions = { redirect, success, fail, error };
    this.decide(req, options).then(
      (outcome) => applyOutcome(actions, req, outcome),
      (thrown) => applyOutcome(actions, req, { action: 'error', error: thrown }),
    );
  }

  private async decide(req: Request, options: PipedriveAuthenticateOptions): Promise<Outcome> {
    const query = queryOf(req);
    return await (isCallback(query) ? this.callback(req, query, options) : this.authorize(req, options));
  }

  /** RFC 6749 §4.1.1: remembers what the callback will need, and sends the user to Pipedrive. */
  private async authorize(req: Request, options: PipedriveAuthenticateOptions): Promise<Outcome> {
    const meta = this.metadata(req, options);
    if (!meta) return failure('invalid_request');

    const { clientID, pkce } = this.options;
    const proofKey = pkce ? createProofKey(pkce) : undefined;
    const flow = await this.stateFor(req, options, meta, proofKey?.codeVerifier);
    if (!flow.ok) return failure(flow.code ?? 'state_missing');
    const params = {
      ...this.authorizationParams(options),
      ...proofKey?.challenge,
      response_type: 'code',
      client_id: clientID,
      redirect_uri: meta.callbackURL,
      ...(flow.state ? { state: flow.state } : {}),
    };
    return { action: 'redirect', url: this.authorizePrefix + stringify(params) };
  }

  /** RFC 6749 §4.1.2: decides what comes of a callback. */
  private async callback(
    req: Request,
    query: Record<string, unknown>,
    options: PipedriveAuthenticateOptions,
  ): Promise<Outcome> {
    if (req.method !== 'GET') return failure('invalid_request', {}, 405);
    const callback = readCallback(query);
    const meta = this.metadata(req, options);
    if (!callback || !meta) return failure('invalid_request');

    const { code, state } = callback;
    if (code === undefined) return this.callbackWithError(req, callback, meta);
    if (state === undefined && this.options.state) {
      // Anybody can have put this code into a link: exchanged, it would sign the user in to somebody else's account.
      return this.options.marketplaceInstall === 'restart' ? this.authorize(req, options) : failure('state_missing');
    }

    // Used up before anything else can fail.
    const flow = await endFlow({ req, state, meta }, this._stateStore);
    if (!flow.ok) return failure(flow.code ?? 'state_invalid');
    const form = {
      ...this.tokenParams(options),
      grant_type: 'authorization_code',
      code,
      redirect_uri: flow.callbackURL ?? meta.callbackURL,
      code_verifier: flow.codeVerifier,
    };
    try {
      return await this.signIn(req, form, flow.state);
    } catch (error) {
      return { action: 'error', error: withState(error, flow.state) };
    }
  }

  /** An error's state is used up like a code's. The code and the status of the failure do not depend on it. */
  private async callbackWithError(req: Request, callback: Callback, meta: StateMetadata): Promise<Outcome> {
    const { error, error_description: description, error_uri: uri, state } = callback;
    const isVerifiable = this.options.state && state !== undefined;
    const flow = isVerifiable
      ? await endFlow({ req, state, meta }, this._stateStore).catch(() => undefined)
      : undefined;
    const details = flow?.ok ? { description, uri, state: flow.state } : {};
    return isErrorCode(error) ? refusal(error, details) : failure('invalid_request', details);
  }

  /** RFC 6749 §4.1.3, the profile, and the app's verify function. */
  private async signIn(req: Request, form: Form & { code: string }, state: unknown): Promise<Outcome> {
    let tokens: PipedriveTokens;
    try {
      tokens = await this._oauth2.requestTokens(form);
    } catch (error) {
      if (!(error instanceof TokenError) || error.code !== 'invalid_grant') throw error;
      // An error that says no more than its code has no words that may be repeated.
      const description = error.message === error.code ? undefined : error.message;
      return failure('invalid_grant', { description, state });
    }
    const { access_token: accessToken, refresh_token: refreshToken } = tokens;
    const profile = (await this.skipsProfile(accessToken)) ? undefined : await this.loadProfile(tokens, form.code);
    return verdictOutcome(await this.verify({ req, accessToken, refreshToken, tokens, profile }), state);
  }

  /**
   * Loads the profile of the user whom an access token stands for. The strategy passes the token response and the code
   * as well; without them only a fixed `userProfileURL` can be asked.
   */
  override userProfile(
    accessToken: string,
    done: (error?: unknown, profile?: PipedriveProfile) => void,
    tokens?: PipedriveTokens,
    code?: string,
  ): void {
    const url = this.options.userProfileURL ?? (tokens && tokens.api_domain.replace(/\/$/, '') + USER_PROFILE_PATH);
    if (url === undefined) throw new TypeError('userProfile needs the token response, or the option userProfileURL');
    const requested = this._oauth2.requestProfile(url, accessToken, tokens?.refresh_token, code);
    requested.then((profile) => done(null, profile), done);
  }

  /**
   * Exchanges a refresh token for a new access token. Calls with the same token at the same time share one request.
   * Rejects with `TokenError` when Pipedrive refuses (`code` is `'invalid_grant'`: the user must sign in again), and with
   * `InternalOAuthError` when it cannot be reached or understood (502), limits the rate (503) or is too slow (504).
   *
   * @see RFC 6749 §6; Pipedrive, marketplace-oauth-authorization: the refresh token stays the same
   */
  refresh(refreshToken: string): Promise<PipedriveTokens> {
    if (!isText(refreshToken)) return Promise.reject(new TypeError('refreshToken must be a string'));
    const pending = this.refreshes.get(refreshToken);
    if (pending) return pending;
    const refresh = this._oauth2
      .requestTokens({ grant_type: 'refresh_token', refresh_token: refreshToken })
      .finally(() => this.refreshes.delete(refreshToken));
    this.refreshes.set(refreshToken, refresh);
    return refresh;
  }

  /**
   * Revokes a token. A refresh token uninstalls the app for its user, an access token only ends itself. Pipedrive takes
   * an unknown token for revoked. Rejects as `refresh` does.
   *
   * @see RFC 7009 §2.1
   */
  async revoke(token: string, hint?: 'access_token' | 'refresh_token'): Promise<void> {
    if (!isText(token)) throw new TypeError('token must be a string');
    await this._oauth2.requestRevocation(this.options.revocationURL, { token, token_type_hint: hint });
  }

  /**
   * Middleware for `DELETE {callback URL}`, with which Pipedrive says that a user has uninstalled the app. It checks
   * Pipedrive's credentials, takes the body parsed or not, awaits the handler, and answers 204. It answers 401 to other
   * credentials, 400 to a body that is malformed or over 16 KiB, 403 to another app's; the handler's errors go to `next`.
   *
   * @see Pipedrive, app-uninstallation
   */
  uninstall(handler: (uninstall: PipedriveUninstall, req: Request) => unknown): RequestHandler {
    return uninstallMiddleware(handler, this.options);
  }

  /**
   * What `uninstall` does, without a framework: the notice in a request. Throws an error with `status` 401, 400 or 403
   * and `headers` to answer with.
   *
   * @see Pipedrive, app-uninstallation
   */
  readUninstall(request: UninstallRequest): PipedriveUninstall {
    return readUninstall(request, this.options);
  }

  private metadata(req: Request, options: PipedriveAuthenticateOptions): StateMetadata | undefined {
    const { authorizationURL, tokenURL, clientID, proxy } = this.options;
    const given = options.callbackURL;
    if (given && !isCallbackURL(given))
      throw new TypeError('callbackURL given to authenticate must be absolute, or a path');
    const ownCallbackURL = resolveCallbackURL(this.options.callbackURL, req, proxy);
    const callbackURL = given ? resolveCallbackURL(given, req, proxy) : ownCallbackURL;
    if (callbackURL === undefined || ownCallbackURL === undefined) return undefined;
    return { authorizationURL, tokenURL, clientID, callbackURL, ownCallbackURL, strategy: this.name };
  }

  private stateFor(
    req: Request,
    { state }: PipedriveAuthenticateOptions,
    meta: StateMetadata,
    codeVerifier: string | undefined,
  ): BegunFlow | Promise<BegunFlow> {
    // Without `state: true` passport-oauth2 sends a string as it is.
    if (!this.options.state && typeof state === 'string' && state !== '') return { ok: true, state };
    return beginFlow({ req, codeVerifier, state, meta }, this._stateStore);
  }

  private async loadProfile(tokens: PipedriveTokens, code: string): Promise<PipedriveProfile | undefined> {
    const [profile] = await fromCallback<[PipedriveProfile]>((done) =>
      this.userProfile(tokens.access_token, done, tokens, code),
    );
    return profile;
  }
}
