// Cookies on the response to a request, beside those of others.
import type { ServerResponse } from 'node:http';
import { stringifySetCookie } from 'cookie';
import type { Request } from 'express';
import { responseOf } from '../response';

// The values need no escaping: base36, base64url and base64.
const unencoded = (value: string) => value;

/** A `Set-Cookie` header (RFC 6265bis §4.1) as the prefix of the name wants it. `maxAge` is in seconds; 0 clears. */
export function setCookieHeader(name: string, value: string, maxAge: number, domain: string | undefined): string {
  return stringifySetCookie(
    {
      name,
      value,
      maxAge,
      domain: name.startsWith('__Host-') ? undefined : domain,
      path: '/',
      httpOnly: true,
      sameSite: 'lax',
      secure: name.startsWith('__'),
    },
    { encode: unencoded },
  );
}

/** Adds cookies to those that others have set. */
export function addCookies(response: ServerResponse, lines: readonly string[]): void {
  const others = response.getHeader('Set-Cookie') ?? [];
  response.setHeader('Set-Cookie', [...(Array.isArray(others) ? others : [String(others)]), ...lines]);
}

/** The response to a request. Throws where it is unknown. */
export function requireResponse(req: Request): ServerResponse {
  const response = responseOf(req);
  if (response) return response;
  throw new Error(
    'CookieStateStore needs req.res to set its cookies on, and the framework has not set it: set req.res = res before ' +
      'Passport runs, or use SessionStateStore. See docs/troubleshooting.md',
  );
}
