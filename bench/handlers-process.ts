// A fresh process that measures one strategy's handlers alone: no HTTP, no Express, and an upstream in memory.
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { OAuth2 } from 'oauth';
import { currentUser, tokenResponse, users } from 'pipedrive-sandbox';
import { handlerOf, type StrategyName, strategyOf } from './contestants';
import { mainThreadTime } from './main-thread';
import { MemoryAgent } from './memory-agent';
import type { Task } from './runs';

const ORIGIN = 'http://127.0.0.1';
const user = JSON.stringify(currentUser(users.ada));
const tokens = JSON.stringify(
  tokenResponse({ accessToken: 'a'.repeat(512), refreshToken: 'r'.repeat(64), apiDomain: ORIGIN }),
);

const [name] = process.argv.slice(2) as [StrategyName];
const strategy = strategyOf(name, ORIGIN);
const client: OAuth2 = Reflect.get(strategy, '_oauth2');
client.setAgent(new MemoryAgent((method) => (method === 'GET' ? user : tokens)));
const handler = handlerOf(strategy);

interface Visitor {
  cookie: string;
  session: object;
}

/** One request to the handler. Yields what a redirect says, and an empty text after a login. */
function visit(query: Record<string, string>, { cookie, session }: Visitor): Promise<ServerResponse> {
  const req = new IncomingMessage(socket);
  const res = new ServerResponse(req);
  req.method = 'GET';
  req.headers = cookie ? { host: '127.0.0.1', cookie } : { host: '127.0.0.1' };
  Object.assign(req, { query, session, res });
  return new Promise((resolve, reject) => {
    res.end = () => {
      resolve(res);
      return res;
    };
    Reflect.apply(handler, undefined, [req, res, (error?: unknown) => (error ? reject(error) : resolve(res))]);
  });
}

const socket = new Socket();

async function run(task: Task): Promise<void> {
  const session = {};
  const started = await visit({}, { cookie: '', session });
  if (task === 'redirect') return;
  const state = /state=([^&]+)/.exec(String(started.getHeader('Location')))?.[1] ?? '';
  const cookie = String(started.getHeader('Set-Cookie') ?? '').split(';', 1)[0] ?? '';
  const { statusCode } = await visit({ code: 'a-code', state }, { cookie, session });
  if (statusCode !== 200) throw new Error(`A login ended in ${statusCode}`);
}

process.on('message', async ({ task, count }: { task: Task; count: number }) => {
  const start = mainThreadTime();
  for (let done = 0; done < count; done += 1) await run(task);
  process.send?.((mainThreadTime() - start) / count);
});
process.send?.('ready');
