// Four real processes over one engine, and a real token endpoint: how often they refresh, and that no call fails.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import nock from 'nock';
import type { PipedriveTokens } from 'passport-pipedrive-oauth2';
import { expired, fresh, MINUTE, tokensWith } from '../support/installations';
import type { Order, Report, Settings } from '../support/installations-process';
import { type Postgres, startPostgres } from '../support/postgres';
import { type Redis, startRedis } from '../support/redis';
import { TokenEndpoint } from '../support/token-endpoint';

interface Start {
  /** Where the claims are; nowhere if it is empty. @default where the tokens are */
  claims?: string;
  rotates?: boolean;
  tokens?: PipedriveTokens;
}

/** An app's process. */
class Process {
  private constructor(readonly child: ChildProcess) {}

  static async fork(): Promise<Process> {
    const child = fork(join(__dirname, '..', 'support', 'installations-process.ts'));
    const died = once(child, 'exit').then(() => expect.fail('the process has not started'));
    await Promise.race([once(child, 'message'), died]);
    return new Process(child);
  }

  async ask(order: Order): Promise<Report> {
    const answered = once(this.child, 'message');
    this.child.send(order);
    const [report] = await answered;
    return report;
  }

  /** Starts the app anew. */
  async start(settings: Settings): Promise<void> {
    expect(await this.ask({ call: 'start', settings })).to.deep.equal({ tokens: [''], errors: [] });
  }

  tokens(count: number, rejected?: string): Promise<Report> {
    return this.ask({ call: 'tokens', count, rejected });
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (signal !== 'SIGKILL') return void child.kill(signal);
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}

const engines = { Redis: startRedis, PostgreSQL: startPostgres };

for (const [name, start] of Object.entries(engines)) {
  describe(`four processes over ${name}`, function () {
    this.timeout(60_000);
    let engine: Redis | Postgres;
    let endpoint: TokenEndpoint;
    const endpoints: TokenEndpoint[] = [];
    const processes: Process[] = [];

    before(async function () {
      nock.restore();
      const started = await start();
      if (!started) return this.skip();
      engine = started;
    });
    after(async () => {
      await Promise.all(processes.map((each) => each.kill('SIGKILL')));
      await engine?.stop();
    });
    afterEach(() => Promise.all(endpoints.splice(0).map((each) => each.close())));

    /** Starts processes and an endpoint, and saves the tokens that they begin with. */
    async function startAll({ claims = engine.url, rotates = false, tokens = expired() }: Start = {}) {
      endpoint = await new TokenEndpoint({ rotates }).start();
      endpoints.push(endpoint);
      const missing = Array.from({ length: 4 - processes.length }, () => Process.fork());
      processes.push(...(await Promise.all(missing)));
      const [first, second] = processes;
      if (!first || !second) throw new Error('there are no processes');
      const settings = { origin: endpoint.origin, url: engine.url, ...(claims && { claims }) };
      // One after the other: the first creates the tables.
      for (const each of processes) await each.start(settings);
      // Claims of the same tokens, by the test before, may not have lapsed.
      const own = { ...tokens, access_token: `${tokens.access_token}-${endpoint.origin}` };
      await first.ask({ call: 'save', tokens: own });
      return { first, second, own };
    }

    const askAll = (count: number) => Promise.all(processes.map((each) => each.tokens(count)));

    /** Expects that no call has failed, and yields the access tokens that they got, each once. */
    function expectTokens(reports: Report[], count: number): string[] {
      const errors = reports.flatMap((report) => report.errors);
      expect(errors).to.deep.equal([]);
      const tokens = reports.flatMap((report) => report.tokens);
      expect(tokens).to.have.length(count);
      return [...new Set(tokens)];
    }

    for (const rotates of [false, true]) {
      const server = rotates ? ', at a server that rotates refresh tokens' : '';

      it(`refresh once for 400 calls, and none fails${server}`, async () => {
        await startAll({ rotates });
        endpoint.hold();
        const asked = askAll(100);
        await endpoint.arrived(1);
        endpoint.release();
        const tokens = expectTokens(await asked, 400);
        expect(tokens).to.have.length(1);
        expect(tokens[0]).to.match(/^new-1-/);
        expect(endpoint.requests).to.equal(1);
        expect(expectTokens(await askAll(1), 4)).to.deep.equal(tokens);
      });

      it(`refresh at most once each without claims; no call fails${server}`, async () => {
        await startAll({ rotates, claims: '' });
        endpoint.hold();
        const asked = askAll(100);
        await endpoint.arrived(4);
        endpoint.release();
        for (const token of expectTokens(await asked, 400)) expect(token).to.match(/^new-/);
        expect(endpoint.requests).to.equal(4);
        expect(endpoint.refreshes).to.equal(rotates ? 1 : 4);
      });
    }

    it('replace one that is killed in its refresh', async () => {
      const { first } = await startAll();
      endpoint.hold();
      first.child.send({ call: 'tokens', count: 1 });
      await endpoint.arrived(1);
      await first.kill('SIGKILL');
      processes.shift();
      endpoint.release({ onlyLater: true });
      expect(expectTokens(await askAll(100), 300)).to.have.length(1);
      expect(endpoint.requests).to.equal(2);
    });

    it('replace one that stops for longer than its lease, and nothing is lost when it comes to again', async () => {
      const { first } = await startAll();
      endpoint.hold();
      const stopped = first.tokens(100);
      await endpoint.arrived(1);
      await first.kill('SIGSTOP');
      endpoint.release({ onlyLater: true });
      const others = await Promise.all(processes.slice(1).map((each) => each.tokens(100)));
      const tokens = expectTokens(others, 300);
      endpoint.release();
      await first.kill('SIGCONT');
      expect(expectTokens([await stopped], 100)).to.deep.equal(tokens);
      expect(expectTokens(await askAll(1), 4)).to.deep.equal(tokens);
      expect(endpoint.requests).to.equal(2);
    });

    it('get the old tokens with two minutes left, and one refreshes in the background', async () => {
      const { first, own } = await startAll({ tokens: tokensWith('old', 2 * MINUTE) });
      endpoint.hold();
      expect(expectTokens(await askAll(100), 400)).to.deep.equal([own.access_token]);
      await endpoint.arrived(1);
      endpoint.release();
      // Each of these calls starts no other refresh.
      let [token] = expectTokens([await first.tokens(1)], 1);
      while (token === own.access_token) [token] = expectTokens([await first.tokens(1)], 1);
      expect(token).to.match(/^new-1-/);
      expect(expectTokens(await askAll(100), 400)).to.deep.equal([token]);
      expect(endpoint.requests).to.equal(1);
    });

    it('keep a new sign-in at another process in the middle of a refresh', async () => {
      const { first, second } = await startAll();
      endpoint.hold();
      const asked = first.tokens(100);
      await endpoint.arrived(1);
      await second.ask({ call: 'save', tokens: fresh('of the sign-in') });
      endpoint.release();
      expect(expectTokens([await asked], 100)).to.deep.equal(['of the sign-in']);
      expect(expectTokens(await askAll(1), 4)).to.deep.equal(['of the sign-in']);
    });

    it('do not bring back an installation that another process removes in the middle of a refresh', async () => {
      const { first, second } = await startAll();
      endpoint.hold();
      const asked = first.tokens(2);
      await endpoint.arrived(1);
      await second.ask({ call: 'remove' });
      endpoint.release();
      expect(await asked).to.deep.equal({ tokens: [], errors: ['not_installed', 'not_installed'] });
      for (const { errors } of await askAll(1)) expect(errors).to.deep.equal(['not_installed']);
    });

    it('refresh once when 400 calls say that the tokens were rejected', async () => {
      const { own } = await startAll({ tokens: fresh() });
      const asked = processes.map((each) => each.tokens(100, own.access_token));
      const tokens = expectTokens(await Promise.all(asked), 400);
      expect(tokens[0]).to.match(/^new-1-/);
      expect(endpoint.requests).to.equal(1);
    });

    it('refresh by themselves when the claims are down, and no call fails', async function () {
      const claims = await startRedis();
      if (!claims) return this.skip();
      await startAll({ claims: claims.url });
      await claims.stop();
      for (const token of expectTokens(await askAll(100), 400)) expect(token).to.match(/^new-/);
      expect(endpoint.requests).to.be.within(1, 4);
    });

    it('fail, and are not uninstalled, while the token store is down', async () => {
      await startAll();
      await engine.stop();
      for (const { tokens, errors } of await askAll(10)) {
        expect(tokens).to.deep.equal([]);
        expect(errors).to.have.length(10).and.not.include('not_installed');
      }
      expect(endpoint.requests).to.equal(0);
    });
  });
}

describe('two processes over a Redis that hangs', function () {
  this.timeout(60_000);

  it('fail in time, are not uninstalled, and go on when it comes to again', async function () {
    const redis = await startRedis();
    if (!redis) return this.skip();
    const endpoint = await new TokenEndpoint().start();
    const settings = { origin: endpoint.origin, url: redis.url, claims: redis.url };
    const processes = await Promise.all([Process.fork(), Process.fork()]);
    try {
      for (const each of processes) await each.start(settings);
      await processes[0]?.ask({ call: 'save', tokens: fresh() });
      redis.pause();
      for (const { tokens, errors } of await Promise.all(processes.map((each) => each.tokens(10)))) {
        expect(tokens).to.deep.equal([]);
        expect(errors).to.deep.equal(Array(10).fill('store_timeout'));
      }
      redis.resume();
      for (const { tokens } of await Promise.all(processes.map((each) => each.tokens(10)))) {
        expect(tokens).to.deep.equal(Array(10).fill('old'));
      }
    } finally {
      redis.resume();
      for (const each of processes) await each.kill('SIGKILL');
      await redis.stop();
      await endpoint.close();
    }
  });
});
