// One HTTP request to Pipedrive: one deadline, a bounded response, and always an end.
import { isUtf8 } from 'node:buffer';
import http, { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https, { type RequestOptions } from 'node:https';
import type { Socket } from 'node:net';
import { Deadline } from './deadline';

interface HttpRequest {
  method: string;
  target: Target;
  headers: OutgoingHttpHeaders;
  body?: string;
  /** Milliseconds to the last byte of the response: see `Deadline`. */
  timeout: number;
  agent?: http.Agent;
}

/** The address of a request, as Node.js takes it. */
type Target = Pick<RequestOptions, 'protocol' | 'host' | 'port' | 'path'>;

export interface HttpResponse {
  status: number;
  /** Empty where it is not UTF-8. */
  body: string;
  response: IncomingMessage;
}

/** The body of the response exceeds the limit. */
export class BodyTooLongError extends Error {}

/** Longest body of a response, in bytes. */
const LONGEST_BODY = 1024 * 1024;

/** A stale connection shows within this time, in milliseconds. What fails later may have reached the server. */
const STALE_WITHIN = 1_000;

export function targetOf(url: string): Target {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  // Node.js wants an IPv6 address without its brackets.
  return { protocol, host: hostname.replace(/[[\]]/g, ''), port, path: pathname + search };
}

/**
 * Sends a request and reads the whole response, whatever its status. Rejects with a `DeadlineError`, a
 * `BodyTooLongError`, or whatever else kept the response from being read.
 *
 * A request that meets a stale connection, which the server closed while it was idle, is sent again. Each attempt uses
 * up one of the agent's idle connections; an attempt on a new connection is the last.
 */
export async function sendRequest(request: HttpRequest): Promise<HttpResponse> {
  const deadline = new Deadline(request.timeout);
  try {
    let response: HttpResponse | undefined;
    while (!response) response = await attempt(request, deadline);
    return response;
  } finally {
    deadline.clear();
  }
}

/**
 * Sends a request on one connection. Resolves with `undefined` if that was stale.
 *
 * An exception in an event handler would crash the process, so each of them only settles the promise.
 */
function attempt(request: HttpRequest, deadline: Deadline): Promise<HttpResponse | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = startRequest(request);
    deadline.watch(outgoing, request.agent ?? moduleFor(request.target).globalAgent);
    const connection = new Connection(outgoing);
    const fail = (error: unknown) => {
      if (connection.wasStale(error)) resolve(undefined);
      else reject(error);
      ignoreExceptions(() => outgoing.destroy());
    };
    deadline.onPassed = fail;
    outgoing.on('error', fail);
    outgoing.on('response', (response) => void readResponse(response, connection).then(resolve, fail));
    // Without a listener Node.js would drop the connection without a word.
    outgoing.on('upgrade', (_response, socket) => {
      fail(new Error('The response switches protocols'));
      ignoreExceptions(() => socket.destroy()); // the request has let go of it
    });
    outgoing.end(request.body);
  });
}

function startRequest({ method, target, headers, agent }: HttpRequest): ClientRequest {
  const { protocol, host, port, path } = target;
  // Key by key: Node.js copies this object twice, which costs far more when a spread has made it.
  return moduleFor(target).request({ protocol, host, port, path, method, headers, agent });
}

const moduleFor = ({ protocol }: Target) => (protocol === 'https:' ? https : http);

/** Sockets that have carried a request. Node.js does not set `reusedSocket` where the request waited for its socket. */
const usedSockets = new WeakSet<Socket>();

/** The connection of one attempt, and whether the server had closed it before the request came. */
class Connection {
  private isReused = false;
  private bytesBefore = 0;
  private usedAt = 0;

  constructor(private readonly outgoing: ClientRequest) {
    outgoing.on('socket', (socket) => {
      this.usedAt = performance.now();
      ignoreExceptions(() => {
        this.bytesBefore = socket.bytesRead;
        this.isReused = outgoing.reusedSocket || usedSockets.has(socket);
        usedSockets.add(socket);
      });
    });
  }

  /** Whether the connection is an old one, and the request was sent on it a moment ago. */
  get mayBeStale(): boolean {
    return this.isReused && this.bytesBefore > 0 && performance.now() - this.usedAt < STALE_WITHIN;
  }

  /** Whether an attempt failed because the connection was stale: only then is the request sent again (RFC 6749 §4.1.2). */
  wasStale(error: unknown): boolean {
    if (error instanceof IdleConnectionError) return true;
    const { code }: NodeJS.ErrnoException = Object(error);
    const isClosed = code === 'ECONNRESET' || code === 'EPIPE';
    return isClosed && this.mayBeStale && this.outgoing.socket?.bytesRead === this.bytesBefore;
  }
}

/** The server treats the connection as idle, closes it, and says so (RFC 9110 §15.5.9). */
class IdleConnectionError extends Error {}

async function readResponse(response: IncomingMessage, connection: Connection): Promise<HttpResponse> {
  const status = Number(response.statusCode);
  if (status === 408 && connection.mayBeStale) throw new IdleConnectionError();
  const body = await readBody(response);
  // A body that is not UTF-8 cannot be read, but the status counts all the same.
  return { status, body: isUtf8(body) ? body.toString() : '', response };
}

const EMPTY: Buffer = Buffer.alloc(0);

function readBody(response: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // One buffer that grows: a list of a million chunks of one byte takes hundreds of megabytes.
    let buffer = EMPTY;
    let length = 0;
    const append = (chunk: Buffer) => {
      const needed = length + chunk.length;
      if (needed > LONGEST_BODY) throw new BodyTooLongError(`The response is longer than ${LONGEST_BODY} bytes`);
      if (length === 0) buffer = chunk;
      else {
        if (needed > buffer.length) buffer = Buffer.concat([buffer], Math.max(needed, 2 * buffer.length));
        chunk.copy(buffer, length);
      }
      length = needed;
    };
    response.on('data', (chunk: Buffer | string) => {
      try {
        // Text where a subscriber of Node's diagnostics channels has set an encoding.
        append(typeof chunk === 'string' ? Buffer.from(chunk, response.readableEncoding ?? 'utf8') : chunk);
      } catch (error) {
        response.pause();
        reject(error);
      }
    });
    response.on('end', () => resolve(buffer.subarray(0, length)));
    response.on('error', reject);
    // Where others destroy the response there is neither an end nor an error.
    response.on('close', () => response.readableEnded || reject(new Error('The response was cut off')));
  });
}

/** An agent may have a kind of socket of its own that throws in our event handlers. */
function ignoreExceptions(action: () => void): void {
  try {
    action();
  } catch {
    // The request fails, or works without what this was for.
  }
}
