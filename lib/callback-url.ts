// The callback URL (`redirect_uri`): which ones are accepted, and how a path becomes an absolute URL.
import type { Request } from 'express';
import { isPrintable, isText } from './values';

const ABSOLUTE = /^https?:\/\/[^\s\\#]+$/i;
const PATH = /^\/(?!\/)[^\s\\#]*$/;
const HOST = /^[\w.:[\]-]+$/;

/** Whether a value is an absolute http(s) URL without fragment (RFC 6749 §3.1.2), or a path that starts with one "/". */
export function isCallbackURL(value: unknown): value is string {
  if (typeof value !== 'string' || !isPrintable(value)) return false;
  return ABSOLUTE.test(value) ? URL.canParse(value) : PATH.test(value);
}

/**
 * A callback URL in absolute form. A path is completed with the origin of the request as the framework tells it, under
 * its own rules for trusted proxies. With `proxy`, `X-Forwarded-Proto` and `X-Forwarded-Host` are trusted in any
 * framework. `undefined` if the request names no usable host.
 */
export function resolveCallbackURL(callbackURL: string, req: Request, proxy: boolean): string | undefined {
  if (!callbackURL.startsWith('/')) return callbackURL;

  const trusted = proxy || trustsProxy(req);
  const forwarded = (name: string) => (trusted ? firstOf(req.headers?.[name]) : undefined);
  const protocol = forwarded('x-forwarded-proto') ?? protocolOf(req);
  const host = forwarded('x-forwarded-host') ?? hostOf(req);
  const origin = `${protocol.toLowerCase() === 'https' ? 'https' : 'http'}://${host}`;
  return host && HOST.test(host) && URL.canParse(origin) ? origin + callbackURL : undefined;
}

/** Whether Express's setting "trust proxy" trusts the peer of this connection, as Express asks it. */
function trustsProxy(req: Request): boolean {
  const trusts = trustFunctionOf(req);
  if (trusts) return Boolean(trusts(connectionOf(req)?.remoteAddress, 0));
  // koa-passport shows Koa's `proxy` under Express's name.
  return req.app?.get?.('trust proxy') === true;
}

/** Express's compiled setting "trust proxy", where the framework is Express. */
function trustFunctionOf(req: Request): ((address: string | undefined, hop: number) => unknown) | undefined {
  const trusts: unknown = req.app?.get?.('trust proxy fn');
  return typeof trusts === 'function' ? (address, hop) => trusts(address, hop) : undefined;
}

function protocolOf(req: Request): string {
  const { protocol }: { protocol?: unknown } = req;
  if (isText(protocol)) return protocol;
  return Reflect.get(connectionOf(req) ?? {}, 'encrypted') ? 'https' : 'http';
}

function hostOf(req: Request): string | undefined {
  // Fastify and Koa apply their own trust to these; Express 4's `host` lacks the port.
  const { host, hostname }: { host?: unknown; hostname?: unknown } = trustFunctionOf(req) ? {} : req;
  const { headers = {} } = req; // test doubles may have none
  const named = [host, hostname].find(isText);
  // HTTP/2 has `:authority`, and prefers it to Host (RFC 9113 §8.3.1).
  return named ?? firstOf(headers[':authority']) ?? firstOf(headers.host);
}

/** The connection of a request. Test doubles may have it under its old name only. */
function connectionOf(req: Request): Request['socket'] | undefined {
  return req.socket ?? req.connection;
}

/** The first of the values that a chain of proxies lists, separated by commas. */
function firstOf(header: string | string[] | undefined): string | undefined {
  const first = String(header ?? '').replace(/,.*/, '');
  return first.trim() || undefined;
}
