// Cookies on the response to a request, beside those of others.
import { stringifySetCookie } from 'cookie';
import type { Request, Response } from 'express';

// The values need no escaping: base36, base64url and base64.
const unencoded = (value: string) => value;

/** A `Set-Cookie` header (RFC 6265bis §4.1) as the prefix of the name wants it. `maxAge` is in seconds; 0 clears. */
export function setCookie(name: string, value: string, maxAge: number, domain: string | undefined): string {
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

/** Whether the response to a request is known, and can take a cookie without losing those of others. */
export function canSetCookies(req: Request): req is Request & { res: Response } {
  const { res } = req;
  return typeof res?.getHeader === 'function' && typeof res.setHeader === 'function';
}

export function addCookies(response: Response, lines: readonly string[]): void {
  const others = response.getHeader('Set-Cookie') ?? [];
  response.setHeader('Set-Cookie', [...(Array.isArray(others) ? others : [String(others)]), ...lines]);
}

/** The response to a request. Throws where it cannot take cookies. */
export function responseOf(req: Request): Response {
  if (!canSetCookies(req)) {
    throw new Error(
      'CookieStateStore needs req.res to set its cookies on, and the framework has not set it: before Passport runs say ' +
        'req.res = res, or use SessionStateStore (docs/troubleshooting.md)',
    );
  }
  return req.res;
}
