// Pipedrive's notice that a user has uninstalled the app: `DELETE {callback URL}`.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Request, RequestHandler } from 'express';
import { asError } from './errors';
import { isId, isRecord, readJSONObject } from './values';

/** Who has uninstalled the app. */
export interface PipedriveUninstall {
  clientId: string;
  userId: number;
  companyId: number;
  /** As Pipedrive sent it. */
  timestamp: string;
}

/** What an uninstall request carries: the headers of Node.js or of `fetch`, and the body, parsed or not. */
export interface UninstallRequest {
  headers: IncomingHttpHeaders | Headers;
  /** The parsed JSON, its text, or its bytes. */
  body: unknown;
}

/** The app's own credentials, which authenticate Pipedrive. */
interface Credentials {
  clientID: string;
  clientSecret: string;
}

/**
 * An uninstall request that is refused: the status to answer with, and the headers that belong to it. In the form of
 * http-errors, so that Nest, Koa and Fastify answer it by themselves.
 */
class UninstallError extends Error {
  readonly statusCode: number;
  readonly expose = true;

  constructor(
    message: string,
    readonly status: number,
    readonly headers: Record<string, string> = {},
  ) {
    super(message);
    this.statusCode = status;
  }
}

/** Longest body, in bytes. */
const LONGEST_BODY = 16 * 1024;

const BASIC = /^Basic +(\S+)$/i;

/** The notice in a request. Throws an error with status 401, 400 or 403 when it is not Pipedrive's to this app. */
export function readUninstall({ headers, body }: UninstallRequest, app: Credentials): PipedriveUninstall {
  checkHeaders(headers, app);
  return readNotice(body, app);
}

/** The middleware over `readUninstall`: 204 when the handler is done; what the handler throws goes to `next`. */
export function uninstallMiddleware(
  handler: (uninstall: PipedriveUninstall, req: Request) => unknown,
  app: Credentials,
): RequestHandler {
  if (typeof handler !== 'function') throw new TypeError('handler must be a function');
  return async (req, res, next) => {
    try {
      // Before the body is read: a stranger's is not worth it.
      checkHeaders(req.headers, app);
      await handler(readNotice(await readBody(req), app), req);
      res.status(204).end();
    } catch (error) {
      if (error instanceof UninstallError) res.status(error.status).set(error.headers).end();
      else next(asError(error));
    }
  };
}

function checkHeaders(headers: UninstallRequest['headers'], { clientID, clientSecret }: Credentials): void {
  const given = String(BASIC.exec(headerOf(headers, 'authorization'))?.[1]);
  const expected = Buffer.from(`${clientID}:${clientSecret}`).toString('base64');
  if (!timingSafeEqual(digestOf(given), digestOf(expected))) {
    const challenge = { 'WWW-Authenticate': 'Basic realm="Pipedrive uninstall", charset="UTF-8"' };
    throw new UninstallError("The uninstall request lacks the app's credentials", 401, challenge);
  }
  if (Number(headerOf(headers, 'content-length')) > LONGEST_BODY) throw tooLong();
}

function readNotice(body: unknown, { clientID }: Credentials): PipedriveUninstall {
  const text = textOf(body);
  if (Buffer.byteLength(text) > LONGEST_BODY) throw tooLong();
  const { client_id, user_id, company_id, timestamp } = readJSONObject(text) ?? {};
  if (typeof client_id !== 'string' || !isId(user_id) || !isId(company_id) || typeof timestamp !== 'string') {
    throw new UninstallError('The body of the uninstall request is malformed', 400);
  }
  if (client_id !== clientID) throw new UninstallError('The uninstall request is for another app', 403);
  return { clientId: client_id, userId: user_id, companyId: company_id, timestamp };
}

/** The body as a parser left it, or else read here. */
async function readBody(req: Request): Promise<unknown> {
  const parsed: unknown = req.body;
  // Express 4's parsers leave an empty object where they read nothing.
  if (parsed !== undefined && !(isRecord(parsed) && Object.keys(parsed).length === 0)) return parsed;

  let body = Buffer.alloc(0);
  try {
    // Too much is read to its end, and dropped: to break off would cut the connection that the answer needs.
    for await (const chunk of req) body = Buffer.concat([body, Buffer.from(chunk)]).subarray(0, LONGEST_BODY + 1);
  } catch {
    return undefined; // it was cut
  }
  return body;
}

function textOf(body: unknown): string {
  if (body instanceof Uint8Array) return Buffer.from(body).toString();
  return typeof body === 'string' ? body : String(JSON.stringify(body));
}

function tooLong(): UninstallError {
  return new UninstallError(`The body of the uninstall request is longer than ${LONGEST_BODY} bytes`, 400);
}

function digestOf(value: string): Buffer {
  // Of one length, whatever was sent: timingSafeEqual insists.
  return createHash('sha256').update(value).digest();
}

function headerOf(headers: UninstallRequest['headers'], name: string): string {
  return String(headers instanceof Headers ? headers.get(name) : headers[name]);
}
