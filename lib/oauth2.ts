// The client to Pipedrive: `oauth`'s OAuth2, with its requests made safe, and typed ones for the strategy.
import type http from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { stringify } from 'node:querystring';
import { type dataCallback, OAuth2 } from 'oauth';
import { bodyError, connectionError, grantError, statusError, withHidden } from './errors';
import { type HttpRequest, type HttpResponse, send, type Target, targetOf } from './http';
import { type PipedriveProfile, readProfile } from './profile';
import { type PipedriveTokens, readTokens } from './tokens';
import { readJSONObject, withoutUndefined } from './values';

const FORM = 'application/x-www-form-urlencoded';
const USER_AGENT = 'passport-pipedrive-oauth2';

// `oauth`'s callbacks. Declared as methods, since the published types forget that there may be no error.
interface Callbacks {
  tokens(error: unknown, accessToken?: string, refreshToken?: string, response?: PipedriveTokens): void;
  data(error: unknown, body?: string, response?: IncomingMessage): void;
}

/** Parameters of a token or revocation request; one without a value is not sent. */
export type Form = Record<string, string | undefined>;

/** What the strategy knows beyond `OAuth2`'s own six arguments. */
export interface ClientOptions {
  /** Milliseconds for each request. */
  timeout?: number;
  agent?: http.Agent;
  /** Origins besides Pipedrive's that `api_domain` may name. */
  configuredOrigins?: readonly string[];
}

/**
 * `strategy._oauth2`. Other packages may use it as they use `oauth`'s: they build it anew from the six arguments,
 * call `getOAuthAccessToken`, `get`, `setAgent`. It authenticates with HTTP Basic only, sends tokens in the header
 * only, and takes a redirect for the error that it is.
 */
export class PipedriveOAuth2 extends OAuth2 {
  private readonly basic: string;
  private readonly commonHeaders: OutgoingHttpHeaders;
  private readonly formHeaders: OutgoingHttpHeaders;
  private readonly tokenTarget: Target;
  private readonly timeout: number;
  private readonly configuredOrigins: readonly string[];

  constructor(
    clientId: string,
    clientSecret: string,
    baseSite: string,
    authorizePath?: string,
    accessTokenPath?: string,
    customHeaders?: OutgoingHttpHeaders,
    { timeout = 10_000, agent, configuredOrigins }: ClientOptions = {},
  ) {
    super(clientId, clientSecret, baseSite, authorizePath, accessTokenPath, withoutAuthorization(customHeaders));
    this.basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    this.commonHeaders = { Accept: 'application/json', 'User-Agent': USER_AGENT, ...this._customHeaders };
    this.formHeaders = { ...this.commonHeaders, Authorization: `Basic ${this.basic}`, 'Content-Type': FORM };
    this.timeout = timeout;
    this.tokenTarget = targetOf(this._getAccessTokenUrl());
    this.configuredOrigins = configuredOrigins ?? [new URL(this._getAccessTokenUrl()).origin];
    this.setAgent(agent ?? this._agent);
  }

  /**
   * Asks the token endpoint. Rejects with `TokenError` when it refuses in Pipedrive's JSON, else with
   * `InternalOAuthError`.
   */
  async requestTokens(form: Form): Promise<PipedriveTokens> {
    const endpoint = "Pipedrive's token endpoint";
    const secrets = this.secrets(form.code, form.refresh_token, form.code_verifier);
    const answer = await this.ask(endpoint, this.tokenRequest(form), secrets);
    if (!isSuccess(answer)) throw grantError(endpoint, answer, secrets);
    return orBodyError(endpoint, () => this.readTokens(answer.body, form.refresh_token));
  }

  /** Asks the revocation endpoint (RFC 7009 §2.1). Rejects as `requestTokens` does. */
  async requestRevocation(url: string, form: Form): Promise<void> {
    const endpoint = "Pipedrive's revocation endpoint";
    const secrets = this.secrets(form.token);
    const answer = await this.ask(endpoint, this.formRequest(targetOf(url), form), secrets);
    if (!isSuccess(answer)) throw grantError(endpoint, answer, secrets);
  }

  /** Asks for the user of an access token. Rejects with `InternalOAuthError`, which repeats none of the other secrets. */
  async requestProfile(url: string, accessToken: string, ...others: (string | undefined)[]): Promise<PipedriveProfile> {
    const endpoint = "Pipedrive's /users/me";
    const secrets = this.secrets(accessToken, ...others);
    const headers = { Authorization: this.buildAuthHeader(accessToken), ...this.commonHeaders };
    // Stryker disable next-line StringLiteral: Node.js takes an empty method for GET.
    const request = this.httpRequest('GET', targetOf(url), headers);
    const answer = await this.ask(endpoint, request, secrets);
    if (!isSuccess(answer)) throw statusError(endpoint, answer, secrets);
    return orBodyError(endpoint, () => readProfile(answer.body));
  }

  /** As `oauth`'s: the callback gets an error, or the access token, the refresh token and the whole response. */
  override getOAuthAccessToken(code: string, params: unknown, callback?: Callbacks['tokens']): void {
    const done = callback ?? (params as Callbacks['tokens']);
    const { client_id, client_secret, ...grant }: Form = Object(params);
    const isRefresh = grant.grant_type === 'refresh_token';
    const form: Form = { ...grant, [isRefresh ? 'refresh_token' : 'code']: code };
    const { method, headers, body } = this.tokenRequest(form);
    this._request(method, this._getAccessTokenUrl(), headers, body, null, (error, data) => {
      if (error) return done(error);
      let tokens: PipedriveTokens;
      try {
        tokens = this.readTokens(String(data), form.refresh_token);
      } catch (cause) {
        return done(cause);
      }
      done(null, tokens.access_token, tokens.refresh_token, tokens);
    });
  }

  /** As `oauth`'s, under its `get` and `getProtectedResource`: what is not 2xx is an error `{ statusCode, data }`. */
  protected override _request(
    method: string,
    url: string,
    headers: OutgoingHttpHeaders | null,
    body: unknown,
    accessToken: string | null,
    callback: dataCallback,
  ): void {
    const bearer = accessToken ? { Authorization: this.buildAuthHeader(accessToken) } : {};
    const allHeaders = { ...this.commonHeaders, ...bearer, ...headers };
    const request = this.httpRequest(method, targetOf(url), allHeaders, body ? String(body) : undefined);
    const done: Callbacks['data'] = callback;
    const secrets = this.secrets(accessToken ?? undefined);
    this.ask('Pipedrive', request, secrets).then((answer) => {
      if (isSuccess(answer)) done(null, answer.body, answer.response);
      else done(refusedAsOAuth(answer));
    }, done);
  }

  private tokenRequest(form: Form): HttpRequest {
    return this.formRequest(this.tokenTarget, form);
  }

  private formRequest(target: Target, form: Form): HttpRequest {
    return this.httpRequest('POST', target, this.formHeaders, stringify(withoutUndefined(form)));
  }

  private httpRequest(method: string, target: Target, headers: OutgoingHttpHeaders, body?: string): HttpRequest {
    const agent = typeof this._agent === 'object' ? this._agent : undefined;
    return { method, target, headers, body, timeout: this.timeout, agent };
  }

  private async ask(endpoint: string, request: HttpRequest, secrets: readonly string[]): Promise<HttpResponse> {
    try {
      return await send(request);
    } catch (error) {
      throw connectionError(endpoint, error, secrets);
    }
  }

  private readTokens(body: string, refreshToken: string | undefined): PipedriveTokens {
    const response = readJSONObject(body);
    if (!response) throw new Error('The token response is not a JSON object');
    return readTokens(response, { now: Date.now(), configuredOrigins: this.configuredOrigins, refreshToken });
  }

  private secrets(...others: (string | undefined)[]): string[] {
    return [this._clientSecret, this.basic, ...others].filter((secret) => secret !== undefined);
  }
}

function isSuccess({ status }: HttpResponse): boolean {
  return Math.floor(status / 100) === 2;
}

function orBodyError<T>(endpoint: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw bodyError(endpoint, error as Error);
  }
}

function refusedAsOAuth({ status, body }: HttpResponse): Error {
  const error = Object.assign(new Error(`Pipedrive answered ${status}`), { statusCode: status });
  // Other packages look for the body here; nobody's log or JSON shall.
  return withHidden(error, 'data', body);
}

// The Authorization header is ours, in any letter case.
function withoutAuthorization(headers: OutgoingHttpHeaders = {}): OutgoingHttpHeaders {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => name.toLowerCase() !== 'authorization'));
}
