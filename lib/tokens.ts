// Reads what the token endpoint answers: the tokens, or why there are none.
import { isApiDomain } from './endpoints';
import { isErrorCode, isRecord, isToken } from './values';

/** Pipedrive's token response as it came, plus `expires_at`. The official SDK's `updateToken` takes it as it is. */
export interface PipedriveTokens {
  /** Opaque; may exceed 500 characters. */
  access_token: string;
  token_type: string;
  /** Opaque; stays the same over refreshes, and expires after 60 days without one. */
  refresh_token: string;
  /** Comma-separated. */
  scope: string;
  /** Seconds from the response on. */
  expires_in: number;
  /** Base URL of the company's API, such as `https://acme.pipedrive.com`. */
  api_domain: string;
  /** When the access token ends, in Unix seconds. Unlike `expires_in` it still says so after being stored. */
  expires_at: number;
}

/**
 * The tokens in a response, which is completed in place. An answer to a refresh may lack the refresh token: the one
 * sent stays. Throws an `Error` that names the field, never its value.
 *
 * @param now Unix time in ms
 */
export function readTokens(
  response: Record<string, unknown>,
  {
    now,
    configuredOrigins,
    refreshToken,
  }: { now: number; configuredOrigins: readonly string[]; refreshToken?: string },
): PipedriveTokens {
  const {
    access_token,
    refresh_token = refreshToken,
    token_type = 'bearer',
    scope = '',
    expires_in,
    api_domain,
  } = response;
  if (!isToken(access_token)) throw new Error('The token response has no usable access_token');
  if (!isToken(refresh_token)) throw new Error('The token response has no usable refresh_token');
  if (typeof token_type !== 'string' || token_type.toLowerCase() !== 'bearer') {
    throw new Error('The token response has a token_type other than bearer');
  }
  if (typeof scope !== 'string') throw new Error('The token response has no usable scope');
  if (typeof expires_in !== 'number' || !(expires_in >= 0) || expires_in > Number.MAX_SAFE_INTEGER) {
    throw new Error('The token response has no usable expires_in');
  }
  if (!isApiDomain(api_domain, configuredOrigins)) throw new Error('The token response has no usable api_domain');
  const expires_at = Math.floor(now / 1000 + expires_in);
  return Object.assign(response, {
    access_token,
    refresh_token,
    token_type,
    scope,
    expires_in,
    api_domain,
    expires_at,
  });
}

/** An error of the token endpoint in Pipedrive's JSON, or in RFC 6749's; `undefined` for any other body. */
export function readTokenError(body: unknown): { code: string; words: unknown } | undefined {
  if (!isRecord(body) || !isErrorCode(body.error)) return undefined;
  // Pipedrive puts the human text in "message", not in "error_description" (RFC 6749 §5.2).
  return { code: body.error, words: body.message ?? body.error_description };
}
