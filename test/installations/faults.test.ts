// What installations do when the store fails, hangs or is strange, and when others write in the middle of a refresh.
import { inspect } from 'node:util';
import { expect } from 'chai';
import { Installations, NotInstalledError } from 'passport-pipedrive-oauth2/installations';
import { expectNoUnhandledRejections } from '../support/errors';
import {
  ClaimingStore,
  Deferred,
  expired,
  FakeStore,
  FakeStrategy,
  fakeTimeForEach,
  fresh,
  HOUR,
  invalidGrant,
  rejectionOf,
  tokensWith,
  watch,
  who,
} from '../support/installations';

const hang = () => new Promise<never>(() => {});
const down = () => Promise.reject(new Error('the store is down'));

describe('installations, when the store', () => {
  expectNoUnhandledRejections();
  const time = fakeTimeForEach();

  /** Installations with a refresh that the test ends. */
  function refreshing<S extends FakeStore>(store: S) {
    const answered = new Deferred<ReturnType<typeof fresh>>();
    const begun = new Deferred();
    const strategy = new FakeStrategy(() => {
      begun.resolve();
      return answered.promise;
    });
    const errors: unknown[] = [];
    const onError = (error: unknown, context: unknown) => void errors.push(error, context);
    const installations = new Installations(strategy, { store, onError });
    return { installations, strategy, store, errors, begun: begun.promise, answered };
  }

  describe('hangs', () => {
    const late = (name: string) => ({
      name: 'StoreTimeoutError',
      message: `The store's ${name} took longer than 2000 ms`,
      code: 'store_timeout',
      status: 503,
      statusCode: 503,
      expose: false,
    });

    for (const [method, call, name] of [
      ['onGet', 'tokens', 'get'],
      ['onGet', 'uninstall', 'get'],
      ['onSet', 'save', 'set'],
      ['onDelete', 'remove', 'delete'],
      ['onDelete', 'uninstall', 'delete'],
    ] as const) {
      it(`in ${name}, ${call} rejects after two seconds`, async () => {
        const store = new FakeStore(fresh());
        store[method] = hang;
        const { installations } = refreshing(store);
        const rejection = rejectionOf(installations[call](who, fresh()));
        const watched = watch(rejection);
        await time.pass(1_999);
        expect(watched.state).to.equal('pending');
        await time.pass(1);
        expect(await rejection)
          .to.be.instanceOf(Error)
          .and.deep.include(late(name));
      });
    }

    it('for longer than storeTimeout, tokens reject', async () => {
      const store = new FakeStore(fresh());
      store.onGet = hang;
      const rejection = rejectionOf(new Installations(new FakeStrategy(), { store, storeTimeout: 100 }).tokens(who));
      await time.pass(100);
      expect(await rejection).to.have.property('message', "The store's get took longer than 100 ms");
    });

    it('while the process is stopped, that does not count', async () => {
      const store = new FakeStore(fresh());
      const answer = new Deferred<unknown>();
      store.onGet = () => answer.promise;
      const { installations } = refreshing(store);
      const tokens = installations.tokens(who);
      await time.stop(60_000);
      await time.pass(1_999);
      answer.resolve(fresh());
      expect(await tokens).to.include({ access_token: 'old' });

      store.onGet = hang;
      const rejection = rejectionOf(installations.tokens(who));
      await time.stop(60_000);
      await time.pass(2_000);
      expect(await rejection).to.include({ code: 'store_timeout' });
    });

    it('while the process is busy for a moment, that counts', async () => {
      const store = new FakeStore(fresh());
      store.onGet = hang;
      const rejection = rejectionOf(refreshing(store).installations.tokens(who));
      const watched = watch(rejection);
      await time.stop(2_400);
      expect(watched.state).to.equal('resolved');
      expect(await rejection).to.include({ code: 'store_timeout' });
    });

    it('only in the get before the request, onError is told, and the tokens are saved', async () => {
      const { installations, store, answered, errors } = refreshing(new FakeStore(expired()));
      const { onGet } = store;
      let count = 0;
      store.onGet = (id) => {
        count += 1;
        return count === 2 ? hang() : onGet(id);
      };
      const tokens = installations.tokens(who);
      answered.resolve(fresh('new'));
      await time.pass(2_000);
      expect(await tokens).to.include({ access_token: 'new' });
      expect(errors[0]).to.be.instanceOf(Error).and.deep.include(late('get'));
      expect(errors).to.have.length(2);
      expect(store.values.get(who)).to.include({ access_token: 'new' });
    });

    it('no longer, no timer is left that would keep the process from ending', async () => {
      const { installations } = refreshing(new FakeStore());
      await installations.save(who, fresh());
      await installations.tokens(who);
      expect(time.timers).to.equal(0);
    });

    for (const [method, name] of [
      ['onGet', 'get'],
      ['onSet', 'set'],
      ['onClaim', 'claim'],
    ] as const) {
      it(`in ${name} within a refresh, onError is told, and the tokens are returned`, async () => {
        const { installations, store, answered, errors } = refreshing(new ClaimingStore(expired()));
        const { onGet } = store;
        if (method === 'onGet') {
          // The first get is the app's own.
          store.onGet = (id) => {
            store.onGet = hang;
            return onGet(id);
          };
        } else store[method] = hang;
        const tokens = installations.tokens(who);
        answered.resolve(fresh('new'));
        await time.pass(4_000);
        expect(await tokens).to.include({ access_token: 'new' });
        expect(errors[0]).to.be.instanceOf(Error).and.deep.include(late(name));
        expect(errors[1]).to.deep.equal({ id: who });
      });
    }

    it('and fails after its deadline, nobody is left with a rejection', async () => {
      const store = new FakeStore(fresh());
      const answer = new Deferred();
      store.onGet = () => answer.promise;
      const { installations } = refreshing(store);
      const rejection = rejectionOf(installations.tokens(who));
      await time.pass(2_000);
      expect(await rejection).to.include({ code: 'store_timeout' });
      answer.reject(new Error('too late'));
      await time.pass(0);
    });
  });

  describe('fails', () => {
    it('in get, tokens and uninstall reject with its error, which is no NotInstalledError', async () => {
      const error = new Error('the store is down');
      for (const onGet of [
        () => Promise.reject(error),
        () => {
          throw error;
        },
      ]) {
        const store = new FakeStore(fresh());
        store.onGet = onGet;
        const { installations } = refreshing(store);
        expect(await rejectionOf(installations.tokens(who))).to.equal(error);
        expect(await rejectionOf(installations.uninstall(who))).to.equal(error);
      }
    });

    it('in set, the tokens are returned all the same, and onError gets the error and the id', async () => {
      const error = new Error('the disk is full');
      const { installations, store, answered, errors } = refreshing(new FakeStore(expired()));
      store.onSet = () => Promise.reject(error);
      answered.resolve(fresh('new'));
      const all = await Promise.all([1, 2, 3].map(() => installations.tokens(who)));
      for (const tokens of all) expect(tokens).to.include({ access_token: 'new' });
      expect(errors).to.deep.equal([error, { id: who }]);
    });

    it('in claim, each process refreshes by itself', async () => {
      const { installations, store, answered, errors } = refreshing(new ClaimingStore(expired()));
      const error = new Error('the claims are down');
      store.onClaim = () => Promise.reject(error);
      answered.resolve(fresh('new'));
      expect(await installations.tokens(who)).to.include({ access_token: 'new' });
      expect(errors).to.deep.equal([error, { id: who }]);
    });

    it('between a refresh and its saving, nothing is written blindly', async () => {
      const { installations, store, answered, begun } = refreshing(new FakeStore(expired()));
      const tokens = installations.tokens(who);
      await begun;
      store.onGet = down;
      answered.resolve(fresh('new'));
      expect(await tokens).to.include({ access_token: 'new' });
      expect(store.calls).not.to.include('set');
    });

    describe('and there is no onError', () => {
      let warnings: (Error & { code?: string })[];
      const remember = (warning: Error) => warnings.push(warning);
      beforeEach(() => {
        warnings = [];
        process.on('warning', remember);
      });
      afterEach(() => process.off('warning', remember));
      const secretError = Object.assign(new Error('Failing row contains (new, refresh-token)'), { code: 'ECONNRESET' });

      for (const [name, error, words] of [
        ['an error with a code', secretError, 'Error ECONNRESET'],
        ['an error whose code is no word', Object.assign(new TypeError('new'), { code: 'new token' }), 'TypeError'],
        ['something that is no error', 'new', 'error'],
        ['nothing', undefined, 'error'],
      ] as const) {
        it(`a warning tells of ${name}, without its message`, async () => {
          const store = new FakeStore(expired());
          store.onSet = () => Promise.reject(error);
          await new Installations(new FakeStrategy(), { store }).tokens(who);
          await new Promise(setImmediate);
          expect(warnings).to.have.length(1);
          expect(warnings[0]).to.include({
            name: 'PipedriveInstallationsWarning',
            code: 'PIPEDRIVE_INSTALLATIONS',
            message: `Installation 1:777: ${words}. The option onError gets the whole error.`,
          });
        });
      }

      for (const [name, onError] of [
        [
          'throws',
          () => {
            throw new RangeError('a fault of the app');
          },
        ],
        ['rejects', () => Promise.reject(new RangeError('a fault of the app'))],
      ] as const) {
        it(`or one that ${name}, a warning tells of that, and the tokens are returned`, async () => {
          const store = new FakeStore(expired());
          store.onSet = down;
          const installations = new Installations(new FakeStrategy(), { store, onError });
          expect(await installations.tokens(who)).to.include({ access_token: 'new-1' });
          await new Promise(setImmediate);
          expect(warnings.map(({ message }) => message)).to.deep.equal([
            'Installation 1:777: RangeError. The option onError gets the whole error.',
          ]);
        });
      }
    });
  });

  describe('is strange:', () => {
    it('synchronous, such as a Map, it will do', async () => {
      const store = new Map();
      const installations = new Installations(new FakeStrategy(), { store });
      await installations.save(who, expired());
      expect(await installations.tokens(who)).to.include({ access_token: 'new-1' });
      expect(store.get(who)).to.include({ access_token: 'new-1' });
      await installations.remove(who);
      expect(store.size).to.equal(0);
    });

    it('a query builder with a then of its own, it will do', async () => {
      const store = new FakeStore(fresh());
      // biome-ignore lint/suspicious/noThenProperty: that is what query builders have
      store.onGet = (id) => ({ then: (resolve: (value: unknown) => void) => resolve(store.values.get(id)) });
      const installations = new Installations(new FakeStrategy(), { store });
      expect(await installations.tokens(who)).to.include({ access_token: 'old' });
    });

    it('its values are documents with a toJSON, they will do', async () => {
      const store = new FakeStore();
      store.values.set(who, { toJSON: () => fresh() });
      const installations = new Installations(new FakeStrategy(), { store });
      expect(await installations.tokens(who)).to.deep.equal(fresh());
    });

    it('it keeps the objects that it gets, and changes them: what callers have stays', async () => {
      const store = new FakeStore(expired());
      const { onSet } = store;
      store.onSet = (id, value) => onSet(id, Object.assign(value, { access_token: 'changed by the store' }));
      const installations = new Installations(new FakeStrategy(), { store });
      expect(await installations.tokens(who)).to.include({ access_token: 'new-1' });
    });

    for (const [name, row] of [
      ['text', JSON.stringify(tokensWith('old', HOUR))],
      ['a list', [tokensWith('old', HOUR)]],
      ['false', false],
      ['an empty text', ''],
      ['an empty object', {}],
      ['no access token', { ...tokensWith('old', HOUR), access_token: undefined }],
      ['no refresh token', { ...tokensWith('old', HOUR), refresh_token: null }],
      ['no expires_at', { ...tokensWith('old', HOUR), expires_at: undefined }],
      ['expires_at as text', { ...tokensWith('old', HOUR), expires_at: '1767225600' }],
      ['a sealed row', { sealed: 'a.b.c' }],
    ] as const) {
      it(`a row that is ${name} is an error that says so, and shows no token`, async () => {
        const store = new FakeStore();
        store.onGet = () => row;
        const error = await rejectionOf(new Installations(new FakeStrategy(), { store }).tokens(who));
        const message = "The store's value for 1:777 is not a token response with expires_at";
        expect(error).to.be.instanceOf(Error).and.have.property('message', message);
        expect(error).not.to.be.instanceOf(NotInstalledError);
        expect(inspect(error)).not.to.include('refresh-token');
      });
    }
  });

  describe('is written in the middle of a refresh:', () => {
    it('a new sign-in waits for nobody, stays, and goes to the callers', async () => {
      const { installations, store, begun, answered } = refreshing(new FakeStore(expired()));
      const tokens = installations.tokens(who);
      await begun;
      await installations.save(who, tokensWith('of the sign-in', HOUR));
      expect(await installations.tokens(who)).to.include({ access_token: 'of the sign-in' });
      answered.resolve(fresh('of the refresh'));
      expect(await tokens).to.include({ access_token: 'of the sign-in' });
      expect(store.values.get(who)).to.include({ access_token: 'of the sign-in' });
    });

    it('a new sign-in whose tokens have expired as well, these are refreshed by themselves', async () => {
      const { installations, strategy, begun } = refreshing(new FakeStore(expired()));
      installations.tokens(who);
      await begun;
      await installations.save(who, tokensWith('of the sign-in', -1_000, 'its refresh token'));
      installations.tokens(who);
      await time.pass(0);
      expect(strategy.refreshed).to.deep.equal(['refresh-token', 'its refresh token']);
    });

    for (const call of ['remove', 'uninstall'] as const) {
      it(`${call} waits for nobody, and the row does not come back`, async () => {
        const { installations, store, begun, answered } = refreshing(new FakeStore(expired()));
        const tokens = rejectionOf(installations.tokens(who));
        await begun;
        await installations[call](who);
        answered.resolve(fresh('of the refresh'));
        expect(await tokens).to.be.instanceOf(NotInstalledError);
        expect(store.values.size).to.equal(0);
      });
    }

    it('an uninstall before the request is sent, nothing is asked', async () => {
      const { installations, store, strategy } = refreshing(new FakeStore(expired()));
      const { onGet } = store;
      store.onGet = (id) => {
        store.onGet = () => undefined;
        return onGet(id);
      };
      expect(await rejectionOf(installations.tokens(who))).to.be.instanceOf(NotInstalledError);
      expect(strategy.refreshed).to.deep.equal([]);
    });

    for (const [call, left] of [
      ['save', 'of the sign-in'],
      ['remove', undefined],
    ] as const) {
      it(`${call} waits while the refresh reads and writes, and then counts`, async () => {
        const { installations, store, begun, answered } = refreshing(new FakeStore(expired()));
        const tokens = installations.tokens(who);
        await begun;
        const reading = new Deferred();
        const { onGet } = store;
        store.onGet = async (id) => {
          await reading.promise;
          return onGet(id);
        };
        answered.resolve(fresh('of the refresh'));
        await time.pass(0);
        const written = installations[call](who, fresh('of the sign-in'));
        const other = installations.save('2:5', fresh('of another'));
        const watched = watch(written);
        await other;
        expect(watched.state).to.equal('pending');
        reading.resolve();
        await written;
        expect(await tokens).to.include({ access_token: 'of the refresh' });
        expect(store.values.get(who)).to.deep.equal(left && fresh(left));
      });
    }

    it('writers come one after the other, one that comes later too', async () => {
      const { installations, store } = refreshing(new FakeStore());
      const { onSet } = store;
      const [first, second] = [new Deferred(), new Deferred()];
      const answers = [first.promise, second.promise];
      store.onSet = async (id, value) => {
        await answers.shift();
        return onSet(id, value);
      };
      const saved = installations.save(who, fresh('first'));
      const savedAgain = installations.save(who, fresh('second'));
      first.resolve();
      await saved;
      const removed = installations.remove(who);
      await time.pass(0);
      expect(store.calls).to.deep.equal(['set', 'set']);
      second.resolve();
      await Promise.all([savedAgain, removed]);
      expect(store.calls).to.deep.equal(['set', 'set', 'delete']);
      expect(store.values.size).to.equal(0);
    });

    it('a save that fails does not keep the next one from the store', async () => {
      const { installations, store } = refreshing(new FakeStore());
      const { onSet } = store;
      store.onSet = down;
      const failed = rejectionOf(installations.save(who, fresh('first')));
      const second = installations.save(who, fresh('second'));
      store.onSet = onSet;
      expect(await failed).to.have.property('message', 'the store is down');
      await second;
      expect(store.values.get(who)).to.include({ access_token: 'second' });
    });

    it('another process replaces the tokens before the request is sent, and none is needed', async () => {
      const { installations, store, strategy } = refreshing(new FakeStore(expired()));
      const { onGet } = store;
      store.onGet = (id) => {
        store.onGet = () => fresh('of another process');
        return onGet(id);
      };
      expect(await installations.tokens(who)).to.include({ access_token: 'of another process' });
      expect(strategy.refreshed).to.deep.equal([]);
    });

    it('Pipedrive refuses tokens that a sign-in has replaced, and the callers get the new ones', async () => {
      const { installations, begun, answered } = refreshing(new FakeStore(expired()));
      const tokens = installations.tokens(who);
      await begun;
      await installations.save(who, fresh('of the sign-in'));
      answered.reject(invalidGrant);
      expect(await tokens).to.include({ access_token: 'of the sign-in' });
    });
  });
});
