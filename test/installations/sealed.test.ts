// Sealed stores: what is in the database, and what does not open.
import { randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { CompactEncrypt, decodeProtectedHeader } from 'jose';
import { Installations, sealed } from 'passport-pipedrive-oauth2/installations';
import {
  ClaimingStore,
  expired,
  FakeStore,
  FakeStrategy,
  fakeTimeForEach,
  fresh,
  HOUR,
  rejectionOf,
  tokensWith,
  who,
} from '../support/installations';

const [key, newKey] = [randomBytes(32), randomBytes(32)];
const plaintext = () => new TextEncoder().encode(JSON.stringify(fresh()));

const jweOf = (store: FakeStore, id = who): string => String(Reflect.get(Object(store.values.get(id)), 'sealed'));

describe('sealed store', () => {
  fakeTimeForEach(); // tokens that are made twice have the same expires_at

  it('keeps tokens as a JWE, in which none is readable, and gives them back', async () => {
    const store = new FakeStore();
    const installations = new Installations(new FakeStrategy(), { store: sealed(store, [key]) });
    const tokens = fresh('an-access-token');
    await installations.save(who, tokens);
    const row = store.values.get(who);
    expect(Object.keys(Object(row))).to.deep.equal(['sealed']);
    expect(decodeProtectedHeader(jweOf(store))).to.deep.equal({ alg: 'dir', enc: 'A256GCM', id: who });
    const dump = JSON.stringify(row);
    const decoded = jweOf(store)
      .split('.')
      .map((part) => Buffer.from(part, 'base64url').toString('latin1'))
      .join('\n');
    for (const secret of ['an-access-token', 'refresh-token', 'examplebikes']) {
      expect(dump).not.to.include(secret);
      expect(decoded).not.to.include(secret);
    }
    expect(await installations.tokens(who)).to.deep.equal(tokens);
  });

  it('seals the same tokens differently each time', async () => {
    const store = new FakeStore();
    const over = sealed(store, key);
    await over.set(who, fresh());
    const first = jweOf(store);
    await over.set(who, fresh());
    expect(jweOf(store)).not.to.equal(first);
  });

  it('refreshes, removes and finds nothing as an open one does', async () => {
    const store = new FakeStore();
    const installations = new Installations(new FakeStrategy(), { store: sealed(store, [key]) });
    await installations.save(who, expired());
    expect(await installations.tokens(who)).to.include({ access_token: 'new-1' });
    expect(await installations.tokens(who)).to.include({ access_token: 'new-1' });
    await installations.remove(who);
    expect(store.values.size).to.equal(0);
    expect(await rejectionOf(installations.tokens(who))).to.have.property('code', 'not_installed');
    store.onGet = () => null;
    expect(await rejectionOf(installations.tokens(who))).to.have.property('code', 'not_installed');
  });

  for (const [name, given] of [
    ['bytes', new Uint8Array(key)],
    ['a Buffer', key],
    ['base64url', key.toString('base64url')],
    ['base64url with its padding', `${key.toString('base64url')}=`],
    ['a list of one', [key]],
  ] as const) {
    it(`takes ${name} as its key`, async () => {
      const store = new FakeStore();
      await sealed(store, key).set(who, fresh());
      expect(await sealed(store, given).get(who)).to.deep.equal(fresh());
    });
  }

  it('opens with each of its keys, and seals with the first', async () => {
    const store = new FakeStore();
    await sealed(store, [key]).set(who, fresh());
    const rotated = sealed(store, [newKey, key]);
    expect(await rotated.get(who)).to.deep.equal(fresh());
    await rotated.set(who, fresh('saved again'));
    expect(await sealed(store, [newKey]).get(who)).to.deep.equal(fresh('saved again'));
  });

  const broken = `The row of ${who} does not open with any of the keys`;
  const tampered = (jwe: string, part: number) =>
    jwe
      .split('.')
      .map((text, index) => (index === part ? `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}` : text))
      .join('.');
  for (const [name, change, message] of [
    ['sealed with another key', () => sealedWith({ id: who }, newKey), broken],
    ['sealed by another algorithm', () => sealedWith({ id: who, alg: 'A256KW' }), broken],
    ['sealed with another cipher', () => sealedWith({ id: who, enc: 'A128CBC-HS256' }), broken],
    ['of another id', () => sealedWith({ id: '2:5' }), `The row of ${who} was sealed for another id`],
    ['of no id', () => sealedWith({}), `The row of ${who} was sealed for another id`],
    ['changed in its header', (jwe: string) => tampered(jwe, 0), broken],
    ['changed in its nonce', (jwe: string) => tampered(jwe, 2), broken],
    ['changed in its content', (jwe: string) => tampered(jwe, 3), broken],
    ['changed in its tag', (jwe: string) => tampered(jwe, 4), broken],
    ['cut', (jwe: string) => jwe.slice(0, 100), broken],
    ['no JWE', () => 'sealed', broken],
  ] as const) {
    it(`rejects a row that is ${name}, with an error that says so`, async () => {
      const store = new FakeStore();
      const over = sealed(store, [key]);
      await over.set(who, fresh());
      store.values.set(who, { sealed: await change(jweOf(store)) });
      const error = await rejectionOf(new Installations(new FakeStrategy(), { store: over }).tokens(who));
      expect(error).to.be.instanceOf(Error).and.have.property('message', message);
      expect(error).not.to.have.property('code');
    });
  }

  for (const content of ['', 'no JSON', 'null', '"text"', '[]']) {
    it(`rejects a row in which no object is sealed but ${content || 'nothing'}`, async () => {
      const header = { alg: 'dir', enc: 'A256GCM', id: who };
      const jwe = await new CompactEncrypt(new TextEncoder().encode(content)).setProtectedHeader(header).encrypt(key);
      const store = new FakeStore();
      store.values.set(who, { sealed: jwe });
      const error = await rejectionOf(new Installations(new FakeStrategy(), { store: sealed(store, key) }).tokens(who));
      expect(error).to.be.instanceOf(Error).with.property('message', `The row of ${who} holds no tokens`);
    });
  }

  function sealedWith({ id, alg = 'dir', enc = 'A256GCM' }: { id?: string; alg?: string; enc?: string }, by = key) {
    return new CompactEncrypt(plaintext()).setProtectedHeader({ alg, enc, ...(id && { id }) }).encrypt(by);
  }

  it('does not open a row that was copied to another user', async () => {
    const store = new FakeStore();
    const over = sealed(store, [key]);
    await over.set(who, fresh());
    store.values.set('1:778', store.values.get(who));
    const installations = new Installations(new FakeStrategy(), { store: over });
    expect(await rejectionOf(installations.tokens('1:778')))
      .to.be.instanceOf(Error)
      .with.property('message', 'The row of 1:778 was sealed for another id');
  });

  for (const row of [{ sealed: 5 }, { sealed: '' }, 'a.b.c.d.e', [fresh()]]) {
    it(`rejects a row that is ${JSON.stringify(row).slice(0, 20)} as one that is not sealed`, async () => {
      const store = new FakeStore();
      store.onGet = () => row;
      expect(await rejectionOf(Promise.resolve(sealed(store, key).get(who))))
        .to.be.instanceOf(Error)
        .with.property('message', `The row of ${who} is not sealed`);
    });
  }

  it('fails as its store does', async () => {
    const down = new Error('the store is down');
    const store = new FakeStore();
    store.onGet = store.onSet = store.onDelete = () => Promise.reject(down);
    const over = sealed(store, key);
    for (const call of [() => over.get(who), () => over.set(who, fresh()), () => over.delete(who)]) {
      expect(await rejectionOf(Promise.resolve(call()))).to.equal(down);
    }
  });

  it('rejects a row that is not sealed, unless acceptPlain is set', async () => {
    const store = new FakeStore(fresh());
    expect(await rejectionOf(Promise.resolve(sealed(store, [key]).get(who))))
      .to.be.instanceOf(Error)
      .with.property('message', `The row of ${who} is not sealed`);
    const installations = new Installations(new FakeStrategy(), { store: sealed(store, [key], { acceptPlain: true }) });
    expect(await installations.tokens(who)).to.deep.equal(fresh());
    // From the first refresh on it is sealed.
    expect(await installations.tokens(who, { rejected: 'old' })).to.include({ access_token: 'new-1' });
    expect(jweOf(store)).to.match(/^ey/);
    expect(await sealed(store, [key]).get(who)).to.include({ access_token: 'new-1' });
  });

  it('claims as its store does, and only where that can', async () => {
    const store = new ClaimingStore();
    const over = sealed(store, [key]);
    expect([await over.claim?.('a', 1_000), await over.claim?.('a', 1_000)]).to.deep.equal([true, false]);
    expect(store.claims).to.deep.equal([
      ['a', 1_000],
      ['a', 1_000],
    ]);
    expect(sealed(new Map(), [key])).not.to.have.property('claim');
  });

  it('is over any store, a Map too', async () => {
    const store = new Map();
    await sealed(store, [key]).set(who, tokensWith('new', HOUR));
    expect(await sealed(store, [key]).get(who)).to.include({ access_token: 'new' });
  });

  for (const [name, keys] of [
    ['no key', []],
    ['undefined for a key', undefined],
    ['an empty text', ''],
    ['a text of 42 characters', 'x'.repeat(42)],
    ['a text of 44 characters', 'x'.repeat(44)],
    ['something in front of base64url', `!${key.toString('base64url')}`],
    ['something behind base64url', `${key.toString('base64url')}!`],
    ['base64 that is not base64url', `${'x'.repeat(42)}+`],
    ['a key and undefined', [key, undefined]],
  ] as const) {
    it(`is a TypeError with ${name}, and shows no key`, () => {
      const seal = () => Reflect.apply(sealed, undefined, [new Map(), keys]);
      expect(seal).to.throw(TypeError, /^keys must (have at least one key|be 32 bytes each, or their base64url)$/);
    });
  }

  it('is a TypeError with keys of another length, or over something that is no store', () => {
    for (const length of [0, 16, 31, 33]) expect(() => sealed(new Map(), randomBytes(length))).to.throw(TypeError);
    expect(() => Reflect.apply(sealed, undefined, [{ get() {} }, key])).to.throw(TypeError, /^store must be/);
  });

  it('is a TypeError with an acceptPlain that is neither true nor false', () => {
    const seal = () => Reflect.apply(sealed, undefined, [new Map(), key, { acceptPlain: 'false' }]);
    expect(seal).to.throw(TypeError, 'acceptPlain must be true or false');
    expect(() => sealed(new Map(), key, { acceptPlain: undefined })).not.to.throw();
  });

  it('shows no key when it is printed, and has its own copy of it', async () => {
    const bytes = Uint8Array.from(key);
    const store = new FakeStore();
    const over = sealed(store, [bytes]);
    bytes.fill(0);
    await over.set(who, fresh());
    expect(await sealed(store, [key]).get(who)).to.deep.equal(fresh());
    const printed = inspect(over, { depth: 10, showHidden: true }) + JSON.stringify(over);
    expect(printed).not.to.match(/\d{2,3}, \d{2,3}, \d/);
    expect(printed).not.to.include(key.toString('hex').slice(0, 4));
  });
});
