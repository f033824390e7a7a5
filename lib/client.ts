// The strategy's requests to Pipedrive. All of them go through `_oauth2`, whichever client an app has put there.
import { stringify } from 'node:querystring';
import { finishError, internalOAuthError, ResponseError } from './errors';
import { fromCallback } from './from-callback';
import { basicCredentials, formHeaders, type PipedriveOAuth2 } from './oauth2';
import { type PipedriveProfile, readProfile } from './profile';
import { completeTokens, type PipedriveTokens } from './tokens';
import { isText, withoutUndefined } from './values';

/** The part of `oauth`'s OAuth2 that the strategy uses. */
type OAuth2Client = Pick<
  PipedriveOAuth2,
  '_clientId' | '_clientSecret' | '_authorizeUrl' | '_accessTokenUrl' | 'getOAuthAccessToken' | 'get' | '_request'
>;

/** The client, and passport-oauth2's hook that maps its errors. */
export interface ClientHooks {
  readonly _oauth2: OAuth2Client;
  _createOAuthError(endpoint: string, error: unknown): unknown;
}

/** Tokens, or why there are none. A value and no exception: an app's verify function may throw one that looks the same. */
type Grant = { tokens: PipedriveTokens; error?: undefined } | { tokens?: undefined; error: unknown };

/** Asks the token endpoint: with a code (RFC 6749 §4.1.3), or with a refresh token (§6). */
export async function requestTokens(
  strategy: ClientHooks,
  codeOrRefreshToken: string,
  params: Record<string, unknown>,
): Promise<Grant> {
  try {
    const [accessToken, refreshToken, response] = await fromCallback<[string, string, Partial<PipedriveTokens>]>(
      (done) => strategy._oauth2.getOAuthAccessToken(codeOrRefreshToken, params, done),
    );
    if (!isText(accessToken)) throw new ResponseError('The response has no access token');
    return { tokens: completeTokens(response, { now: Date.now(), accessToken, refreshToken }) };
  } catch (error) {
    return { error: strategy._createOAuthError("Pipedrive's token endpoint", error) };
  }
}

/** Exchanges a refresh token. */
export async function requestRefresh(strategy: ClientHooks, refreshToken: string): Promise<PipedriveTokens> {
  const { tokens, error } = await requestTokens(strategy, refreshToken, { grant_type: 'refresh_token' });
  if (!tokens) throw finishError(error, secretsOf(strategy, refreshToken));
  // A client other than ours may leave it out (RFC 6749 §6).
  return { ...tokens, refresh_token: tokens.refresh_token ?? refreshToken };
}

/** Asks for the user of an access token. */
export async function requestProfile(
  strategy: Pick<ClientHooks, '_oauth2'>,
  url: string,
  accessToken: string,
): Promise<PipedriveProfile> {
  const { _oauth2 } = strategy;
  try {
    const [body] = await fromCallback<[unknown]>((done) => _oauth2.get(url, accessToken, done));
    return readProfile(String(body), { clientID: _oauth2._clientId });
  } catch (error) {
    throw finishError(internalOAuthError("Pipedrive's /users/me", error), secretsOf(strategy, accessToken));
  }
}

/** Asks the revocation endpoint (RFC 7009 §2.1). */
export async function requestRevocation(
  strategy: ClientHooks,
  url: string,
  form: { token: string; token_type_hint: string | undefined },
): Promise<void> {
  const { _oauth2 } = strategy;
  const headers = formHeaders(_oauth2._clientId, _oauth2._clientSecret);
  try {
    await fromCallback((done) => _oauth2._request('POST', url, headers, stringify(withoutUndefined(form)), null, done));
  } catch (error) {
    throw finishError(
      strategy._createOAuthError("Pipedrive's revocation endpoint", error),
      secretsOf(strategy, form.token),
    );
  }
}

/** What an error must not repeat: the client secret, the credentials as they are sent, and what else is secret. */
export function secretsOf({ _oauth2 }: Pick<ClientHooks, '_oauth2'>, ...others: (string | undefined)[]): string[] {
  const { _clientId: clientId, _clientSecret: clientSecret } = _oauth2;
  return [clientSecret, basicCredentials(clientId, clientSecret), ...others].filter(isText);
}
