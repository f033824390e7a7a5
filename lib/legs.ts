// The two legs of a sign-in: `authorize` sends the user to Pipedrive, `callback` decides how the way back ends.
import { type ParsedUrlQueryInput, parse, stringify } from 'node:querystring';
import type { Request } from 'express';
import type { PipedriveAuthenticateOptions } from './authenticate-options';
import { type Callback, isCallback, queryOf, readCallback } from './callback';
import { isCallbackURL, resolveCallbackURL } from './callback-url';
import { type ClientHooks, requestTokens, secretsOf } from './client';
import { checkHosts, debug, warnOfInstall } from './diagnostics';
import { finishError, isTokenError } from './errors';
import { fromCallback } from './from-callback';
import { callbackFailure, failure, grantFailure, type Outcome, verdictOutcome } from './outcome';
import type { PendingTokens } from './pending';
import { createProofKey } from './pkce';
import { isPrefetch } from './prefetch';
import type { PipedriveProfile } from './profile';
import { type Query, splitURL } from './query';
import { RequestMetadata } from './state/metadata';
import { type BegunFlow, beginFlow, endFlow, type StateMetadata, type StateStore } from './state/store';
import { isErrorCode, isText } from './values';
import { callVerify, type VerifyFields } from './verify';

/**
 * What the legs read and call of the strategy, at the time of the request: passport-oauth2's own fields and hooks, which
 * frameworks, apps and test suites write, override and stub.
 */
interface StrategyHooks extends ClientHooks, VerifyFields {
  readonly name: string;
  readonly _callbackURL: string;
  readonly _stateStore: StateStore;
  readonly _pkceMethod?: unknown;
  readonly _trustProxy?: unknown;
  authorizationParams(options: PipedriveAuthenticateOptions): object;
  tokenParams(options: PipedriveAuthenticateOptions): object;
  _loadUserProfile(accessToken: string, done: (error?: unknown, profile?: PipedriveProfile) => void): void;
}

/** One request to the strategy. */
interface SignIn {
  strategy: StrategyHooks;
  /** The options `state` and `marketplaceInstall`. */
  usesState: boolean;
  marketplaceInstall: 'restart' | 'reject';
  pendingTokens: PendingTokens;
  req: Request;
  /** What `passport.authenticate` was given. */
  options: PipedriveAuthenticateOptions;
}

const METHOD_NOT_ALLOWED = { status: 405, headers: { Allow: 'GET' }, reason: 'the method is not GET' };
const NO_STATE = 'a code came without state';
const ODD_CODE = 'the error code is too long, or has odd characters';
const NO_HOST = 'the callback URL is a path, and the request names no usable host';

/** Decides on the outcome of a request. Without `code` and `error` in its query it starts a sign-in. */
export async function decide(signIn: SignIn): Promise<Outcome> {
  const query = queryOf(signIn.req);
  return isCallback(query) ? callback(signIn, query) : authorize(signIn);
}

/** RFC 6749 §4.1.1: remembers what the callback will need, and sends the user to Pipedrive. */
async function authorize(signIn: SignIn, { marketplace }: { marketplace?: boolean } = {}): Promise<Outcome> {
  const { strategy, usesState, req, options } = signIn;
  const meta = readMetadata(signIn);
  if (!meta) return failure('invalid_request', { reason: NO_HOST });

  if (marketplace) meta.marketplace = true;
  if (isPrefetch(req)) meta.prefetch = true;
  checkHosts(req, meta.callbackURL);

  const { codeVerifier, challenge } = createProofKey(strategy._pkceMethod) ?? {};
  const flow: BegunFlow =
    !usesState && isText(options.state)
      ? { ok: true, state: options.state } // passport-oauth2 passes a string on to Pipedrive
      : await beginFlow({ req, codeVerifier, state: options.state, meta }, strategy._stateStore);
  if (!flow.ok) return failure(flow.code ?? 'state_missing', { reason: flow.reason });
  if (debug.enabled) {
    const origin = resolveCallbackURL('/', req, Boolean(strategy._trustProxy));
    debug('client %s, request at %s, callback URL %s', meta.clientID, origin, meta.callbackURL);
  }
  const params = {
    ...strategy.authorizationParams(options),
    response_type: 'code',
    redirect_uri: meta.callbackURL,
    ...challenge,
    ...(flow.state && { state: flow.state }),
    client_id: meta.clientID,
  };
  const url = withParams(meta.authorizationURL, params);
  return { action: 'redirect', url, reason: marketplace ? NO_STATE : undefined };
}

/** RFC 6749 §4.1.2 to §4.1.4, the profile, and the app's verify function. */
async function callback(signIn: SignIn, query: Query): Promise<Outcome> {
  const { strategy, req, options } = signIn;
  const { method = 'GET' } = req; // test doubles may have none
  if (method !== 'GET') return failure('invalid_request', METHOD_NOT_ALLOWED);
  const parameters = readCallback(query);
  if (!parameters) return failure('invalid_request', { reason: 'a parameter is repeated, nested, too long or odd' });
  const meta = readMetadata(signIn);
  if (!meta) return failure('invalid_request', { reason: NO_HOST });

  const { code, state } = parameters;
  if (code === undefined) return callbackWithError(signIn, parameters, meta);
  if (state === undefined && signIn.usesState) {
    // Anybody can put a code into a link: exchanged, it would sign the user in to somebody else's account.
    warnOfInstall();
    if (signIn.marketplaceInstall === 'reject') return failure('state_missing', { reason: NO_STATE });
    return authorize(signIn, { marketplace: true });
  }

  // This uses the state up, before anything else can fail.
  const flow = await endFlow({ req, state, meta }, strategy._stateStore);
  if (!flow.ok) return failure(flow.code ?? 'state_invalid', { reason: flow.reason ?? 'the state store refused it' });

  const grant = await requestTokens(strategy, code, {
    ...strategy.tokenParams(options),
    grant_type: 'authorization_code',
    redirect_uri: flow.callbackURL ?? meta.callbackURL,
    ...(flow.codeVerifier && { code_verifier: flow.codeVerifier }),
  });
  const { tokens } = grant;
  const finish = (error: unknown) => {
    const secrets = secretsOf(strategy, code, flow.codeVerifier, tokens?.access_token, tokens?.refresh_token);
    return finishError(error, secrets, flow.state);
  };
  if (!tokens) return grantOutcome(finish(grant.error), flow.state);

  signIn.pendingTokens.add(tokens);
  try {
    const [profile] = await fromCallback<[PipedriveProfile]>((done) =>
      strategy._loadUserProfile(tokens.access_token, done),
    );
    return verdictOutcome(await callVerify(strategy, { req, tokens, profile }), flow);
  } catch (error) {
    return { action: 'error', error: finish(error) };
  } finally {
    signIn.pendingTokens.delete(tokens);
  }
}

/** The failure that Pipedrive reports to the callback. Its state is used up like a code's. */
async function callbackWithError(
  { strategy, usesState, req }: SignIn,
  { error, error_description: description, error_uri: uri, state }: Callback,
  meta: StateMetadata,
): Promise<Outcome> {
  // The code and the status of the failure depend neither on the state nor on a store that fails.
  const flow =
    usesState && state !== undefined
      ? await endFlow({ req, state, meta }, strategy._stateStore).catch(() => undefined)
      : undefined;
  const details = flow?.ok ? { description, uri, state: flow.state } : {};
  return isErrorCode(error)
    ? callbackFailure(error, details)
    : failure('invalid_request', { details, reason: ODD_CODE });
}

/** An expired or used code is a failure: a browser may request the callback twice. Anything else is an error. */
function grantOutcome(error: unknown, state: unknown): Outcome {
  return isTokenError(error) && error.code === 'invalid_grant'
    ? grantFailure(error, state)
    : { action: 'error', error };
}

/**
 * What a state store is told of a request. `undefined` if a callback URL is a path and the request names no usable host.
 * Throws a `TypeError` if `authenticate` was given a `callbackURL` that is not valid.
 */
function readMetadata({ strategy, req, options }: SignIn): StateMetadata | undefined {
  const { name, _oauth2, _callbackURL, _trustProxy } = strategy;
  const { callbackURL: given } = options;
  if (given && !isCallbackURL(given)) {
    throw new TypeError('callbackURL given to authenticate must be an absolute URL, or a path');
  }
  const ownCallbackURL = resolveCallbackURL(_callbackURL, req, Boolean(_trustProxy));
  const callbackURL = given ? resolveCallbackURL(given, req, Boolean(_trustProxy)) : ownCallbackURL;
  if (callbackURL === undefined || ownCallbackURL === undefined) return undefined;
  const { _authorizeUrl: authorizationURL, _accessTokenUrl: tokenURL, _clientId: clientID } = _oauth2;
  const meta = { authorizationURL, tokenURL, clientID, callbackURL, ownCallbackURL, strategy: name };
  return new RequestMetadata(meta, _oauth2._clientSecret);
}

/** A URL with these parameters, which replace its own of the same name. */
function withParams(url: string, params: ParsedUrlQueryInput): string {
  const [base, query] = splitURL(url);
  return `${base}?${stringify(query ? { ...parse(query), ...params } : params)}`;
}
