// One HTTP request of the sandbox's own. Not by `fetch`: tests replace that one, and some environments have none.
import http, { type IncomingHttpHeaders } from 'node:http';
import https from 'node:https';

interface Sent {
  method: string;
  headers?: Record<string, string>;
  body?: string;
  /** Milliseconds until the request is given up. @default none */
  timeout?: number;
}

export interface Received {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Sends a request and reads its response. Follows no redirect. Rejects when there is no whole response. */
export function send(url: URL, { method, headers, body = '', timeout }: Sent): Promise<Received> {
  const options = {
    method,
    headers: { ...headers, 'Content-Length': Buffer.byteLength(body) }, // Node.js adds none to a DELETE
    agent: false,
    rejectUnauthorized: false, // only loopback hosts are called, with certificates that nobody but their owner signs
    ...(timeout !== undefined && { signal: AbortSignal.timeout(timeout) }),
  };
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, options, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: Number(response.statusCode), headers: response.headers, body: text }));
    });
    request.on('error', reject).end(body);
  });
}
