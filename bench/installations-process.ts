// One of the four processes of the comparison in installations.ts: tokens by hand, or by Installations, over Redis.
import { PipedriveStrategy, type PipedriveTokens } from 'passport-pipedrive-oauth2';
import { Installations, type TokenStore } from 'passport-pipedrive-oauth2/installations';
import { createClient } from 'redis';
import { recipe } from '../test/support/recipes';

export type Way = 'by hand' | 'Installations' | 'Installations, claim';

/** What the parent asks for: so many calls at once for the tokens of one user. */
export interface Order {
  way: Way;
  redis: string;
  /** Of the token endpoint. */
  origin: string;
  who: string;
  count: number;
}

export interface Done {
  failed: number;
  storeOperations: number;
}

const client = { clientID: 'client-id', clientSecret: 'client-secret', callbackURL: 'http://127.0.0.1/callback' };

/** Check, refresh, store: what tutorials show. */
async function tokensByHand(store: TokenStore, tokenURL: string, who: string): Promise<PipedriveTokens> {
  const tokens = (await store.get(who)) as PipedriveTokens;
  if (tokens.expires_at > Date.now() / 1000) return tokens;
  const response = await fetch(tokenURL, {
    method: 'POST',
    headers: { Authorization: `Basic ${btoa(`${client.clientID}:${client.clientSecret}`)}` },
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: tokens.refresh_token }),
  });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  const renewed = await response.json();
  const saved = { ...renewed, expires_at: Math.floor(Date.now() / 1000) + renewed.expires_in };
  await store.set(who, saved);
  return saved;
}

async function main(): Promise<void> {
  const redisStore = await recipe('redisStore');
  let operations = 0;
  let own: TokenStore | undefined;

  const counting = async (url: string): Promise<TokenStore & Required<Pick<TokenStore, 'claim'>>> => {
    own ??= redisStore(await createClient({ url }).connect());
    const { get, set, delete: remove, claim } = own;
    const count = <T>(result: T): T => {
      operations += 1;
      return result;
    };
    return {
      get: (id) => count(get(id)),
      set: (id, tokens) => count(set(id, tokens)),
      delete: (id) => count(remove(id)),
      claim: (key, ms) => count(claim?.(key, ms) ?? false),
    };
  };

  process.on('message', async ({ way, redis, origin, who, count }: Order) => {
    const { claim, ...store } = await counting(redis);
    const tokenURL = `${origin}/oauth/token`;
    const strategy = new PipedriveStrategy({ ...client, tokenURL }, (_context) => false);
    const installations = new Installations(strategy, {
      store: way === 'Installations, claim' ? { ...store, claim } : store,
    });
    operations = 0;
    const call = () => (way === 'by hand' ? tokensByHand(store, tokenURL, who) : installations.tokens(who));
    const all = await Promise.allSettled(Array.from({ length: count }, call));
    const failed = all.filter(({ status }) => status === 'rejected').length;
    process.send?.({ failed, storeOperations: operations } satisfies Done);
  });
  process.send?.('ready');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
