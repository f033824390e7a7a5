// Where the tokens are: in the Redis that the environment names, otherwise in a file of SQLite.
import sqlite, { type Database } from 'node-sqlite3-wasm';
import type { TokenStore } from 'passport-pipedrive-oauth2/installations';
import { createClient } from 'redis';

export async function openStore({ REDIS_URL, SQLITE_FILE = 'tokens.sqlite' }: NodeJS.ProcessEnv): Promise<TokenStore> {
  if (!REDIS_URL) return sqliteStore(new sqlite.Database(SQLITE_FILE));
  const redis: ReturnType<typeof createClient> = createClient({ url: REDIS_URL, disableOfflineQueue: true });
  return redisStore(await redis.on('error', console.error).connect());
}

// The two stores of docs/installations.md, where there is one for PostgreSQL, too.
function redisStore(redis: ReturnType<typeof createClient>): TokenStore {
  return {
    get: async (id) => JSON.parse((await redis.get(`pipedrive:tokens:${id}`)) ?? 'null'),
    set: (id, tokens) => redis.set(`pipedrive:tokens:${id}`, JSON.stringify(tokens)),
    delete: (id) => redis.del(`pipedrive:tokens:${id}`),
    claim: async (key, ms) => {
      const onlyFirst = { condition: 'NX', expiration: { type: 'PX', value: ms } } as const;
      return (await redis.set(`pipedrive:claim:${key}`, '', onlyFirst)) === 'OK';
    },
  };
}

function sqliteStore(database: Database): TokenStore {
  database.exec(`
    PRAGMA busy_timeout = 1000; -- ms to wait for another process
    CREATE TABLE IF NOT EXISTS pipedrive_tokens (id TEXT PRIMARY KEY, tokens TEXT NOT NULL);
    CREATE TABLE IF NOT EXISTS pipedrive_claims (key TEXT PRIMARY KEY, ends INTEGER NOT NULL);
    CREATE TRIGGER IF NOT EXISTS pipedrive_claims_lapse BEFORE INSERT ON pipedrive_claims
      BEGIN DELETE FROM pipedrive_claims WHERE ends <= unixepoch('subsec') * 1000; END`);
  const select = database.prepare('SELECT tokens FROM pipedrive_tokens WHERE id = ?');
  const upsert = database.prepare('INSERT OR REPLACE INTO pipedrive_tokens VALUES (?, ?)');
  const remove = database.prepare('DELETE FROM pipedrive_tokens WHERE id = ?');
  const claim = database.prepare("INSERT OR IGNORE INTO pipedrive_claims VALUES (?, unixepoch('subsec') * 1000 + ?)");
  return {
    get: (id) => JSON.parse(String(select.all([id])[0]?.tokens ?? 'null')),
    set: (id, tokens) => upsert.run([id, JSON.stringify(tokens)]),
    delete: (id) => remove.run([id]),
    claim: (key, ms) => claim.run([key, ms]).changes === 1,
  };
}
