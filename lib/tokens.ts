// The token response: reads it, and completes it.
import { ResponseError } from './errors';
import { isRecord, isText, isToken } from './values';

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
  /** When the access token expires, in Unix seconds. Unlike `expires_in` it stays true when the tokens are stored. */
  expires_at: number;
}

/**
 * The tokens in a response of the token endpoint, which is completed in place. The response to a refresh may lack the
 * refresh token, which is then `refreshToken`. Throws a `ResponseError` that names the field, never its value.
 *
 * @param now Unix time in ms
 */
export function readTokens(
  response: Record<string, unknown> | undefined,
  { now, refreshToken }: { now: number; refreshToken?: string },
): PipedriveTokens {
  if (!response) throw new ResponseError('The token response is not a JSON object');
  const {
    access_token,
    refresh_token = refreshToken,
    token_type = 'bearer',
    scope = '',
    expires_in,
    api_domain,
  } = response;
  if (!isToken(access_token)) throw unusable('access_token');
  if (!isToken(refresh_token)) throw unusable('refresh_token');
  if (typeof token_type !== 'string' || token_type.toLowerCase() !== 'bearer') {
    throw new ResponseError('The token response has a token_type other than bearer');
  }
  if (typeof scope !== 'string') throw unusable('scope');
  if (typeof expires_in !== 'number' || !(expires_in >= 0) || expires_in > Number.MAX_SAFE_INTEGER) {
    throw unusable('expires_in');
  }
  if (!isText(api_domain)) throw unusable('api_domain');
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

/**
 * The token response of any client, completed in a copy, since a stub may give the same object to each sign-in. The
 * tokens are those that the client called back with. Our client has checked the rest; of another client's response only
 * the access token is certain. Tokens of unknown lifetime count as expired.
 *
 * @param now Unix time in ms
 */
export function completeTokens(
  response: Partial<PipedriveTokens> | undefined,
  { now, accessToken, refreshToken }: { now: number; accessToken: string; refreshToken: string | undefined },
): PipedriveTokens {
  const given: Partial<PipedriveTokens> = isRecord(response) ? response : {};
  const { refresh_token, expires_in, expires_at } = given;
  const tokens = {
    ...given,
    access_token: accessToken,
    refresh_token: refreshToken ?? refresh_token, // `oauth` deletes it from the response
    expires_at: typeof expires_at === 'number' ? expires_at : Math.floor(now / 1000 + (Number(expires_in) || 0)),
  };
  return tokens as PipedriveTokens; // whoever puts in another client answers for the rest
}

function unusable(field: string): ResponseError {
  return new ResponseError(`The token response has no usable ${field}`);
}
