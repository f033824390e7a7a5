// A proxy in front of the processes of an app: each request goes to the next of those that listen.
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

export interface RoundRobin {
  origin: string;
  /** The ports that responded, in their order. */
  readonly served: number[];
  close(): Promise<void>;
}

/** Starts the proxy. It tells the processes under which address the browser sees it. */
export async function startRoundRobin(port: number, upstreams: number[]): Promise<RoundRobin> {
  const served: number[] = [];
  let turn = 0;

  function forward(req: IncomingMessage, body: Buffer, res: ServerResponse, tries = upstreams.length): void {
    const upstream = upstreams[turn++ % upstreams.length] ?? 0;
    const forwarded = { 'x-forwarded-proto': 'http', 'x-forwarded-host': req.headers.host };
    const address = { host: '127.0.0.1', port: upstream, method: req.method, path: req.url, agent: false };
    request({ ...address, headers: { ...req.headers, ...forwarded } })
      .on('response', (response) => {
        served.push(upstream);
        res.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(res);
      })
      .on('error', () => (tries > 1 ? forward(req, body, res, tries - 1) : res.writeHead(502).end()))
      .end(body);
  }

  const server = createServer(async (req, res) => forward(req, await buffer(req), res)).listen(port, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://localhost:${port}`,
    served,
    async close() {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
