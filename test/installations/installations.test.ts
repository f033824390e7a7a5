// Tokens of installations, on stores in memory and a clock that the tests set.
import { inspect } from 'node:util';
import { expect } from 'chai';
import type { PipedriveTokens } from 'passport-pipedrive-oauth2';
import { Installations, NotInstalledError } from 'passport-pipedrive-oauth2/installations';
import { expectNoUnhandledRejections } from '../support/errors';
import {
  expired,
  FakeStore,
  FakeStrategy,
  fakeTimeForEach,
  fresh,
  HOUR,
  invalidGrant,
  MINUTE,
  rejectionOf,
  tokensWith,
  watch,
  who,
} from '../support/installations';

const ids = { companyId: 1, userId: 777 };

/** Whatever names an installation, and what does not. */
const names = {
  'a profile': { provider: 'pipedrive', id: 'not looked at', ...ids, displayName: 'Ada' },
  'an uninstall notice': { clientId: 'client-id', ...ids, timestamp: '2026-01-01' },
  "an extension's user": { id: who, ...ids, issuedAt: undefined, expiresAt: 1 },
  'both ids': ids,
  'both ids as text': { companyId: '1', userId: '777' },
  'text with both ids': who,
};
const nonsense = [
  ...['', '1', ':', '1:', ':777', '01:777', '1:0777', '0:777', '-1:777', '1:777:', '1:777:2', ' 1:777', '1:7e2', 'a:b'],
  ...['1:9007199254740993', 777, null, undefined, [], [1, 777], ['1:777'], {}, { companyId: 1 }, { userId: 777 }],
  ...[
    { companyId: 0, userId: 777 },
    { companyId: 1.5, userId: 777 },
    { companyId: '01', userId: 777 },
  ],
  ...[
    { companyId: Number.NaN, userId: 777 },
    { companyId: 2 ** 53, userId: 777 },
    { companyId: 1, userId: [777] },
  ],
];

describe('installations', () => {
  expectNoUnhandledRejections();
  const time = fakeTimeForEach();

  function installationsOver(store: FakeStore, strategy = new FakeStrategy(), more: object = {}) {
    const errors: [unknown, unknown][] = [];
    const onError = (error: unknown, context: unknown) => void errors.push([error, context]);
    return { installations: new Installations(strategy, { store, onError, ...more }), strategy, store, errors };
  }

  describe('who', () => {
    for (const [name, value] of Object.entries(names)) {
      it(`can be ${name}, and the store sees "company:user"`, async () => {
        const { installations, store } = installationsOver(new FakeStore());
        await installations.save(value, fresh());
        expect([...store.values.keys()]).to.deep.equal(['1:777']);
        expect(await installations.tokens(value)).to.include({ access_token: 'old' });
        await installations.remove(value);
        expect(store.values.size).to.equal(0);
      });
    }

    it('can have ids of any length', async () => {
      const { installations, store } = installationsOver(new FakeStore());
      const longest = Number.MAX_SAFE_INTEGER;
      for (const id of ['10:20', `${longest}:${longest}`]) await installations.save(id, fresh());
      expect([...store.values.keys()]).to.deep.equal(['10:20', `${longest}:${longest}`]);
    });

    for (const value of nonsense) {
      it(`cannot be ${inspect(value)}: a TypeError before the store is asked`, async () => {
        const { installations, store } = installationsOver(new FakeStore());
        for (const name of ['tokens', 'save', 'remove', 'uninstall'] as const) {
          const error = await rejectionOf(Reflect.apply(installations[name], installations, [value, fresh()]));
          expect(error)
            .to.be.instanceOf(TypeError)
            .and.have.property('message')
            .that.matches(/^who must be /);
        }
        expect(store.calls).to.deep.equal([]);
      });
    }
  });

  describe('tokens', () => {
    it('come from the store by one get while they are fresh', async () => {
      const { installations, store, strategy } = installationsOver(new FakeStore(fresh()));
      expect(await installations.tokens(who)).to.deep.equal(fresh());
      expect(store.calls).to.deep.equal(['get']);
      expect(strategy.refreshed).to.deep.equal([]);
    });

    for (const nothing of [undefined, null]) {
      it(`are a NotInstalledError where the store yields ${nothing}`, async () => {
        const { installations, store } = installationsOver(new FakeStore());
        store.onGet = () => nothing;
        const error = await rejectionOf(installations.tokens(who));
        expect(error).to.be.instanceOf(NotInstalledError);
        expect(error).to.include({ code: 'not_installed', status: 401, statusCode: 401, expose: true });
        const message = 'The app is not installed for this Pipedrive user. Please install it again.';
        expect(error).to.include({ name: 'NotInstalledError', message }).and.not.to.have.property('cause');
      });
    }

    it('are refreshed once for a hundred callers when they have expired, and saved', async () => {
      const { installations, store, strategy } = installationsOver(new FakeStore(expired()));
      const all = await Promise.all(Array.from({ length: 100 }, () => installations.tokens(who)));
      for (const tokens of all) expect(tokens).to.deep.equal(tokensWith('new-1', HOUR));
      expect(strategy.refreshed).to.deep.equal(['refresh-token']);
      expect(store.values.get(who)).to.deep.equal(tokensWith('new-1', HOUR));
    });

    it('are refreshed at the very moment at which they expire, and not before', async () => {
      const { installations, strategy } = installationsOver(new FakeStore(tokensWith('old', 1_000)), undefined, {
        refreshAhead: 0,
      });
      await time.pass(999);
      expect(await installations.tokens(who)).to.include({ access_token: 'old' });
      expect(strategy.refreshed).to.have.length(0);
      await time.pass(1);
      expect(await installations.tokens(who)).to.include({ access_token: 'new-1' });
    });

    it('with two minutes left are given to a hundred callers at once, and refreshed once meanwhile', async () => {
      const { installations, store, strategy } = installationsOver(
        new FakeStore(tokensWith('old', 2 * MINUTE)),
        new FakeStrategy(() => new Promise(() => {})),
      );
      const all = await Promise.all(Array.from({ length: 100 }, () => installations.tokens(who)));
      for (const tokens of all) expect(tokens).to.include({ access_token: 'old' });
      await time.pass(0);
      expect(strategy.refreshed).to.have.length(1);
      expect(store.calls).not.to.include('set');
    });

    it('are refreshed from five minutes before their end on, or from refreshAhead on', async () => {
      for (const [left, more, count] of [
        [5 * MINUTE + 1_000, {}, 0],
        [5 * MINUTE, {}, 1],
        [2 * MINUTE, { refreshAhead: MINUTE }, 0],
        [2 * MINUTE, { refreshAhead: 3 * MINUTE }, 1],
      ] as const) {
        const { installations, strategy } = installationsOver(new FakeStore(tokensWith('old', left)), undefined, more);
        expect(await installations.tokens(who)).to.include({ access_token: 'old' });
        await time.pass(0);
        expect(strategy.refreshed, `with ${left} ms left`).to.have.length(count);
      }
    });

    it('are not refreshed in the background for 30 s after that has failed, which onError is told', async () => {
      const outage = Object.assign(new Error('down'), { status: 502 });
      const { installations, strategy, errors } = installationsOver(
        new FakeStore(tokensWith('old', 2 * MINUTE)),
        new FakeStrategy(() => Promise.reject(outage)),
      );
      await Promise.all(Array.from({ length: 100 }, () => installations.tokens(who)));
      await time.pass(29_999);
      expect(await installations.tokens(who)).to.include({ access_token: 'old' });
      await time.pass(0);
      expect(strategy.refreshed).to.have.length(1);
      expect(errors).to.deep.equal([[outage, { id: who }]]);
      await time.pass(1);
      await installations.tokens(who);
      await time.pass(0);
      expect(strategy.refreshed).to.have.length(2);
    });

    it('rest after a failure for each installation alone, and not beyond their end', async () => {
      const { installations, store, strategy } = installationsOver(
        new FakeStore(tokensWith('old', 20_000)),
        new FakeStrategy((count) => (count === 1 ? Promise.reject(new Error('down')) : Promise.resolve(fresh('new')))),
      );
      await installations.tokens(who);
      store.values.set('2:5', tokensWith('other', MINUTE));
      await installations.tokens('2:5');
      await time.pass(0);
      expect(strategy.refreshed).to.have.length(2);
      await time.pass(20_000);
      expect(await installations.tokens(who)).to.include({ access_token: 'new' });
    });

    it('are refreshed when the stored ones were rejected', async () => {
      const { installations, strategy } = installationsOver(new FakeStore(fresh()));
      const all = [1, 2, 3].map(() => installations.tokens(who, { rejected: 'old' }));
      for (const tokens of await Promise.all(all)) expect(tokens).to.include({ access_token: 'new-1' });
      expect(strategy.refreshed).to.have.length(1);
      // A late caller was rejected with the tokens that are gone.
      expect(await installations.tokens(who, { rejected: 'old' })).to.include({ access_token: 'new-1' });
      expect(await installations.tokens(who, { rejected: undefined })).to.include({ access_token: 'new-1' });
      expect(strategy.refreshed).to.have.length(1);
    });

    it('are a TypeError when rejected is not an access token', async () => {
      const { installations, store } = installationsOver(new FakeStore(fresh()));
      const error = await rejectionOf(Reflect.apply(installations.tokens, installations, [who, { rejected: 401 }]));
      expect(error).to.be.instanceOf(TypeError).and.have.property('message', 'rejected must be a string');
      expect(store.calls).to.deep.equal([]);
    });

    it('get an expires_at where the strategy gives none', async () => {
      const { expires_at, ...response } = tokensWith('new', HOUR);
      const strategy = new FakeStrategy(() => Promise.resolve(response as PipedriveTokens));
      const { installations, store } = installationsOver(new FakeStore(expired()), strategy);
      expect(await installations.tokens(who)).to.include({ access_token: 'new', expires_at });
      expect(store.values.get(who)).to.include({ expires_at });
    });

    it("are the strategy's own error in an outage, for each caller, and tried anew afterwards", async () => {
      const outage = Object.assign(new Error('down'), { status: 503 });
      const { installations, strategy, store } = installationsOver(
        new FakeStore(expired()),
        new FakeStrategy((count) => (count === 1 ? Promise.reject(outage) : Promise.resolve(fresh('new')))),
      );
      const all = await Promise.all([1, 2, 3].map(() => rejectionOf(installations.tokens(who))));
      for (const error of all) expect(error).to.equal(outage);
      expect(store.values.get(who)).to.deep.equal(expired());
      expect(await installations.tokens(who)).to.include({ access_token: 'new' });
      expect(strategy.refreshed).to.have.length(2);
    });

    it('are not refreshed again by a caller whose get is late and brings the old ones', async () => {
      const { installations, store, strategy } = installationsOver(new FakeStore(expired()));
      const get = store.onGet;
      const old = get(who);
      store.onGet = () => new Promise((resolve) => setTimeout(resolve, 1_000)).then(() => old);
      const late = installations.tokens(who);
      store.onGet = get;
      expect(await installations.tokens(who)).to.include({ access_token: 'new-1' });
      await time.pass(1_000);
      expect(await late).to.include({ access_token: 'new-1' });
      expect(strategy.refreshed).to.have.length(1);
    });

    it('share nothing with the store or with other callers', async () => {
      const { installations, store } = installationsOver(new FakeStore());
      const given = fresh();
      await installations.save(who, given);
      given.access_token = 'changed by the caller of save';
      const first = await installations.tokens(who);
      expect(first).to.include({ access_token: 'old' });
      first.access_token = 'changed by the caller of tokens';
      expect(await installations.tokens(who)).to.include({ access_token: 'old' });

      store.values.set(who, expired());
      const [one, other] = await Promise.all([installations.tokens(who), installations.tokens(who)]);
      Object.assign(one, { access_token: 'changed by one', extra: 1 });
      expect(other).to.deep.equal(tokensWith('new-1', HOUR));
      expect(store.values.get(who)).to.deep.equal(tokensWith('new-1', HOUR));
    });
  });

  describe('invalid_grant', () => {
    const refusing = () => new FakeStrategy(() => Promise.reject(invalidGrant));

    it('is a NotInstalledError a second later, and the row stays', async () => {
      const stored = expired();
      const { installations, store, strategy } = installationsOver(new FakeStore(stored), refusing());
      const error = rejectionOf(installations.tokens(who));
      const watched = watch(error);
      await time.pass(999);
      expect(watched.state).to.equal('pending');
      await time.pass(100);
      expect(await error)
        .to.be.instanceOf(NotInstalledError)
        .and.include({ cause: invalidGrant });
      expect(store.values.get(who)).to.deep.equal(stored);
      expect(strategy.refreshed).to.have.length(1);
    });

    it('is a NotInstalledError as soon when the clock is set back meanwhile', async () => {
      const { installations } = installationsOver(new FakeStore(expired()), refusing());
      const error = rejectionOf(installations.tokens(who));
      const watched = watch(error);
      await time.pass(100);
      time.setBack(HOUR);
      await time.pass(1_000);
      expect(watched.state).to.equal('resolved');
      expect(await error).to.be.instanceOf(NotInstalledError);
    });

    it('is known by its code, whatever the error is', async () => {
      const strategy = new FakeStrategy(() => Promise.reject({ code: 'invalid_grant' }));
      const { installations } = installationsOver(new FakeStore(expired()), strategy);
      const error = rejectionOf(installations.tokens(who));
      await time.pass(1_100);
      expect(await error).to.be.instanceOf(NotInstalledError);
    });

    it('is overruled by tokens that another process saves within that second', async () => {
      const { installations, store } = installationsOver(new FakeStore(expired()), refusing());
      const tokens = installations.tokens(who);
      await time.pass(900);
      store.values.set(who, fresh('of another process'));
      await time.pass(100);
      expect(await tokens).to.include({ access_token: 'of another process' });
    });

    for (const [name, saved] of [
      ['another access token that expires as soon', () => tokensWith('of another process', -MINUTE)],
      ['the same access token for longer', () => fresh('old')],
    ] as const) {
      it(`is overruled by ${name}`, async () => {
        const { installations, store } = installationsOver(new FakeStore(expired()), refusing());
        const tokens = installations.tokens(who);
        await time.pass(0);
        store.values.set(who, saved());
        await time.pass(50);
        expect(await tokens).to.deep.equal(saved());
      });
    }

    it('is a NotInstalledError at once when the row is gone', async () => {
      const store = new FakeStore(expired());
      const strategy = new FakeStrategy(() => {
        store.values.delete(who);
        return Promise.reject(invalidGrant);
      });
      const { installations } = installationsOver(store, strategy);
      expect(await rejectionOf(installations.tokens(who))).to.be.instanceOf(NotInstalledError);
    });

    it("is the store's error when the store fails then: an outage is no uninstall", async () => {
      const down = new Error('the store is down');
      const store = new FakeStore(expired());
      const strategy = new FakeStrategy(() => {
        store.onGet = () => Promise.reject(down);
        return Promise.reject(invalidGrant);
      });
      const { installations } = installationsOver(store, strategy);
      expect(await rejectionOf(installations.tokens(who))).to.equal(down);
    });

    it('in the background leaves the tokens that still have two minutes to the callers', async () => {
      const { installations, errors } = installationsOver(new FakeStore(tokensWith('old', 2 * MINUTE)), refusing());
      expect(await installations.tokens(who)).to.include({ access_token: 'old' });
      await time.pass(2_000);
      expect(errors).to.have.length(1);
      expect(errors[0]?.[0]).to.be.instanceOf(NotInstalledError);
      expect(await installations.tokens(who)).to.include({ access_token: 'old' });
    });
  });

  describe('save', () => {
    it('computes expires_at from expires_in where it is missing, in whole seconds', async () => {
      const { installations, store } = installationsOver(new FakeStore());
      await time.pass(500);
      const { expires_at, ...tokens } = tokensWith('new', HOUR);
      await installations.save(who, tokens);
      expect(store.values.get(who)).to.deep.equal({ ...tokens, expires_at });
      await installations.save(who, { ...tokens, expires_at: undefined });
      expect(store.values.get(who)).to.deep.equal({ ...tokens, expires_at });
      await installations.save(who, { ...tokens, expires_at: 0 });
      expect(store.values.get(who)).to.deep.equal({ ...tokens, expires_at: 0 });
    });

    for (const [wrong, message] of [
      [null, 'tokens must be a token response'],
      ['an-access-token', 'tokens must be a token response'],
      [{ access_token: undefined }, 'tokens.access_token must be a string'],
      [{ access_token: '' }, 'tokens.access_token must be a string'],
      [{ refresh_token: undefined }, 'tokens.refresh_token must be a string'],
      [{ refresh_token: 7 }, 'tokens.refresh_token must be a string'],
      [{ expires_at: '2026-01-01' }, 'tokens.expires_at must be a number of seconds'],
      [{ expires_at: Number.NaN }, 'tokens.expires_at must be a number of seconds'],
      [{ expires_at: Number.POSITIVE_INFINITY }, 'tokens.expires_at must be a number of seconds'],
      [
        { expires_at: undefined, expires_in: undefined },
        'tokens must have expires_at or expires_in, a number of seconds',
      ],
      [{ expires_at: undefined, expires_in: '3600' }, 'tokens must have expires_at or expires_in, a number of seconds'],
      [{ expires_at: undefined, expires_in: -1 }, 'tokens must have expires_at or expires_in, a number of seconds'],
    ] as const) {
      it(`rejects with a TypeError for tokens with ${inspect(wrong)}`, async () => {
        const { installations, store } = installationsOver(new FakeStore());
        const tokens = typeof wrong === 'object' && wrong !== null ? { ...fresh(), ...wrong } : wrong;
        const error = await rejectionOf(Reflect.apply(installations.save, installations, [who, tokens]));
        expect(error).to.be.instanceOf(TypeError).and.have.property('message', message);
        expect(store.calls).to.deep.equal([]);
      });
    }

    it('and remove reject with what the store fails with', async () => {
      const down = new Error('the store is down');
      const { installations, store } = installationsOver(new FakeStore());
      store.onSet = () => Promise.reject(down);
      store.onDelete = () => {
        throw down;
      };
      expect(await rejectionOf(installations.save(who, fresh()))).to.equal(down);
      expect(await rejectionOf(installations.remove(who))).to.equal(down);
    });
  });

  describe('uninstall', () => {
    it('revokes the refresh token, then removes', async () => {
      const { installations, store, strategy } = installationsOver(new FakeStore(fresh()));
      await installations.uninstall(who);
      expect(strategy.revoked).to.deep.equal([['refresh-token', 'refresh_token']]);
      expect(store.values.size).to.equal(0);
    });

    it('revokes the tokens of a sign-in that comes meanwhile as well, and those of a refresh once', async () => {
      const { installations, store, strategy } = installationsOver(new FakeStore(fresh()));
      const saved = [tokensWith('of a sign-in', HOUR, 'another'), tokensWith('of a refresh', HOUR, 'another')];
      strategy.revoke = async (token) => {
        strategy.revoked.push([token, undefined]);
        for (const tokens of saved.splice(0)) await installations.save(who, tokens);
        if (token === 'another') await installations.save(who, tokensWith('of another refresh', HOUR, 'another'));
      };
      await installations.uninstall(who);
      expect(strategy.revoked.map(([token]) => token)).to.deep.equal(['refresh-token', 'another']);
      expect(store.values.size).to.equal(0);
    });

    /** Makes the second `get` of the store another one. */
    function replaceSecondGet(store: FakeStore, second: (get: FakeStore['onGet']) => FakeStore['onGet']): void {
      const { onGet } = store;
      store.onGet = (id) => {
        store.onGet = second(onGet);
        return onGet(id);
      };
    }

    it('keeps the tokens of a sign-in that is saved when it has looked for such tokens', async () => {
      const { installations, store } = installationsOver(new FakeStore(fresh()));
      const saved: Promise<void>[] = [];
      replaceSecondGet(store, (get) => async (id) => {
        const tokens = await get(id);
        saved.push(installations.save(who, tokensWith('of a sign-in', HOUR, 'another')));
        return tokens;
      });
      await installations.uninstall(who);
      await Promise.all(saved);
      expect(store.values.get(who)).to.include({ access_token: 'of a sign-in' });
    });

    it('keeps the row, and rejects, when the store fails after revoking', async () => {
      const outage = new Error('down');
      const { installations, store } = installationsOver(new FakeStore(fresh()));
      replaceSecondGet(store, () => () => Promise.reject(outage));
      expect(await rejectionOf(installations.uninstall(who))).to.equal(outage);
      expect(store.values.get(who)).to.deep.equal(fresh());
    });

    it('keeps the row, and rejects, when revoking fails', async () => {
      const outage = new Error('down');
      const { installations, store, strategy } = installationsOver(new FakeStore(fresh()));
      strategy.revoke = () => Promise.reject(outage);
      expect(await rejectionOf(installations.uninstall(who))).to.equal(outage);
      expect(store.values.get(who)).to.deep.equal(fresh());
    });

    it('of nothing is a NotInstalledError, and remove of nothing resolves', async () => {
      const { installations, strategy } = installationsOver(new FakeStore());
      expect(await rejectionOf(installations.uninstall(who))).to.be.instanceOf(NotInstalledError);
      expect(strategy.revoked).to.deep.equal([]);
      await installations.remove(who);
    });
  });

  it('shows no token and no key when it is printed', async () => {
    const { installations } = installationsOver(new FakeStore(expired()));
    await installations.tokens(who);
    const all = JSON.stringify(installations) + inspect(installations, { depth: 20, showHidden: true }) + installations;
    for (const secret of ['old', 'new-1', 'refresh-token', who]) expect(all).not.to.include(secret);
  });

  describe('constructor', () => {
    const store = new Map();
    const functions = { get() {}, set() {}, delete() {} };
    for (const [given, message] of [
      [[undefined, { store }], 'strategy must be a PipedriveStrategy'],
      [[{ refresh() {} }, { store }], 'strategy must be a PipedriveStrategy'],
      [[new FakeStrategy()], 'Installations requires an options object'],
      [[new FakeStrategy(), {}], 'store must be an object with the functions get, set and delete'],
      [
        [new FakeStrategy(), { store: { get() {}, set() {} } }],
        'store must be an object with the functions get, set and delete',
      ],
      [
        [new FakeStrategy(), { store: { ...functions, claim: 'secret' } }],
        'store.claim must be a function, if there is one',
      ],
      [
        [new FakeStrategy(), { store, refreshAhead: '5 min' }],
        'refreshAhead must be a whole number from 0 to 9007199254740991',
      ],
      [[new FakeStrategy(), { store, storeTimeout: 0 }], 'storeTimeout must be a whole number from 1 to 2147483647'],
      [
        [new FakeStrategy(), { store, storeTimeout: 2 ** 31 }],
        'storeTimeout must be a whole number from 1 to 2147483647',
      ],
      [
        [new FakeStrategy(), { store, concurrency: 0 }],
        'concurrency must be a whole number from 1 to 9007199254740991',
      ],
      [[new FakeStrategy(), { store, concurrency: 1.5 }], /^concurrency must be/],
      [[new FakeStrategy(), { store, onError: 'log' }], 'onError must be a function'],
    ] as const) {
      it(`throws a TypeError: ${message}`, () => {
        const construct = () => Reflect.construct(Installations, [...given]);
        expect(construct).to.throw(TypeError, message);
      });
    }

    it('takes undefined for an option, a store without claim, and the highest numbers', () => {
      const options = { refreshAhead: undefined, storeTimeout: undefined, concurrency: undefined, onError: undefined };
      new Installations(new FakeStrategy(), { store, ...options });
      new Installations(new FakeStrategy(), { store: { ...functions, claim: undefined }, ...options });
      const most = Number.MAX_SAFE_INTEGER;
      new Installations(new FakeStrategy(), {
        store,
        refreshAhead: most,
        storeTimeout: 2 ** 31 - 1,
        concurrency: most,
      });
    });
  });
});
