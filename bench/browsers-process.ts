// The other side, in a process of its own: Pipedrive, and the browsers.
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createTLSServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { currentUser, tokenResponse, users } from 'pipedrive-sandbox';
import { createCertificate } from './certificate';
import type { Task } from './runs';

/** So many redirects or logins at an app. */
export interface Visits {
  origin: string;
  task: Task;
  count: number;
  /** How many are under way at the same time. @default 1 */
  atOnce?: number;
  /** Over TLS: how many companies the users are of, each with a host of its own. @default 1 */
  companies?: number;
  /** Whether the token endpoint never answers. The parent is told when all requests have come there. */
  isSilent?: boolean;
  /** Cookies that the browser sends behind its own. */
  planted?: string;
}

export interface VisitsDone {
  /** Connections that came to Pipedrive meanwhile. */
  connections: number;
  /** How often the last response of a browser had each status. */
  statuses: Record<string, number>;
  /** The bytes of the largest response. */
  largest: number;
}

/** What the process says of itself. Without `openssl` there is no TLS. */
export interface Pipedrive {
  origin: string;
  tls?: { port: number; ca: string };
}

const user = JSON.stringify(currentUser(users.ada));
let agent = new Agent({ keepAlive: true });
let connections = 0;
let logins = 0;
let companies = 1;
let isSilent = false;
let onTokenRequest = () => {};

function answer(req: IncomingMessage, res: ServerResponse): void {
  req.resume().on('end', () => {
    res.setHeader('Content-Type', 'application/json');
    if (req.method === 'GET') return void res.end(user);
    onTokenRequest();
    if (isSilent) return;
    logins += 1;
    const isTLS = (req.socket as Partial<TLSSocket>).encrypted === true;
    const apiDomain = isTLS ? `https://company-${logins % companies}.pipedrive.com` : `http://${req.headers.host}`;
    const tokens = { accessToken: 'a'.repeat(512), refreshToken: 'r'.repeat(64), apiDomain };
    res.end(JSON.stringify(tokenResponse(tokens)));
  });
}

function get(url: string, cookie: string): Promise<{ response: IncomingMessage; bytes: number }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, headers: cookie ? { cookie } : {} }, (response) => {
      let bytes = response.rawHeaders.join(': ').length;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
      });
      response.on('end', () => resolve({ response, bytes }));
    });
    outgoing.on('error', reject).end();
  });
}

/** One browser, which comes without a cookie of ours. */
async function visit({ origin, task, planted = '' }: Visits): Promise<{ status: number; bytes: number }> {
  const started = await get(`${origin}/auth`, planted);
  const { headers, statusCode = 0 } = started.response;
  if (task === 'redirect') return { status: statusCode, bytes: started.bytes };
  const state = new URL(headers.location ?? '').searchParams.get('state');
  const own = headers['set-cookie']?.map((line) => line.split(';')[0]) ?? [];
  const cookies = [own.at(-1), planted].filter(Boolean).join('; ');
  const { response, bytes } = await get(`${origin}/callback?code=a-code&state=${state}`, cookies);
  return { status: response.statusCode ?? 0, bytes };
}

async function run(visits: Visits): Promise<VisitsDone> {
  const before = connections;
  const done: VisitsDone = { connections: 0, statuses: {}, largest: 0 };
  let left = visits.count;
  const browser = async () => {
    while (left > 0) {
      left -= 1;
      const { status, bytes } = await visit(visits);
      done.statuses[status] = (done.statuses[status] ?? 0) + 1;
      done.largest = Math.max(done.largest, bytes);
    }
  };
  await Promise.all(Array.from({ length: visits.atOnce ?? 1 }, browser));
  done.connections = connections - before;
  return done;
}

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  server.on('request', answer).on('connection', () => {
    connections += 1;
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

async function main(): Promise<void> {
  const certificate = createCertificate();
  const pipedrive: Pipedrive = { origin: `http://127.0.0.1:${await listen(createServer())}` };
  if (certificate) pipedrive.tls = { port: await listen(createTLSServer(certificate)), ca: certificate.cert };

  process.on('message', async (visits: Visits) => {
    ({ companies = 1, isSilent = false } = visits);
    let requests = 0;
    onTokenRequest = () => {
      requests += 1;
      if (isSilent && requests === visits.count) process.send?.('all wait');
    };
    const done = await run(visits);
    if (isSilent) {
      isSilent = false;
      agent.destroy(); // the next ones come on connections of their own
      agent = new Agent({ keepAlive: true });
    }
    process.send?.(done);
  });
  process.send?.(pipedrive);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
