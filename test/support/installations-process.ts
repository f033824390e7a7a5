// A process of an app on several servers: installations over an engine, which the parent process calls by messages.
import { PipedriveStrategy, type PipedriveTokens } from 'passport-pipedrive-oauth2';
import { Installations, type TokenStore } from 'passport-pipedrive-oauth2/installations';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { clientID, clientSecret } from './app';
import { who } from './installations';
import { recipe } from './recipes';

/** How an app is set up. */
export interface Settings {
  /** Of the token endpoint. */
  origin: string;
  /** Of the engine with the tokens. */
  url: string;
  /** Of the engine with the claims; without it nobody claims. */
  claims?: string;
}

/** What the parent asks for: so many calls at once. */
export type Order =
  | { call: 'start'; settings: Settings }
  | { call: 'tokens'; count: number; rejected?: string }
  | { call: 'save'; tokens: PipedriveTokens }
  | { call: 'remove' };

/** What came of the calls: the access tokens, and the codes or messages of the errors. */
export interface Report {
  tokens: string[];
  errors: string[];
}

/** For a request to Pipedrive, in ms. A lease is a second longer. */
const TIMEOUT = 1_500;

const connected = new Map<string, Promise<TokenStore>>();

async function connect(url: string): Promise<TokenStore> {
  if (url.startsWith('postgres')) {
    const pool = new Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 1_000 });
    return (await recipe('postgresStore'))(pool.on('error', () => {}));
  }
  const redis = createClient({ url, disableOfflineQueue: true }).on('error', () => {});
  await redis.connect();
  return (await recipe('redisStore'))(redis);
}

/** One connection to each engine, however often the app starts. */
function storeAt(url: string): Promise<TokenStore> {
  const store = connected.get(url) ?? connect(url);
  connected.set(url, store);
  return store;
}

async function start({ origin, url, claims }: Settings): Promise<Installations> {
  const options = { clientID, clientSecret, callbackURL: 'http://127.0.0.1/callback', timeout: TIMEOUT };
  const strategy = new PipedriveStrategy({ ...options, tokenURL: `${origin}/oauth/token` }, (_context) => false);
  const { claim: _own, ...store } = await storeAt(url);
  const claim = claims === undefined ? undefined : (await storeAt(claims)).claim;
  return new Installations(strategy, { store: { ...store, ...(claim && { claim }) }, onError: () => {} });
}

let installations: Installations | undefined;

async function call(order: Order): Promise<string> {
  if (order.call === 'start') installations = await start(order.settings);
  else if (order.call === 'save') await installations?.save(who, order.tokens);
  else if (order.call === 'remove') await installations?.remove(who);
  else return String((await installations?.tokens(who, { rejected: order.rejected }))?.access_token);
  return '';
}

process.on('message', async (order: Order) => {
  const count = order.call === 'tokens' ? order.count : 1;
  const all = await Promise.allSettled(Array.from({ length: count }, () => call(order)));
  const report: Report = { tokens: [], errors: [] };
  for (const each of all) {
    if (each.status === 'fulfilled') report.tokens.push(each.value);
    else report.errors.push(String(each.reason.code ?? each.reason.message));
  }
  process.send?.(report);
});
process.send?.('ready');
