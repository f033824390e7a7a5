// A process of an app on several servers: installations over an engine, which the parent process calls by messages.
import { PipedriveStrategy, type PipedriveTokens } from 'passport-pipedrive-oauth2';
import { Installations, type TokenStore } from 'passport-pipedrive-oauth2/installations';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { clientID, clientSecret } from './app';
import { who } from './installations';
import { recipe } from './recipes';

/** How the process is set up: the parent gives it as JSON. */
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
  | { call: 'tokens'; count: number; rejected?: string }
  | { call: 'save'; tokens: PipedriveTokens }
  | { call: 'remove' };

/** What came of the calls: the access tokens, and the codes or messages of the errors. */
export interface Report {
  tokens: string[];
  errors: string[];
}

/** For a request to Pipedrive, in ms. A lease is a second longer. */
const TIMEOUT = 500;

async function connect(url: string): Promise<TokenStore> {
  if (url.startsWith('postgres')) {
    const pool = new Pool({ connectionString: url, max: 4, connectionTimeoutMillis: 1_000 });
    return (await recipe('postgresStore'))(pool.on('error', () => {}));
  }
  const redis = createClient({ url, disableOfflineQueue: true }).on('error', () => {});
  await redis.connect();
  return (await recipe('redisStore'))(redis);
}

async function storeOf({ url, claims }: Settings): Promise<TokenStore> {
  const { claim, ...store } = await connect(url);
  if (claims === undefined) return store;
  return { ...store, claim: claims === url ? claim : (await connect(claims)).claim };
}

async function main(): Promise<void> {
  const settings: Settings = JSON.parse(process.env.SETTINGS ?? '');
  const options = { clientID, clientSecret, callbackURL: 'http://127.0.0.1/callback' };
  const strategy = new PipedriveStrategy(
    { ...options, tokenURL: `${settings.origin}/oauth/token`, timeout: TIMEOUT },
    (_context) => false,
  );
  const installations = new Installations(
    {
      refresh: (refreshToken) => strategy.refresh(refreshToken),
      revoke: (token, hint) => strategy.revoke(token, hint),
      timeout: TIMEOUT,
    },
    { store: await storeOf(settings), storeTimeout: 1_000, onError: () => {} },
  );

  const call = async (order: Order): Promise<string> => {
    if (order.call === 'save') await installations.save(who, order.tokens);
    else if (order.call === 'remove') await installations.remove(who);
    else return (await installations.tokens(who, { rejected: order.rejected })).access_token;
    return '';
  };
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
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
