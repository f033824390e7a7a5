// The callback URL (`redirect_uri`): which ones are accepted, and how a path becomes an absolute URL.
import type { Request } from 'express';
import { isPrintable } from './values';

const ABSOLUTE = /^https?:\/\/[^\s\\#]+$/i;
const PATH = /^\/(?!\/)[^\s\\#]*$/;
const HOST = /^[\w.:[\]-]+$/;

/** Whether a value is an absolute http(s) URL without fragment (RFC 6749 §3.1.2), or a path that starts with one "/". */
export function isCallbackURL(value: unknown): value is string {
  if (typeof value !== 'string' || !isPrintable(value)) return false;
  return ABSOLUTE.test(value) ? URL.canParse(value) : PATH.test(value);
}

/**
 * A callback URL in absolute form. A path is completed with the origin of the request; with `proxy`, or Express's
 * "trust proxy" setting, with the one that `X-Forwarded-Proto` and `X-Forwarded-Host` name. `undefined` when the
 * request names no usable host.
 */
export function resolveCallbackURL(callbackURL: string, req: Request, proxy: boolean): string | undefined {
  if (!callbackURL.startsWith('/')) return callbackURL;

  const trusted = proxy || Boolean(req.app?.get?.('trust proxy'));
  const forwarded = (name: string) => (trusted ? firstOf(req.headers[name]) : undefined);
  const encrypted: unknown = Reflect.get(req.socket ?? {}, 'encrypted');
  const protocol = encrypted || forwarded('x-forwarded-proto')?.toLowerCase() === 'https' ? 'https' : 'http';
  const host = forwarded('x-forwarded-host') ?? firstOf(req.headers.host ?? req.headers[':authority']);
  const origin = `${protocol}://${host}`;
  return host && HOST.test(host) && URL.canParse(origin) ? origin + callbackURL : undefined;
}

/** The first of the values that a chain of proxies lists, separated by commas. */
function firstOf(header: string | string[] | undefined): string | undefined {
  const first = String(header ?? '').replace(/,.*/, '');
  return first.trim() || undefined;
}
