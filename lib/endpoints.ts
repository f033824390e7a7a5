// Pipedrive's addresses, and the rules for which other address may receive credentials or a token.
import { memoizeLast } from './memoize-last';
import { isText } from './values';

/** Origin of the authorization, token and revocation endpoints. */
export const AUTHORIZATION_SERVER = 'https://oauth.pipedrive.com';

/** The current user below a company's `api_domain`. */
export const profileURL = (apiDomain: string) => `${apiDomain.replace(/\/$/, '')}/api/v1/users/me`;

const LOOPBACK = /^(localhost|.+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

// Plain characters only: the URL parser would forgive tabs, "@", "#", odd dots and more, and find another host in them.
const API_DOMAIN = /^https:\/\/([a-z\d-]+\.)*pipedrive\.com\/?$/i;

// The URL parser would forgive spaces, line breaks and missing slashes: not every header and browser does.
const PLAIN_URL = /^https?:\/\/[\x21-\x5b\x5d-\x7e]+$/i;

/** Whether an endpoint may be configured: https, or http to a loopback host, without credentials or fragment. */
export function isEndpoint(value: unknown): value is string {
  if (typeof value !== 'string' || !PLAIN_URL.test(value) || !URL.canParse(value)) return false;
  const { protocol, hostname, username, password, hash } = new URL(value);
  const isPrivate = protocol === 'https:' || (protocol === 'http:' && LOOPBACK.test(hostname));
  return isPrivate && username === '' && password === '' && hash === '';
}

/** Whether a value is an endpoint without a path, so that paths can be put behind it. */
export function isOrigin(value: unknown): value is string {
  return isEndpoint(value) && new URL(value).href === `${new URL(value).origin}/`;
}

/**
 * Whether a user's token may be sent to this `api_domain`: the origin of pipedrive.com or of a subdomain over https,
 * with no port, path or credentials; or the origin of an endpoint that the app configured itself.
 */
export function isApiDomain(value: unknown, endpoints: readonly (string | undefined)[]): value is string {
  if (!isText(value)) return false;
  return API_DOMAIN.test(value) || endpoints.some((url) => originOf(url) === value);
}

const originOf = memoizeLast((url: string | undefined) => (isEndpoint(url) ? new URL(url).origin : undefined));
