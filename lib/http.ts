// One HTTP request to Pipedrive: one deadline, a bounded answer, and always an end.

import { isUtf8 } from 'node:buffer';
import http, { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import https, { type RequestOptions } from 'node:https';

export interface HttpRequest {
  method: string;
  target: Target;
  headers: OutgoingHttpHeaders;
  body?: string;
  /** Milliseconds from the start of the request to the last byte of the answer. */
  timeout: number;
  agent?: http.Agent;
}

/** The address of a request, as Node.js takes it. */
export type Target = Pick<RequestOptions, 'protocol' | 'host' | 'port' | 'path'>;

export interface HttpResponse {
  status: number;
  /** Empty where it is not UTF-8. */
  body: string;
  response: IncomingMessage;
}

/** The deadline passed. */
export class DeadlineError extends Error {}

/** Longest body of an answer, in bytes. */
const LONGEST_BODY = 1024 * 1024;

export function targetOf(url: string): Target {
  const { protocol, hostname, port, pathname, search } = new URL(url);
  // Node.js wants an IPv6 address without its brackets.
  return { protocol, host: hostname.replace(/[[\]]/g, ''), port, path: pathname + search };
}

/** Sends a request and reads its whole answer, whatever its status. Rejects when there is none that can be read. */
export function send(request: HttpRequest): Promise<HttpResponse> {
  return new Promise<HttpResponse>((resolve, reject) => {
    let current: ClientRequest | undefined;
    let isSettled = false;

    const settle = () => {
      isSettled = true;
      clearTimeout(deadline);
    };
    const fail = (error: unknown) => {
      settle();
      current?.destroy();
      reject(error);
    };
    const deadline = setTimeout(
      () => fail(new DeadlineError(`No answer within ${request.timeout} ms`)),
      request.timeout,
    );

    const attempt = (isSecond: boolean) => {
      let outgoing: ClientRequest;
      try {
        outgoing = startRequest(request);
      } catch (error) {
        return fail(error); // an agent may throw, and nobody would catch it in an event handler
      }
      let hasAnswer = false;
      current = outgoing;
      outgoing.on('response', (response) => {
        // Stryker disable next-line BooleanLiteral: Node.js 20 reports the end of an answer on the answer first.
        hasAnswer = true;
        const answer = (body: string) => {
          settle();
          resolve({ status: Number(response.statusCode), body, response });
        };
        readBody(response, answer, fail);
      });
      // Without a listener Node.js would drop the connection, and say nothing.
      outgoing.on('upgrade', (_response, socket) => {
        socket.destroy(); // the request has let go of it
        fail(new Error('The answer switches protocols'));
      });
      outgoing.on('error', (error: NodeJS.ErrnoException) => {
        const wasIdle = outgoing.reusedSocket && error.code === 'ECONNRESET' && !hasAnswer;
        if (!wasIdle || isSecond || isSettled) return fail(error);
        // The server had just closed the connection. Its other idle ones are as old: the agent shall open a new one.
        closeIdle(request);
        attempt(true);
      });
      outgoing.end(request.body);
    };

    attempt(false);
  });
}

function startRequest({ method, target, headers, agent }: HttpRequest): ClientRequest {
  const { protocol, host, port, path } = target;
  // Key by key: Node.js copies this object twice, which costs far more when a spread has made it.
  return transportOf(target).request({ protocol, host, port, path, method, headers, agent });
}

function readBody(response: IncomingMessage, done: (body: string) => void, fail: (error: unknown) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > LONGEST_BODY) fail(new Error(`The answer is longer than ${LONGEST_BODY} bytes`));
    else chunks.push(chunk);
  });
  response.on('error', fail);
  response.on('end', () => {
    const body = Buffer.concat(chunks);
    // Its status counts all the same.
    done(isUtf8(body) ? body.toString() : '');
  });
}

function closeIdle({ target, agent }: HttpRequest): void {
  const { freeSockets } = agent ?? transportOf(target).globalAgent;
  const host = `${target.host}:`;
  // Stryker disable next-line ArrayDeclaration: the default is for the types alone.
  for (const [name, sockets = []] of Object.entries(freeSockets)) {
    if (name.startsWith(host)) for (const socket of sockets) socket.destroy();
  }
}

function transportOf({ protocol }: Target): typeof http | typeof https {
  return protocol === 'https:' ? https : http;
}
