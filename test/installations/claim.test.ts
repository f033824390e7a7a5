// Several processes over one store, each with installations of its own: who refreshes, who waits, and for how long.
import { expect } from 'chai';
import { Installations } from 'passport-pipedrive-oauth2/installations';
import {
  ClaimingStore,
  expired,
  FakeStrategy,
  fakeTimeForEach,
  fresh,
  HOUR,
  MINUTE,
  rejectionOf,
  tokensWith,
  watch,
  who,
} from '../support/installations';

/** The strategy's timeout and a second. */
const LEASE = 11_000;

const outage = Object.assign(new Error('down'), { status: 502 });

describe('installations of several processes', () => {
  const time = fakeTimeForEach();
  const never = () => new Promise<never>(() => {});
  const soon = (count: number) =>
    new Promise<ReturnType<typeof fresh>>((resolve) => setTimeout(resolve, 200, tokensWith(`new-${count}`, HOUR)));

  function processOver(store: ClaimingStore, strategy: FakeStrategy) {
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    return { installations: new Installations(strategy, { store, onError }), errors };
  }

  /** Another process refreshes, but not before so many ms have passed. It asks every second. */
  async function expectRefreshAfter(ms: number, store: ClaimingStore) {
    const strategy = new FakeStrategy();
    const tokens = processOver(store, strategy).installations.tokens(who);
    await time.pass(ms - 1);
    expect(strategy.refreshed).to.have.length(0);
    await time.pass(1_001);
    expect(await tokens).to.include({ access_token: 'new-1' });
    expect(strategy.refreshed).to.have.length(1);
  }

  it('refresh once, and all callers get the new tokens', async () => {
    const [store, strategy] = [new ClaimingStore(expired()), new FakeStrategy(soon)];
    const all = [1, 2, 3, 4].flatMap(() => {
      const { installations } = processOver(store, strategy);
      return Array.from({ length: 100 }, () => installations.tokens(who));
    });
    await time.pass(1_000);
    for (const tokens of await Promise.all(all)) expect(tokens).to.include({ access_token: 'new-1' });
    expect(strategy.refreshed).to.have.length(1);
  });

  it('claim the id with a fingerprint of the access token, for the timeout of the strategy and a second', async () => {
    const store = new ClaimingStore(expired());
    await processOver(store, new FakeStrategy()).installations.tokens(who);
    store.values.set(who, tokensWith('other', -MINUTE));
    await processOver(store, new FakeStrategy()).installations.tokens(who);
    const [[key, ms] = [], [otherKey] = []] = store.claims;
    expect(ms).to.equal(LEASE);
    expect(key).to.match(/^1:777:[\w-]{22}$/);
    expect(otherKey)
      .to.match(/^1:777:[\w-]{22}$/)
      .and.not.equal(key);
  });

  it('claim for eleven seconds where the strategy names no timeout', async () => {
    const store = new ClaimingStore(expired());
    const { refresh, revoke } = { refresh: async () => fresh('new'), revoke: async () => {} };
    await new Installations({ refresh, revoke }, { store }).tokens(who);
    expect(store.claims[0]?.[1]).to.equal(LEASE);
  });

  it('do not wait with two minutes left, and refresh once', async () => {
    const [store, strategy] = [new ClaimingStore(tokensWith('old', 2 * MINUTE)), new FakeStrategy(soon)];
    for (const _ of [1, 2, 3, 4]) {
      expect(await processOver(store, strategy).installations.tokens(who)).to.include({ access_token: 'old' });
    }
    await time.pass(1_000);
    expect(strategy.refreshed).to.have.length(1);
    expect(await processOver(store, strategy).installations.tokens(who)).to.include({ access_token: 'new-1' });
  });

  it('do not claim while the tokens are fresh', async () => {
    const store = new ClaimingStore(fresh());
    await processOver(store, new FakeStrategy()).installations.tokens(who);
    expect(store.calls).to.deep.equal(['get']);
    expect(store.claims).to.deep.equal([]);
  });

  it('replace one that died in its refresh, as soon as its lease has lapsed', async () => {
    const store = new ClaimingStore(expired());
    processOver(store, new FakeStrategy(never)).installations.tokens(who);
    await time.pass(0);
    await expectRefreshAfter(LEASE, store);
  });

  it('refresh after two leases whoever has the claim', async () => {
    const store = new ClaimingStore(expired());
    store.onClaim = () => false;
    await expectRefreshAfter(2 * LEASE, store);
  });

  it('ask for the claim less and less often, in the end every second', async () => {
    const store = new ClaimingStore(expired());
    const asked: number[] = [];
    const begun = Date.now();
    store.onClaim = () => {
      asked.push(Date.now() - begun);
      return false;
    };
    processOver(store, new FakeStrategy()).installations.tokens(who);
    await time.pass(4_000);
    expect(asked).to.deep.equal([0, 50, 150, 350, 750, 1_550, 2_550, 3_550]);
  });

  it('refresh after two leases though the clock is set back meanwhile', async () => {
    const store = new ClaimingStore(expired());
    store.onClaim = () => false;
    const tokens = processOver(store, new FakeStrategy()).installations.tokens(who);
    const watched = watch(tokens);
    await time.pass(LEASE);
    time.setBack(HOUR);
    await time.pass(LEASE + 1_001);
    expect(watched.state).to.equal('resolved');
  });

  it('may refresh again within their own lease', async () => {
    const store = new ClaimingStore(expired());
    const strategy = new FakeStrategy((count) =>
      count === 1 ? Promise.reject(outage) : Promise.resolve(fresh('new')),
    );
    const { installations } = processOver(store, strategy);
    expect(await rejectionOf(installations.tokens(who))).to.equal(outage);
    expect(await installations.tokens(who)).to.include({ access_token: 'new' });
    expect(store.claims).to.have.length(1);
  });

  it('wait for the lease of one whose request has failed, and then refresh', async () => {
    const store = new ClaimingStore(expired());
    expect(
      await rejectionOf(processOver(store, new FakeStrategy(() => Promise.reject(outage))).installations.tokens(who)),
    ).to.equal(outage);
    await expectRefreshAfter(LEASE, store);
  });

  it('claim anew when their own lease has lapsed', async () => {
    const store = new ClaimingStore(expired());
    const { installations } = processOver(store, new FakeStrategy(() => Promise.reject(outage)));
    await rejectionOf(installations.tokens(who));
    await time.pass(LEASE);
    await rejectionOf(installations.tokens(who));
    expect(store.claims).to.have.length(2);
  });

  it('wait with the claim while others have the same store for other installations', async () => {
    const store = new ClaimingStore(expired());
    store.values.set('2:5', expired());
    processOver(store, new FakeStrategy(never)).installations.tokens(who);
    await time.pass(0);
    expect(await processOver(store, new FakeStrategy()).installations.tokens('2:5')).to.include({
      access_token: 'new-1',
    });
  });

  it('get what another one has saved when their own request fails', async () => {
    const store = new ClaimingStore(expired());
    const strategy = new FakeStrategy(() => {
      store.values.set(who, fresh('of another process'));
      return Promise.reject(outage);
    });
    expect(await processOver(store, strategy).installations.tokens(who)).to.include({
      access_token: 'of another process',
    });
  });

  it('fail as Pipedrive does when the store is down as well', async () => {
    const store = new ClaimingStore(expired());
    const strategy = new FakeStrategy(() => {
      store.onGet = () => Promise.reject(new Error('the store is down'));
      return Promise.reject(outage);
    });
    expect(await rejectionOf(processOver(store, strategy).installations.tokens(who))).to.equal(outage);
  });

  it('leave the tokens of the one who took over alone when they come to again after their lease', async () => {
    const store = new ClaimingStore(expired());
    let wake = (_tokens: ReturnType<typeof fresh>) => {};
    const stopped = new FakeStrategy(
      () =>
        new Promise((resolve) => {
          wake = resolve;
        }),
    );
    const first = processOver(store, stopped).installations.tokens(who);
    await time.pass(0);
    const second = processOver(store, new FakeStrategy()).installations.tokens(who);
    await time.pass(LEASE + 1_000);
    expect(await second).to.include({ access_token: 'new-1' });
    wake(fresh('of the stopped one'));
    expect(await first).to.include({ access_token: 'new-1' });
    expect(store.values.get(who)).to.include({ access_token: 'new-1' });
  });

  it('take an answer that is no boolean by its truth, as engines have it', async () => {
    for (const [answer, count] of [
      ['OK', 1],
      [1, 1],
      [null, 0],
      [0, 0],
    ] as const) {
      const store = new ClaimingStore(expired());
      Object.assign(store, { onClaim: () => answer });
      const strategy = new FakeStrategy();
      const watched = watch(processOver(store, strategy).installations.tokens(who));
      await time.pass(100);
      expect(strategy.refreshed, `after ${answer}`).to.have.length(count);
      expect(watched.state).to.equal(count ? 'resolved' : 'pending');
    }
  });

  it('are told when claim answers nothing, and refresh', async () => {
    const store = new ClaimingStore(expired());
    Object.assign(store, { onClaim: () => undefined });
    const { installations, errors } = processOver(store, new FakeStrategy());
    expect(await installations.tokens(who)).to.include({ access_token: 'new-1' });
    expect(errors[0])
      .to.be.instanceOf(TypeError)
      .with.property('message', "The store's claim must answer true or false");
  });

  for (const [concurrency, most] of [
    [undefined, 50],
    [3, 3],
  ] as const) {
    it(`have at most ${most} refreshes under way for a thousand installations, and all succeed`, async () => {
      const store = new ClaimingStore();
      for (let user = 1; user <= 1_000; user += 1) store.values.set(`1:${user}`, expired());
      let [current, highest] = [0, 0];
      const strategy = new FakeStrategy(async (count) => {
        current += 1;
        highest = Math.max(highest, current);
        const tokens = await soon(count);
        current -= 1;
        return tokens;
      });
      const installations = new Installations(strategy, { store, concurrency });
      const all = Array.from({ length: 1_000 }, (_, index) => installations.tokens(`1:${index + 1}`));
      await time.pass((1_000 / most + 1) * 200);
      for (const tokens of await Promise.all(all)) expect(tokens.access_token).to.match(/^new-/);
      expect(highest).to.equal(most);
      expect(strategy.refreshed).to.have.length(1_000);
    });
  }

  it('make room again after the last of them, too', async () => {
    const store = new ClaimingStore(expired());
    store.values.set('2:5', expired());
    const installations = new Installations(new FakeStrategy(), { store, concurrency: 1 });
    for (const id of [who, '2:5']) expect((await installations.tokens(id)).access_token).to.match(/^new-/);
  });

  it('make room when refreshes fail', async () => {
    const store = new ClaimingStore();
    for (let user = 1; user <= 10; user += 1) store.values.set(`1:${user}`, expired());
    const strategy = new FakeStrategy(() => Promise.reject(outage));
    const installations = new Installations(strategy, { store, concurrency: 2 });
    const all = Array.from({ length: 10 }, (_, index) => rejectionOf(installations.tokens(`1:${index + 1}`)));
    for (const error of await Promise.all(all)) expect(error).to.equal(outage);
  });
});
