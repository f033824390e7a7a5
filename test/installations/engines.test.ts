// The stores of docs/installations.md on the real engines: the page's ten checks, concurrent callers, and an engine that is down.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import KeyvRedis from '@keyv/redis';
import { expect } from 'chai';
import Keyv from 'keyv';
import nock from 'nock';
import { Database } from 'node-sqlite3-wasm';
import { Installations, NotInstalledError, sealed, type TokenStore } from 'passport-pipedrive-oauth2/installations';
import { Pool } from 'pg';
import { createClient } from 'redis';
import { expired, FakeStrategy, fresh, HOUR, rejectionOf, tokensWith, who } from '../support/installations';
import { startPostgres } from '../support/postgres';
import { recipe } from '../support/recipes';
import { startRedis } from '../support/redis';

interface Engine {
  /** A store over a connection of its own, as another process would have it. */
  connect(): Promise<TokenStore>;
  /** Everything that the engine holds, as text. */
  dump(): Promise<string>;
  /** Stops the engine under its connections, if it can be stopped. */
  stop?(): Promise<void>;
  close(): Promise<void>;
}

/** Starts an engine. Yields nothing where the system has none. */
type Start = () => Promise<Engine | undefined>;

const closeAll = async (all: (() => unknown)[]) => {
  for (const close of all.splice(0)) await close();
};

const redis: Start = async () => {
  const server = await startRedis();
  if (!server) return undefined;
  const redisStore = await recipe('redisStore');
  const closers: (() => unknown)[] = [];
  const client = async () => {
    const connected = createClient({ url: server.url, disableOfflineQueue: true }).on('error', () => {});
    await connected.connect();
    closers.push(() => connected.destroy());
    return connected;
  };
  return {
    connect: async () => redisStore(await client()),
    async dump() {
      const reader = await client();
      const keys = await reader.keys('*');
      return JSON.stringify(await Promise.all(keys.map(async (key) => [key, await reader.get(key)])));
    },
    stop: () => server.stop(),
    async close() {
      await closeAll(closers);
      await server.stop();
    },
  };
};

const postgres: Start = async () => {
  const server = await startPostgres();
  if (!server) return undefined;
  const postgresStore = await recipe('postgresStore');
  const closers: (() => unknown)[] = [];
  const pool = () => {
    const opened = new Pool({ connectionString: server.url, connectionTimeoutMillis: 1_000, max: 3 });
    opened.on('error', () => {});
    closers.push(() => opened.end());
    return opened;
  };
  return {
    connect: () => postgresStore(pool()),
    dump: async () => JSON.stringify((await pool().query('SELECT * FROM pipedrive_tokens')).rows),
    stop: () => server.stop(),
    async close() {
      await server.stop();
      await closeAll(closers);
    },
  };
};

const sqlite: Start = async () => {
  const sqliteStore = await recipe('sqliteStore');
  const directory = mkdtempSync(join(tmpdir(), 'sqlite-'));
  const closers: (() => unknown)[] = [];
  const open = () => {
    const database = new Database(join(directory, 'tokens.db'));
    closers.push(() => database.close());
    return database;
  };
  return {
    connect: async () => sqliteStore(open()),
    dump: async () => JSON.stringify(open().all('SELECT * FROM pipedrive_tokens')),
    async close() {
      await closeAll(closers);
      rmSync(directory, { recursive: true });
    },
  };
};

const keyv: Start = async () => {
  const keyvStore = await recipe('keyvStore');
  const kept = new Map();
  return {
    connect: async () => keyvStore(new Keyv({ store: kept })),
    dump: async () => JSON.stringify([...kept]),
    async close() {},
  };
};

const keyvOverRedis: Start = async () => {
  const server = await startRedis();
  if (!server) return undefined;
  const keyvStore = await recipe('keyvStore');
  const closers: (() => unknown)[] = [];
  return {
    connect: async () => {
      const adapter = new KeyvRedis(server.url);
      closers.push(() => adapter.disconnect(true).catch(() => {})); // it may have lost its server
      return keyvStore(new Keyv({ store: adapter }));
    },
    async dump() {
      const reader = createClient({ url: server.url });
      await reader.connect();
      const values = await Promise.all((await reader.keys('*')).map((key) => reader.get(key)));
      reader.destroy();
      return JSON.stringify(values);
    },
    stop: () => server.stop(),
    async close() {
      await closeAll(closers);
      await server.stop();
    },
  };
};

const engines = { Redis: redis, PostgreSQL: postgres, SQLite: sqlite, Keyv: keyv, 'Keyv over Redis': keyvOverRedis };

for (const [name, start] of Object.entries(engines)) {
  describe(`the recipe for ${name}`, function () {
    this.timeout(30_000);
    let engine: Engine;
    /** As many connections as there are callers: the tests share them. */
    const stores: TokenStore[] = [];

    before(async function () {
      nock.restore();
      const started = await start();
      if (!started) return this.skip();
      engine = started;
      // As processes do that start together, on an empty database.
      stores.push(...(await Promise.all(Array.from({ length: 10 }, () => engine.connect()))));
    });
    after(() => engine?.close());

    it('passes the ten checks of the page', async () => {
      const checkStore = await recipe('checkStore');
      for (const store of stores.slice(0, 2)) await checkStore(store);
    });

    it('passes them under a seal, and then holds no token that can be read', async () => {
      const checkStore = await recipe('checkStore');
      const store = sealed(await engine.connect(), [randomBytes(32)]);
      await checkStore(store);
      await store.set(who, tokensWith('an-access-token', HOUR, 'a-refresh-token'));
      const dump = await engine.dump();
      expect(dump)
        .to.include('sealed')
        .and.not.to.match(/an-access-token|a-refresh-token|examplebikes/);
      await store.delete(who);
    });

    it('gives the claim to one of a hundred callers on ten connections', async function () {
      if (!stores[0]?.claim) return this.skip();
      for (let round = 0; round < 5; round += 1) {
        const claims = stores.flatMap((store) =>
          Array.from({ length: 10 }, () => store.claim?.(`1:777:${round}`, 10_000)),
        );
        expect((await Promise.all(claims)).filter(Boolean), `in round ${round}`).to.have.length(1);
      }
    });

    it('gives each lapsed claim to one of four callers', async function () {
      const [first, ...others] = stores.slice(0, 4);
      if (!first?.claim) return this.skip();
      const keys = Array.from({ length: 5 }, (_, index) => `1:778:${index}`);
      const claimAll = () =>
        Promise.all([first, ...others].flatMap((store) => keys.map((key) => store.claim?.(key, 1_000))));
      expect((await claimAll()).filter(Boolean)).to.have.length(5);
      // The last of them lapses last.
      while (!(await first.claim('1:778:4', 1_000))) await new Promise(setImmediate);
      expect((await claimAll()).filter(Boolean)).to.have.length(4);
    });

    it('serves installations: saved, refreshed once by two processes, removed', async () => {
      const strategy = new FakeStrategy(async (count) => {
        await new Promise(setImmediate);
        return tokensWith(`new-${count}`, HOUR);
      });
      const [first, second] = stores.map((store) => new Installations(strategy, { store }));
      assert(first && second);
      await first.save(who, expired());
      const all = await Promise.all([first, second].flatMap((each) => [each.tokens(who), each.tokens(who)]));
      for (const { access_token } of all) expect(access_token).to.match(/^new-[12]$/);
      const canClaim = name !== 'Keyv' && name !== 'Keyv over Redis';
      expect(strategy.refreshed.length).to.be.within(1, canClaim ? 1 : 2);
      expect(await second.tokens(who))
        .to.have.property('expires_at')
        .that.is.a('number');
      await second.remove(who);
      expect(await rejectionOf(first.tokens(who))).to.be.instanceOf(NotInstalledError);
    });

    it('throws when the engine is down, which is no NotInstalledError', async function () {
      if (!engine.stop) return this.skip();
      const installations = new Installations(new FakeStrategy(), { store: await engine.connect(), storeTimeout: 500 });
      await installations.save(who, fresh());
      await engine.stop();
      for (const call of ['tokens', 'save', 'remove'] as const) {
        const error = await rejectionOf(installations[call](who, fresh()));
        expect(error, call).to.be.instanceOf(Error).and.not.instanceOf(NotInstalledError);
      }
    });
  });
}
