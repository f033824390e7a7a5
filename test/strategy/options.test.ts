// The constructor: what it requires, refuses and leaves alone.
import { inspect } from 'node:util';
import { expect } from 'chai';
import { Strategy as OAuth2Strategy } from 'passport-oauth2';
import { CookieStateStore, PipedriveStrategy, SessionStateStore, Strategy } from 'passport-pipedrive-oauth2';
import { mustNotBeCalled, options } from '../support/app';

/** As JavaScript would: with whatever options. */
const construct = (given: unknown, verify: unknown = mustNotBeCalled) =>
  Reflect.construct(PipedriveStrategy, [given, verify]);

/** Expects a TypeError with exactly this message. */
function expectTypeError(construct: () => unknown, message: string): void {
  expect(construct).to.throw(TypeError).with.property('message', message);
}

describe('options', () => {
  it('makes an OAuth2Strategy named pipedrive, which is also exported as Strategy', () => {
    const strategy = new Strategy(options, mustNotBeCalled);
    expect(strategy).to.be.instanceOf(PipedriveStrategy).and.instanceOf(OAuth2Strategy);
    expect(strategy.name).to.equal('pipedrive');
  });

  const required: Record<string, [mustBe: string, ...values: unknown[]]> = {
    clientID: ['a string'],
    clientSecret: ['a string'],
    callbackURL: [
      'an absolute http(s) URL without fragment, or a path that starts with one "/"',
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
      'https://app.example.com/\u0085',
      'xhttps://app.example.com/callback',
      'callback/of/app',
      ['/callback'],
      new URL('https://app.example.com/callback'),
    ],
  };
  for (const [name, [mustBe, ...values]] of Object.entries(required)) {
    for (const value of [undefined, null, '', 7, {}, ['a'], ...values]) {
      it(`throws a TypeError that names ${name} when it is ${JSON.stringify(value)}`, () => {
        const must = value === '' ? 'not be empty' : `be ${mustBe}`;
        expectTypeError(() => construct({ ...options, [name]: value }), `${name} is required and must ${must}`);
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
    'http://notlocalhost/',
    'https://user@127.0.0.1/',
    'https://:pass@127.0.0.1/',
    'https://127.0.0.1/#x',
    'javascript:1',
    'https:oauth.example.com/token',
    'https://oauth.example.com/token\n',
    ' https://oauth.example.com/token',
    'https://oauth.example.com/tök',
    'https:\\\\oauth.example.com\\token',
    new URL('https://oauth.example.com/token'),
  ];
  const endpoint = 'an https URL, or an http URL of a loopback host';
  const wrong: Record<string, [mustBe: string, ...values: unknown[]]> = {
    authorizationURL: [endpoint, ...notSecure],
    tokenURL: [endpoint, ...notSecure],
    revocationURL: [endpoint, ...notSecure],
    userProfileURL: [endpoint, ...notSecure],
    state: ['true or false', 'true', 1, null],
    store: ['an object with the functions store and verify', true, {}, { store() {} }, null, 'session'],
    pkce: ["true, false, 'S256' or 'plain'", 's256', 1, null],
    marketplaceInstall: ["'restart' or 'reject'", 'accept', true, null],
    timeout: [
      'a whole number of milliseconds from 1 to 2147483647',
      0,
      -1,
      1.5,
      '10',
      Number.NaN,
      Number.POSITIVE_INFINITY,
      2 ** 31,
      null,
    ],
    agent: ['an http.Agent or https.Agent', {}, true, 'http://proxy.example.com'],
    customHeaders: [
      'an object of valid HTTP headers',
      'X-A: b',
      { 'X A': 'b' },
      { 'X-A': 'b\r\nX-B: c' },
      { 'X-A': undefined },
      new Headers({ 'X-A': 'b' }),
      new Map([['X-A', 'b']]),
      [['X-A', 'b']],
      null,
    ],
    skipUserProfile: ['true, false or a function', 'yes', 1, null],
    passReqToCallback: ['true or false', 'yes', 1, null],
    proxy: ['true or false', 'yes', 1, null],
    sessionKey: ['a string', '', 7, null],
    name: ['a string', '', 7, null],
    authorizationServer: [
      'an https origin, or an http origin of a loopback host',
      'http://example.com',
      'https://example.com/path',
      'https://example.com?',
      'https://a:b@example.com',
      'example.com',
      7,
    ],
  };
  for (const [name, [mustBe, ...values]] of Object.entries(wrong)) {
    for (const value of values) {
      it(`throws a TypeError that names ${name} when it is ${inspect(value, { compact: true }).slice(0, 40)}`, () => {
        const must = value === '' ? 'not be empty' : `be ${mustBe}`;
        expectTypeError(() => construct({ ...options, [name]: value }), `${name} must ${must}`);
      });
    }
  }

  it('says which option is misspelt', () => {
    const { clientID, ...others } = options;
    expectTypeError(
      () => construct({ ...others, clientId: clientID }),
      'clientID is required and must be a string; did you mean clientID instead of clientId?',
    );
  });

  it('never shows a value in its errors', () => {
    const secret = 'hunter2-hunter2';
    for (const name of [...Object.keys(wrong), ...Object.keys(required)]) {
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
    for (const host of ['localhost:3000', '127.0.0.1', '127.18.19.20:1', '[::1]:8080', 'sandbox.localhost']) {
      expect(() => construct({ ...options, tokenURL: `http://${host}/oauth/token` })).not.to.throw();
    }
  });

  it('takes the origin of an authorization server in any spelling', () => {
    for (const [authorizationServer, origin] of [
      ['https://oauth.example.com:443', 'https://oauth.example.com'],
      ['HTTPS://OAuth.Example.com/', 'https://oauth.example.com'],
      ['http://localhost:80', 'http://localhost'],
    ]) {
      const { _oauth2 } = new PipedriveStrategy({ ...options, authorizationServer }, mustNotBeCalled);
      expect(_oauth2._accessTokenUrl).to.equal(`${origin}/oauth/token`);
    }
  });

  it('takes timeouts as long as the longest timer of Node.js', () => {
    for (const timeout of [1, 2_147_483_647]) expect(() => construct({ ...options, timeout })).not.to.throw();
  });

  it('requires options and a verify function', () => {
    for (const nothing of [undefined, null, mustNotBeCalled, 'options'])
      expectTypeError(() => construct(nothing), 'PipedriveStrategy requires an options object');
    for (const nothing of [null, {}, 'verify']) {
      expectTypeError(() => construct(options, nothing), 'verify is required and must be a function');
    }
  });

  it('takes what the options inherit, such as the getters of a class', () => {
    class Config {
      get clientID() {
        return options.clientID;
      }
      get clientSecret() {
        return options.clientSecret;
      }
      get callbackURL() {
        return options.callbackURL;
      }
      get customHeaders() {
        return { 'X-App': 'mine' };
      }
    }
    const { _oauth2, _callbackURL } = construct(new Config());
    expect(_callbackURL).to.equal(options.callbackURL);
    expect(_oauth2._clientId).to.equal(options.clientID);
    expect(_oauth2._clientSecret).to.equal(options.clientSecret);
    expect(_oauth2._customHeaders).to.deep.equal({ 'X-App': 'mine' });
  });

  it('never writes to the options', () => {
    const store = new CookieStateStore();
    const given = Object.freeze({ ...options, store, customHeaders: Object.freeze({ Authorization: 'x' }) });
    expect(() => construct(given)).not.to.throw();
  });

  const limits: [option: string, mustBe: string, ...values: unknown[]][] = [
    ['ttl', 'a whole number of milliseconds above 0', 0, -1, 1.5, '1', null, Number.NaN],
    ['limit', 'a whole number above 0', 0, -1, 1.5, '1', null, Number.NaN],
  ];
  for (const [Store, ...own] of [
    [
      CookieStateStore,
      [
        'secret',
        'a string of at least 32 characters, or an array of such strings',
        ...['', 'x'.repeat(31), [''], ['x'.repeat(32), 'short'], [7], 7, null, {}],
      ],
      ['domain', 'a host name', '', 'https://example.com', 'example.com/', 'a b', 'a; Secure', '.', 7, null],
    ],
    [SessionStateStore, ['key', 'a string', '', 7, null]],
  ] as const) {
    for (const [name, mustBe, ...values] of [...limits, ...own]) {
      it(`throws a TypeError that names ${name} of ${Store.name}`, () => {
        for (const value of values) {
          expectTypeError(() => Reflect.construct(Store, [{ [name]: value }]), `${name} must be ${mustBe}`);
        }
      });
    }
  }
});
