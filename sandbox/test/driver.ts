// Plays the user's and the app's part against a sandbox, without a browser.
import type { SandboxApp, tokenResponse, users } from 'pipedrive-sandbox';

export type Form = Record<string, string> | [string, string][];
export type Tokens = ReturnType<typeof tokenResponse>;
type Headers = Record<string, string>;

export const post = (url: string, form: Form, headers: Headers = {}, signal?: AbortSignal): Promise<Response> =>
  fetch(url, { method: 'POST', body: new URLSearchParams(form), headers, redirect: 'manual', signal });

export const basic = ({ clientId, clientSecret }: SandboxApp): Headers => ({
  Authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`,
});

/** The parameters that a redirect carries back to the app. */
export const answerOf = (response: Response): URLSearchParams =>
  new URL(response.headers.get('location') ?? 'none:').searchParams;

const isTokens = (body: unknown): body is Tokens => typeof body === 'object' && body !== null && 'access_token' in body;

/** Reads a token response. Throws when it is an error. */
export async function tokensOf(response: Response): Promise<Tokens> {
  const body: unknown = await response.json();
  if (isTokens(body)) return body;
  throw new Error(`The sandbox gave no tokens, but ${JSON.stringify(body)}`);
}

/** What can be done with the app `client` at the sandbox. */
export class Driver {
  constructor(
    readonly origin: string,
    readonly client: SandboxApp,
  ) {}

  /** Sends the consent form, as `users.ada` who allows unless the form says otherwise. */
  decide(form: Record<string, string> = {}, headers?: Headers): Promise<Response> {
    const { clientId: client_id, callbackURL: redirect_uri } = this.client;
    const user: keyof typeof users = 'ada';
    return post(
      `${this.origin}/oauth/authorize`,
      { client_id, redirect_uri, user, decision: 'allow', ...form },
      headers,
    );
  }

  async newCode(form?: Record<string, string>): Promise<string> {
    return answerOf(await this.decide(form)).get('code') ?? '';
  }

  exchange(
    code: string,
    form: Record<string, string> = {},
    headers = basic(this.client),
    signal?: AbortSignal,
  ): Promise<Response> {
    const redirect_uri = this.client.callbackURL;
    return post(
      `${this.origin}/oauth/token`,
      { grant_type: 'authorization_code', code, redirect_uri, ...form },
      headers,
      signal,
    );
  }

  async install(form?: Record<string, string>): Promise<Tokens> {
    return tokensOf(await this.exchange(await this.newCode(form)));
  }

  refresh(refresh_token: string, form: Record<string, string> = {}): Promise<Response> {
    const body = { grant_type: 'refresh_token', refresh_token, ...form };
    return post(`${this.origin}/oauth/token`, body, basic(this.client));
  }

  revoke(token: string, signal?: AbortSignal): Promise<Response> {
    return post(`${this.origin}/oauth/revoke`, { token }, basic(this.client), signal);
  }

  api(path: string, accessToken: string, signal?: AbortSignal): Promise<Response> {
    const headers = { Authorization: `Bearer ${accessToken}` };
    return fetch(`${this.origin}/api/v1${path}`, { headers, redirect: 'manual', signal });
  }
}
