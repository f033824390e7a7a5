// Pipedrive's notice that a user has uninstalled the app: `DELETE {callback URL}`.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { asError, describeThrown } from './errors';
import { isRecord, isText, readBytes, readHeader, readId, readJSONObject } from './values';
import { emitWarning } from './warnings';

/** Who has uninstalled the app. */
export interface PipedriveUninstall {
  clientId: string;
  userId: number;
  companyId: number;
  /** As Pipedrive sent it. Its type is not documented. */
  timestamp: unknown;
}

/** An uninstall request, from any server. */
export interface UninstallRequest {
  /**
   * The headers as Node.js, `fetch`, a `Map` or an event of AWS Lambda has them: names in any letter case, each value a
   * string or an array of strings.
   */
  headers: object;
  /** The parsed JSON, its text, or its bytes (`Buffer`, `ArrayBuffer` or any view of one). */
  body: unknown;
}

/** What `uninstall` does with a notice. */
export type UninstallHandler<Req> = (uninstall: PipedriveUninstall, req: Req) => unknown;

/** Middleware for any framework with the `req` and `res` of Node.js. Its promise never rejects. */
export type UninstallMiddleware<Req> = (
  req: Req,
  res: ServerResponse,
  next?: (error?: unknown) => unknown,
) => Promise<void>;

/** The app's own credentials, with which Pipedrive authenticates. */
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

const CHALLENGE = { 'WWW-Authenticate': 'Basic realm="Pipedrive uninstall", charset="UTF-8"' };

/** The notice in a request. Throws an error with status 401, 400 or 403 if it is not one from Pipedrive to this app. */
export function readUninstall({ headers, body }: UninstallRequest, app: Credentials): PipedriveUninstall {
  checkHeaders(headers, app);
  return readNotice(body, app);
}

/**
 * The middleware over `readUninstall`: 204 when the handler is done. What the handler throws goes to `next`; without
 * `next`, or if `next` throws as well, it is a process warning and the response is a 500. Methods other than DELETE go
 * to `next`, too; without it they get 405. `credentials` is called for each request.
 */
export function uninstallMiddleware<Req extends IncomingMessage>(
  handler: UninstallHandler<Req>,
  credentials: () => Credentials,
): UninstallMiddleware<Req> {
  if (typeof handler !== 'function') throw new TypeError('handler must be a function');

  async function respondTo(...[req, res, next]: Parameters<UninstallMiddleware<Req>>): Promise<void> {
    if (req.method !== 'DELETE') return next ? void (await next()) : respond(res, 405, { Allow: 'DELETE' });
    const notice = await readRequest(req, credentials()).catch(asRefusal);
    if (notice instanceof UninstallError) return respond(res, notice.status, notice.headers);
    await handler(notice, req);
    respond(res, 204);
  }

  // Not an async function itself: restify accepts none that has a third parameter.
  return (req, res, next) => respondTo(req, res, next).catch((error) => fail(error, res, next));
}

async function readRequest(req: IncomingMessage, app: Credentials): Promise<PipedriveUninstall> {
  // Before the body: that of an unauthenticated request is not read.
  checkHeaders(req.headers, app);
  return readNotice(await readBody(req), app);
}

/** A refusal as a value, apart from what the handler may throw. Any other error is thrown on. */
function asRefusal(error: unknown): UninstallError {
  if (error instanceof UninstallError) return error;
  throw error;
}

function respond(res: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  // The handler may have answered already.
  if (!res.headersSent) {
    res.statusCode = status;
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
  }
  res.end();
}

/** Gives an error to the framework. If that does not take it, the response is a 500, and the error a process warning. */
async function fail(error: unknown, res: ServerResponse, next?: (error?: unknown) => unknown): Promise<void> {
  try {
    if (next) return void (await next(asError(error)));
  } catch {
    // Polka's throws for an error whose `code` is no HTTP status, such as ECONNREFUSED.
  }
  respond(res, 500);
  const detail = describeThrown(error);
  emitWarning('An uninstall could not be handled', { code: 'PIPEDRIVE_UNINSTALL_FAILED', detail });
}

function checkHeaders(headers: object, { clientID, clientSecret }: Credentials): void {
  // Without this check a missing secret would be the text "undefined".
  if (!isText(clientID) || !isText(clientSecret)) throw new TypeError('clientID and clientSecret must be strings');
  const expected = digestOf(Buffer.from(`${clientID}:${clientSecret}`).toString('base64'));
  const isRight = (value: string) => timingSafeEqual(digestOf(BASIC.exec(value)?.[1] ?? ''), expected);
  const given = readHeader(headers, 'authorization');
  if (given.length === 0 || !given.every(isRight)) {
    throw new UninstallError("The uninstall request lacks the app's credentials", 401, CHALLENGE);
  }
  if (readHeader(headers, 'content-length').some((length) => Number(length) > LONGEST_BODY)) throw tooLong();
}

function readNotice(body: unknown, { clientID }: Credentials): PipedriveUninstall {
  const text = textOf(body);
  if (Buffer.byteLength(text) > LONGEST_BODY) throw tooLong();
  const { client_id, user_id, company_id, timestamp } = readJSONObject(text) ?? {};
  const [userId, companyId] = [readId(user_id), readId(company_id)];
  if (!isText(client_id) || userId === undefined || companyId === undefined) throw malformed();
  if (client_id !== clientID) throw new UninstallError('The uninstall request is for another app', 403);
  return { clientId: client_id, userId, companyId, timestamp };
}

/** The body as a parser left it; otherwise it is read here. */
async function readBody(req: IncomingMessage): Promise<unknown> {
  const parsed: unknown = Reflect.get(req, 'body');
  if (!isEmptyBody(parsed)) return parsed;

  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // A body that is too long is read to its end and dropped: stopping would close the connection before the response.
    for await (const chunk of req) {
      const bytes = Buffer.from(chunk);
      length += bytes.length;
      if (length <= LONGEST_BODY) chunks.push(bytes);
    }
  } catch {
    return undefined; // the connection broke
  }
  if (length > LONGEST_BODY) throw tooLong();
  return Buffer.concat(chunks);
}

/** Whether a body parser has read nothing: Express 4's then leave an empty object, others an empty text. */
function isEmptyBody(body: unknown): boolean {
  if (body === undefined || body === null || body === '') return true;
  return isRecord(body) && readBytes(body) === undefined && Object.keys(body).length === 0;
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return body;
  try {
    return readBytes(body)?.toString() ?? String(JSON.stringify(body));
  } catch {
    throw malformed(); // it has a cycle or a BigInt
  }
}

function malformed(): UninstallError {
  return new UninstallError('The body of the uninstall request is malformed', 400);
}

function tooLong(): UninstallError {
  return new UninstallError(`The body of the uninstall request is longer than ${LONGEST_BODY} bytes`, 400);
}

function digestOf(value: string): Buffer {
  // timingSafeEqual requires both to have the same length.
  return createHash('sha256').update(value).digest();
}
