// The other side of the benchmark, in a process of its own: Pipedrive, which answers at once, and the browsers.
import { Agent, createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { currentUser, tokenResponse, users } from '../sandbox/bodies';

/** What the measured process asks for: so many redirects or logins at one of its apps, one after another. */
export interface Order {
  origin: string;
  task: 'redirect' | 'login';
  count: number;
}

const agent = new Agent({ keepAlive: true });
const user = JSON.stringify(currentUser(users.ada));

const pipedrive = createServer((req, res) => {
  const apiDomain = `http://${req.headers.host}`;
  const tokens = tokenResponse({ accessToken: 'a'.repeat(512), refreshToken: 'r'.repeat(64), apiDomain });
  req.resume().on('end', () => {
    res.setHeader('Content-Type', 'application/json');
    res.end(req.method === 'POST' ? JSON.stringify(tokens) : user);
  });
});

function get(url: string, cookie?: string): Promise<{ status: number; headers: IncomingHttpHeaders }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, headers: cookie ? { cookie } : {} }, (response) => {
      const { statusCode = 0, headers } = response;
      response.resume().on('end', () => resolve({ status: statusCode, headers }));
    });
    outgoing.on('error', reject).end();
  });
}

async function run({ origin, task, count }: Order): Promise<void> {
  for (let i = 0; i < count; i += 1) {
    const { headers } = await get(`${origin}/auth`);
    if (task === 'redirect') continue;
    const state = new URL(headers.location ?? '').searchParams.get('state');
    const cookie = headers['set-cookie']?.map((each) => each.split(';')[0]).join('; ');
    const { status } = await get(`${origin}/callback?code=a-code&state=${state}`, cookie);
    if (status !== 204) throw new Error(`A login ended in ${status}`);
  }
}

pipedrive.keepAliveTimeout = 60_000;
pipedrive.listen(0, '127.0.0.1', () => process.send?.((pipedrive.address() as AddressInfo).port));
process.on('message', (order: Order) => run(order).then(() => process.send?.('done')));
