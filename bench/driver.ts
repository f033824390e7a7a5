// The other side of the benchmark, in a process of its own: Pipedrive, and the browsers.
import { Agent, createServer, type IncomingHttpHeaders, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { currentUser, tokenResponse, users } from 'pipedrive-sandbox';

/** What the measured process asks for: so many redirects or logins at one of its apps. */
export interface Order {
  origin: string;
  task: 'redirect' | 'login';
  count: number;
  /** How many are under way at the same time. @default 1 */
  atOnce?: number;
  /** Milliseconds that the token endpoint takes. @default 0 */
  delay?: number;
}

export interface Done {
  /** Wall time, in ms. */
  time: number;
  /** Connections that came to Pipedrive meanwhile. */
  connections: number;
}

const agent = new Agent({ keepAlive: true });
const user = JSON.stringify(currentUser(users.ada));
let connections = 0;
let delay = 0;

const pipedrive = createServer((req, res) => {
  const apiDomain = `http://${req.headers.host}`;
  req.resume().on('end', () => {
    res.setHeader('Content-Type', 'application/json');
    if (req.method === 'GET') res.end(user);
    else if (delay > 0) setTimeout(answerTokens, delay, res, apiDomain);
    else answerTokens(res, apiDomain);
  });
});
pipedrive.on('connection', () => {
  connections += 1;
});

function answerTokens(res: ServerResponse, apiDomain: string): void {
  const tokens = { accessToken: 'a'.repeat(512), refreshToken: 'r'.repeat(64), apiDomain };
  res.end(JSON.stringify(tokenResponse(tokens)));
}

function get(url: string, cookie?: string): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, headers: cookie ? { cookie } : {} }, (response) => {
      const { statusCode = 0, headers } = response;
      response.resume().on('end', () => resolve({ status: statusCode, headers }));
    });
    outgoing.on('error', reject).end();
  });
}

/** One browser, which comes without a cookie. */
async function visit({ origin, task }: Order): Promise<void> {
  const { headers } = await get(`${origin}/auth`);
  if (task === 'redirect') return;
  const state = new URL(headers.location ?? '').searchParams.get('state');
  const cookie = headers['set-cookie']?.map((each) => each.split(';')[0]).join('; ');
  const { status } = await get(`${origin}/callback?code=a-code&state=${state}`, cookie);
  if (status !== 204) throw new Error(`A login ended in ${status}`);
}

async function run(order: Order): Promise<Done> {
  const start = performance.now();
  const before = connections;
  delay = order.delay ?? 0;
  let left = order.count;
  const browser = async () => {
    for (; left > 0; await visit(order)) left -= 1;
  };
  await Promise.all(Array.from({ length: order.atOnce ?? 1 }, browser));
  return { time: performance.now() - start, connections: connections - before };
}

pipedrive.keepAliveTimeout = 60_000;
pipedrive.listen(0, '127.0.0.1', () => process.send?.((pipedrive.address() as AddressInfo).port));
process.on('message', (order: Order) => run(order).then((done) => process.send?.(done)));
