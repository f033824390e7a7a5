// SessionStateStore on real session middleware: what is saved, when, and what happens where it cannot be saved.
import { expect } from 'chai';
import { RedisStore } from 'connect-redis';
import type { Request } from 'express';
import { MemoryStore, type SessionData } from 'express-session';
import { SessionStateStore } from 'passport-pipedrive-oauth2';
import { createClient } from 'redis';
import { Browser } from '../support/browser';
import { startRedis } from '../support/redis';
import { type Answer, type SessionServer, sessionServers } from '../support/session-servers.cjs';
import { metadata } from '../support/stores';

/** Starts a flow at `/start/{length of its state}`, and ends one at `/end/{state parameter}`. */
const answerWith =
  (store: SessionStateStore): Answer =>
  (given, url) => {
    const req = given as Request;
    const [, action, value = ''] = url.split('/');
    return new Promise((resolve, reject) => {
      if (action === 'start') {
        const state = 'x'.repeat(Number(value));
        store.store(req, undefined, state, metadata, (error, handle) => (error ? reject(error) : resolve(handle)));
      } else {
        store.verify(req, value, metadata, (error, ok, state) => (error ? reject(error) : resolve({ ok, state })));
      }
    });
  };

describe('SessionStateStore on real sessions', () => {
  let app: SessionServer;
  afterEach(() => app.close());

  for (const [name, start] of Object.entries(sessionServers)) {
    describe(name, () => {
      let browser: Browser;
      const ask = async (path: string) => (await browser.send(`${app.origin}${path}`)).json();
      beforeEach(async () => {
        app = await start(answerWith(new SessionStateStore()));
        browser = new Browser();
      });

      it('keeps a flow until its first callback', async () => {
        const state = await ask('/start/7');
        expect(await ask(`/end/${state}`)).to.deep.equal({ ok: true, state: 'xxxxxxx' });
        expect((await ask(`/end/${state}`)).ok).to.equal(false);
      });

      it('holds flows of many tabs, and never a cookie over 4,096 bytes, which browsers drop', async () => {
        for (const length of [0, 0, 0, 300, 1_500, 20, 500, 500, 0, 0, 0, 0, 0, 0, 0, 0]) {
          const state = await ask(`/start/${length}`);
          const sizes = browser
            .cookieHeader(app.origin)
            .split('; ')
            .map((cookie) => cookie.length);
          expect(Math.max(...sizes)).to.be.below(4_000);
          if (length > 300) expect(await ask(`/end/${state}`)).to.include({ ok: true });
        }
        expect(await ask(`/end/${await ask('/start/7')}`)).to.include({ ok: true });
      });
    });
  }
});

/** A store like Redis that is full, or away, from some time on. */
class FailingStore extends MemoryStore {
  error: Error | undefined;
  readonly operations: string[] = [];

  override set(id: string, data: SessionData, done?: (error?: unknown) => void): void {
    this.operations.push('set');
    if (this.error) setImmediate(() => done?.(this.error));
    else super.set(id, data, done);
  }
}

describe('SessionStateStore in a session that cannot be saved', () => {
  let app: SessionServer;
  afterEach(() => app.close());

  it('is an error before the redirect, and before the exchange', async () => {
    const store = new FailingStore();
    const outcomes: unknown[] = [];
    const answer = answerWith(new SessionStateStore());
    const noting: Answer = (req, url) =>
      answer(req, url).catch((error: Error) => {
        outcomes.push(error.message);
        store.error = undefined; // for what express-session does at the end of the request
      });
    app = await sessionServers['express-session'](noting, store);
    const browser = new Browser();
    const state = await (await browser.send(`${app.origin}/start/1`)).json();
    store.error = new Error('OOM command not allowed');
    await browser.send(`${app.origin}/end/${state}`);
    store.error = new Error('Redis is away');
    await new Browser().send(`${app.origin}/start/1`);
    expect(outcomes).to.deep.equal(['OOM command not allowed', 'Redis is away']);
  });

  it('is an error before the redirect, and before the exchange, when Redis is full', async function () {
    const redis = await startRedis();
    if (!redis) return this.skip();
    const client = createClient({ url: redis.url });
    try {
      await client.connect();
      const answer = answerWith(new SessionStateStore());
      const outcomes: unknown[] = [];
      const noting: Answer = (req, url) =>
        answer(req, url).catch((error: Error) => void outcomes.push(error.message.slice(0, 3)));
      app = await sessionServers['express-session'](noting, new RedisStore({ client }));
      const browser = new Browser();
      const state = await (await browser.send(`${app.origin}/start/1`)).json();
      await client.configSet('maxmemory', '1'); // byte
      await browser.send(`${app.origin}/end/${state}`);
      await new Browser().send(`${app.origin}/start/1`);
      expect(outcomes).to.deep.equal(['OOM', 'OOM']);
    } finally {
      client.destroy();
      await redis.stop();
    }
  });

  it('finds a state used that a slow exchange of another request is about', async () => {
    const answer = answerWith(new SessionStateStore());
    let finishExchange = () => {};
    let exchanges = () => {};
    const isExchanging = new Promise<void>((resolve) => {
      exchanges = resolve;
    });
    app = await sessionServers['express-session'](async (req, url) => {
      const ended = await answer(req, url);
      if (!url.startsWith('/end') || !Object(ended).ok) return ended;
      exchanges();
      await new Promise<void>((resolve) => {
        finishExchange = resolve;
      });
      return ended;
    });
    const browser = new Browser();
    const state = await (await browser.send(`${app.origin}/start/1`)).json();
    const first = browser.send(`${app.origin}/end/${state}`);
    await isExchanging;
    expect((await (await browser.send(`${app.origin}/end/${state}`)).json()).ok).to.equal(false);
    finishExchange();
    expect((await (await first).json()).ok).to.equal(true);
  });

  const failing: Record<string, (done: (error?: unknown) => void) => unknown> = {
    'calls back with an error': (done) => void setImmediate(done, new Error('down')),
    rejects: () => Promise.reject(new Error('down')),
    'rejects with nothing': () => Promise.reject(),
    throws: () => {
      throw new Error('down');
    },
  };
  const saved: Record<string, (...args: ((error?: unknown) => void)[]) => unknown> = {
    'calls back': (done) => void setImmediate(() => done?.()),
    'resolves, and calls nobody back': () => Promise.resolve(),
    'resolves, and calls back as well': (done) => Promise.resolve(done?.()),
    'has no parameters, and calls nobody back, as that of cookie-session 1': () => undefined,
  };
  const asks = (save: unknown): Promise<unknown> => {
    const req = Object.assign(Object.create(null), { session: { save } });
    return new Promise((resolve, reject) =>
      new SessionStateStore().store(req, undefined, undefined, metadata, (error, handle) =>
        error ? reject(error) : resolve(handle),
      ),
    );
  };
  for (const [how, save] of Object.entries(failing)) {
    it(`is an error when save ${how}`, async () => {
      const error = await asks(save).catch((thrown: unknown) => thrown);
      expect(error)
        .to.be.instanceOf(Error)
        .with.property('message')
        .that.matches(/^down$|^The session could not be saved$/);
    });
  }
  for (const [how, save] of Object.entries(saved)) {
    it(`goes on when save ${how}`, async () => {
      expect(await asks(save)).to.match(/^[\w-]{43}$/);
    });
  }
});
