// The client to Pipedrive: `oauth`'s OAuth2, with its requests made safe.
import type { Agent, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { stringify } from 'node:querystring';
import { type InspectOptions, inspect } from 'node:util';
import { type dataCallback, OAuth2, type oauth2tokenCallback } from 'oauth';
import { isApiDomain } from './endpoints';
import { ResponseError, withHidden, withoutDetails } from './errors';
import { type HttpResponse, sendRequest, targetOf } from './http';
import { memoizeLast } from './memoize-last';
import { type PipedriveTokens, readTokens } from './tokens';
import { readJSONObject, withoutUndefined } from './values';

const USER_AGENT = 'passport-pipedrive-oauth2';

// `oauth`'s callbacks. Declared as methods, since the published types forget that there may be no error.
interface Callbacks {
  tokens(error: unknown, accessToken?: string, refreshToken?: string, response?: PipedriveTokens): void;
  data(error: unknown, body?: string, response?: IncomingMessage): void;
}

/** The client's credentials as HTTP Basic has them. */
export const basicCredentials = memoizeLast((clientId: string, clientSecret: string) =>
  Buffer.from(`${clientId}:${clientSecret}`).toString('base64'),
);

/** Headers of a form that the app sends with its credentials (RFC 6749 §2.3.1). Those who wrap `_request` may change them. */
export function formHeaders(clientId: string, clientSecret: string): Record<string, string> {
  const Authorization = `Basic ${basicCredentials(clientId, clientSecret)}`;
  return { 'Content-Type': 'application/x-www-form-urlencoded', Authorization };
}

/** What the strategy knows beyond `OAuth2`'s own six arguments. */
interface ClientOptions {
  /** Milliseconds for each request. @default 10000 */
  timeout?: number;
  agent?: Agent;
  /** A fixed URL of `/users/me`, whose origin `api_domain` may name as well. */
  userProfileURL?: string;
}

/**
 * `strategy._oauth2`. It authenticates with HTTP Basic only, sends tokens in the header only, treats a redirect as the
 * error that it is, and reads its fields at each request. Other packages may use it as they use `oauth`'s: they build it
 * anew from the six arguments, call `getOAuthAccessToken`, `get`, `setAgent`.
 */
export class PipedriveOAuth2 extends OAuth2 {
  declare _clientId: string;
  declare _clientSecret: string;
  declare _authorizeUrl: string;
  declare _accessTokenUrl: string;
  declare _customHeaders: OutgoingHttpHeaders;
  declare _agent: Agent | boolean;
  private readonly timeout: number;
  private readonly userProfileURL: string | undefined;
  /** Two, since the token endpoint stays the same, while the next user's `/users/me` may be another company's. */
  private readonly endpointTarget = memoizeLast(targetOf);
  private readonly profileTarget = memoizeLast(targetOf);

  constructor(
    clientId: string,
    clientSecret: string,
    baseSite: string,
    authorizePath?: string,
    accessTokenPath?: string,
    customHeaders?: OutgoingHttpHeaders,
    { timeout = 10_000, agent, userProfileURL }: ClientOptions = {},
  ) {
    super(clientId, clientSecret, baseSite, authorizePath, accessTokenPath, customHeaders);
    // Neither a log nor JSON of the strategy shows the secret, or headers and an agent, which may hold a proxy's password.
    withHidden(this, '_clientSecret', clientSecret);
    withHidden(this, '_customHeaders', this._customHeaders);
    withHidden(this, '_agent', agent ?? this._agent);
    this.timeout = timeout;
    this.userProfileURL = userProfileURL;
  }

  /** Prints no hidden field, not even for `%o` or `showHidden`. */
  [inspect.custom](_depth: number, options: InspectOptions, print: typeof inspect): string {
    return `${this.constructor.name} ${print({ ...this }, options)}`;
  }

  /**
   * Asks the token endpoint (RFC 6749 §4.1.3, §6). As `oauth`'s, the callback gets an error, or the access token, the
   * refresh token and the whole response.
   */
  override getOAuthAccessToken(code: string, params: object, callback: oauth2tokenCallback): void;
  override getOAuthAccessToken(code: string, callback: oauth2tokenCallback): void;
  override getOAuthAccessToken(code: string, params: unknown, callback?: Callbacks['tokens']): void {
    const done = callback ?? (params as Callbacks['tokens']);
    // The credentials are in the header, and RFC 6749 §2.3 allows one method for each request.
    const grant: Record<string, string | undefined> = withoutUndefined(Object(params));
    delete grant.client_id;
    delete grant.client_secret;
    const isRefresh = grant.grant_type === 'refresh_token';
    grant[isRefresh ? 'refresh_token' : 'code'] = code;
    const form = stringify(grant);
    const headers = formHeaders(this._clientId, this._clientSecret);
    this._request('POST', this._getAccessTokenUrl(), headers, form, null, (error, body) => {
      if (error) return done(error);
      let tokens: PipedriveTokens;
      try {
        tokens = this.readTokenResponse(String(body), isRefresh ? code : undefined);
      } catch (unusable) {
        return done(unusable);
      }
      done(null, tokens.access_token, tokens.refresh_token, tokens);
    });
  }

  /**
   * Sends a request. As `oauth`'s, the callback gets the body and the response, or an error: `{ statusCode, data }` for
   * any status but 2xx. It never throws.
   */
  override _request(
    method: string,
    url: string,
    headers: OutgoingHttpHeaders | null,
    body: unknown,
    accessToken: string | null,
    callback: dataCallback,
  ): void {
    const done: Callbacks['data'] = callback;
    const credentials = accessToken && { Authorization: this.buildAuthHeader(accessToken) };
    this.send(method, url, { ...credentials, ...headers }, body).then(
      (response) => {
        if (Math.floor(response.status / 100) === 2) done(null, response.body, response.response);
        else done(statusError(response));
      },
      (error) => done(withoutDetails(error)),
    );
  }

  private async send(method: string, url: string, headers: OutgoingHttpHeaders, body: unknown): Promise<HttpResponse> {
    return sendRequest({
      method,
      target: method === 'GET' ? this.profileTarget(url) : this.endpointTarget(url),
      headers: {
        Accept: 'application/json',
        'User-Agent': USER_AGENT,
        ...withoutAuthorization(this._customHeaders),
        ...headers,
      },
      body: body ? String(body) : undefined,
      timeout: this.timeout,
      agent: typeof this._agent === 'object' ? this._agent : undefined,
    });
  }

  private readTokenResponse(body: string, refreshToken: string | undefined): PipedriveTokens {
    const tokens = readTokens(readJSONObject(body), { now: Date.now(), refreshToken });
    if (!isApiDomain(tokens.api_domain, [this._getAccessTokenUrl(), this.userProfileURL])) {
      throw new ResponseError('The token response has no usable api_domain');
    }
    return tokens;
  }
}

/** An error of `oauth`'s form. Other packages read the body and the headers from it, but no log shows them. */
function statusError({ status, body, response }: HttpResponse): Error {
  const error = Object.assign(new Error(`Pipedrive answered ${status}`), { statusCode: status });
  return withHidden(withHidden(error, 'data', body), 'headers', response.headers);
}

/** Custom headers without `Authorization`, in any letter case: that one is ours. */
function withoutAuthorization(headers: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'));
}
