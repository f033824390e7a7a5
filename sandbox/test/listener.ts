// An app's server that writes down what it is sent, for notices.
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

interface Notice extends Pick<IncomingMessage, 'method' | 'url' | 'headers'> {
  body: unknown;
}

export interface Listener {
  callbackURL: string;
  notices: Notice[];
  close(): Promise<unknown>;
}

/** Starts a server on a loopback host that responds to each request with `status`. */
export async function startListener(status = 204): Promise<Listener> {
  const notices: Notice[] = [];
  const server = createServer(async (req, res) => {
    const { method, url, headers } = req;
    notices.push({ method, url, headers, body: JSON.parse(await text(req)) });
    res.writeHead(status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    callbackURL: `http://localhost:${(server.address() as AddressInfo).port}/callback`,
    notices,
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}
