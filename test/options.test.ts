// The constructor: what it requires, refuses and leaves alone.
import { expect } from 'chai';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import { CookieStateStore, PipedriveStrategy, SessionStateStore, Strategy } from 'passport-pipedrive-oauth2';
import { mustNotBeCalled, options } from './support/app';

/** As JavaScript would: with whatever options. */
const construct = (given: object, verify: unknown = mustNotBeCalled) =>
  Reflect.construct(PipedriveStrategy, [given, verify]);

describe('options', () => {
  it('makes an OAuth2Strategy named pipedrive, which is also exported as Strategy', () => {
    const strategy = new Strategy(options, mustNotBeCalled);
    expect(strategy).to.be.instanceOf(PipedriveStrategy).and.instanceOf(OAuth2Strategy);
    expect(strategy.name).to.equal('pipedrive');
  });

  for (const name of ['clientID', 'clientSecret', 'callbackURL']) {
    for (const value of [undefined, null, '', 7, {}, ['a']]) {
      it(`throws a TypeError that names ${name} when it is ${JSON.stringify(value)}`, () => {
        expect(() => construct({ ...options, [name]: value })).to.throw(TypeError, new RegExp(`^${name} is required`));
      });
    }
  }

  const notSecure = [
    'http://oauth.example.com/token',
    'ftp://127.0.0.1/',
    'oauth.pipedrive.com',
    '',
    7,
    'http://127.0.0.1.evil.example/',
    'https://user:pass@127.0.0.1/',
    'https://127.0.0.1/#x',
    'javascript:1',
  ];
  const wrong: Record<string, unknown[]> = {
    callbackURL: [
      'callback',
      '//evil.example/callback',
      'ftp://app.example.com/',
      'https://',
      'https://app.example.com/#fragment',
      '/a b',
      '/a\nb',
      '/a\\b',
      'javascript:alert(1)',
      'http://a b/',
    ],
    authorizationURL: notSecure,
    tokenURL: notSecure,
    revocationURL: notSecure,
    userProfileURL: notSecure,
    state: ['true', 1, null],
    store: [true, {}, { store() {} }, null, 'session'],
    pkce: ['s256', 1, null],
    marketplaceInstall: ['accept', true, null],
    timeout: [0, -1, 1.5, '10', Number.NaN, Number.POSITIVE_INFINITY, 2 ** 31, null],
    agent: [{}, true, 'http://proxy.example.com'],
    customHeaders: ['X-A: b', { 'X A': 'b' }, { 'X-A': 'b\r\nX-B: c' }, { 'X-A': undefined }, null],
    skipUserProfile: ['yes', 1, null],
    passReqToCallback: ['yes', 1, null],
    proxy: ['yes', 1, null],
    sessionKey: ['', 7, null],
  };
  for (const [name, values] of Object.entries(wrong)) {
    it(`throws a TypeError that names ${name} for ${values.map((value) => JSON.stringify(value)).join(', ')}`, () => {
      for (const value of values) expect(() => construct({ ...options, [name]: value })).to.throw(TypeError, name);
    });
  }

  it('never shows a value in its errors', () => {
    const secret = 'hunter2-hunter2';
    for (const name of [...Object.keys(wrong), 'clientID', 'clientSecret']) {
      const value = name.startsWith('client') ? [secret] : { [secret]: secret };
      try {
        construct({ ...options, [name]: value });
      } catch (error) {
        expect(String(error)).not.to.include(secret);
      }
    }
  });

  it('takes every option as undefined', () => {
    const undefineds = Object.fromEntries(Object.keys(wrong).map((name) => [name, undefined]));
    expect(() => construct({ ...undefineds, ...options })).not.to.throw();
  });

  it('takes http for loopback hosts', () => {
    for (const host of ['localhost:3000', '127.0.0.1', '127.8.9.10:1', '[::1]:8080', 'sandbox.localhost']) {
      expect(() => construct({ ...options, tokenURL: `http://${host}/oauth/token` })).not.to.throw();
    }
  });

  it('requires options and a verify function', () => {
    for (const nothing of [undefined, null, mustNotBeCalled, 'options']) {
      expect(() => Reflect.construct(PipedriveStrategy, [nothing, mustNotBeCalled])).to.throw(TypeError);
    }
    for (const nothing of [null, {}, 'verify']) expect(() => construct(options, nothing)).to.throw(TypeError, 'verify');
  });

  it('never writes to the options', () => {
    const store = new CookieStateStore();
    const given = Object.freeze({ ...options, store, customHeaders: Object.freeze({ Authorization: 'x' }) });
    expect(() => construct(given)).not.to.throw();
  });

  for (const Store of [CookieStateStore, SessionStateStore]) {
    for (const [name, values] of Object.entries({
      ttl: [0, -1, 1.5, '1', null, Number.NaN],
      limit: [0, -1, 1.5, '1', null, Number.NaN],
    })) {
      it(`throws a TypeError that names ${name} of ${Store.name}`, () => {
        for (const value of values)
          expect(() => Reflect.construct(Store, [{ [name]: value }])).to.throw(TypeError, name);
      });
    }
  }

  it('throws a TypeError that names the secret of CookieStateStore, and the key of SessionStateStore', () => {
    for (const secret of ['', [''], [7], 7, null, {}]) {
      expect(() => Reflect.construct(CookieStateStore, [{ secret }])).to.throw(TypeError, 'secret');
    }
    for (const key of ['', 7, null])
      expect(() => Reflect.construct(SessionStateStore, [{ key }])).to.throw(TypeError, 'key');
  });
});
