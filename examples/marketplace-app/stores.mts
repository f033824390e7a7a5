// Where the tokens are: in the PostgreSQL or the Redis that the environment names, otherwise in a file of SQLite.
import sqlite, { type Database } from 'node-sqlite3-wasm';
import type { TokenStore } from 'passport-pipedrive-oauth2/installations';
import { Pool } from 'pg';
import { createClient, type RedisClientType } from 'redis';

const logError = ({ message, code }: NodeJS.ErrnoException) => console.error('Token database:', message || code);

export async function openStore({ DATABASE_URL, REDIS_URL, SQLITE_FILE = 'tokens.sqlite' }: NodeJS.ProcessEnv) {
  const options = { connectionString: DATABASE_URL, connectionTimeoutMillis: 2_000 };
  if (DATABASE_URL) return postgresStore(new Pool(options).on('error', logError));
  if (!REDIS_URL) return sqliteStore(new sqlite.Database(SQLITE_FILE));
  return redisStore(await createClient({ url: REDIS_URL, disableOfflineQueue: true }).on('error', logError).connect());
}

// The stores of docs/installations.md.
async function postgresStore(pool: Pool): Promise<TokenStore> {
  await pool.query(`SELECT pg_advisory_xact_lock(hashtext('pipedrive')); -- one process at a time
    CREATE TABLE IF NOT EXISTS pipedrive_tokens (id text PRIMARY KEY, tokens jsonb NOT NULL);
    CREATE TABLE IF NOT EXISTS pipedrive_claims (key text PRIMARY KEY, ends timestamptz NOT NULL)`);
  const upsert = 'INSERT INTO pipedrive_tokens VALUES ($1, $2) ON CONFLICT (id) DO UPDATE SET tokens = excluded.tokens';
  const claim = `WITH lapsed AS (DELETE FROM pipedrive_claims WHERE key IN (
      SELECT key FROM pipedrive_claims WHERE ends <= now() AND key <> $1 FOR UPDATE SKIP LOCKED))
    INSERT INTO pipedrive_claims AS claims VALUES ($1, now() + $2 * interval '1 millisecond')
    ON CONFLICT (key) DO UPDATE SET ends = excluded.ends WHERE claims.ends <= now()`;
  return {
    get: async (id) => (await pool.query('SELECT tokens FROM pipedrive_tokens WHERE id = $1', [id])).rows[0]?.tokens,
    set: (id, tokens) => pool.query(upsert, [id, tokens]),
    delete: (id) => pool.query('DELETE FROM pipedrive_tokens WHERE id = $1', [id]),
    claim: async (key, ms) => (await pool.query(claim, [key, ms])).rowCount === 1,
  };
}

function redisStore(redis: RedisClientType): TokenStore {
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
  database.exec(`PRAGMA busy_timeout = 1000; -- ms to wait for another process
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
