// What is special to flows in cookies: their attributes, their signature, their size, and the cookies of others.
import crypto, { createHmac, hkdfSync } from 'node:crypto';
import { mock } from 'node:test';
import { expect } from 'chai';
import type { Request, RequestHandler } from 'express';
import session from 'express-session';
import {
  CookieStateStore,
  type PipedriveAuthenticateOptions,
  PipedriveStrategy,
  type PipedriveStrategyOptions,
} from 'passport-pipedrive-oauth2';
import {
  type Answer,
  anybody,
  appsForEach,
  expectFailure,
  expectRedirect,
  options,
  type Visitor,
} from '../support/app';
import { letSignIn, stubPipedrive } from '../support/pipedrive';
import { clockForEach, metadata, ownSecret, StoreClient } from '../support/stores';

const secure = { callbackURL: 'https://app.example.com/callback' };

describe('CookieStateStore', () => {
  stubPipedrive();
  const start = appsForEach();
  const passTime = clockForEach();

  /** The flow's cookie, as the browser would send it. */
  const cookieOf = (answer: Answer) => answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const stateOf = (answer: Answer) => expectRedirect(answer).get('state') ?? '';
  const callbackWith = (visitor: Visitor, state: string, cookie: string) =>
    visitor.callback({ code: 'the-code-of-the-user', state }, { headers: { cookie } });

  describe('cookie', () => {
    it('is HttpOnly and SameSite=Lax, outlives the ttl by the ttl, and does not hold its state', async () => {
      const answer = await (await start()).visitor().send('/auth');
      const [pair = '', ...attributes] = answer.headers.getSetCookie()[0]?.split('; ') ?? [];
      expect(pair)
        .to.match(/^pipedrive-flow\.[\w-]{6}\.[\da-f]=[\w.+/=-]+$/)
        .and.not.include(stateOf(answer));
      expect(attributes).to.have.members(['Max-Age=3600', 'Path=/', 'HttpOnly', 'SameSite=Lax']);
    });

    for (const callbackURL of [secure.callbackURL, 'HTTPS://app.example.com/callback', 'Https://app.example.com/c']) {
      it(`is Secure and __Host- for ${callbackURL}, whatever the request's scheme`, async () => {
        const answer = await (await start({ options: { callbackURL } })).visitor().send('/auth');
        const [pair = '', ...attributes] = answer.headers.getSetCookie()[0]?.split('; ') ?? [];
        expect(pair).to.match(/^__Host-pipedrive-flow\.[\w-]{6}\.[\da-f]=/);
        expect(attributes).to.have.members(['Max-Age=3600', 'Path=/', 'HttpOnly', 'SameSite=Lax', 'Secure']);
      });
    }

    it('does not count without its prefix on https, where a sibling host could have planted it', async () => {
      for (const domain of [undefined, 'example.com']) {
        const store = new CookieStateStore({ domain });
        const visitor = (await start({ options: { ...secure, store } })).visitor();
        const answer = await visitor.send('/auth');
        const cookie = cookieOf(answer).replace(/^__(Host|Secure)-/, '');
        expectFailure(await callbackWith(visitor, stateOf(answer), cookie), 403, 'state_invalid');
      }
    });

    it('has Domain, and __Secure- in place of __Host-, with the option domain', async () => {
      const store = new CookieStateStore({ domain: 'example.com' });
      const visitor = (await start({ options: { ...secure, store }, verify: anybody })).visitor();
      const answer = await visitor.send('/auth');
      const [pair = '', ...attributes] = answer.headers.getSetCookie()[0]?.split('; ') ?? [];
      expect(pair).to.match(/^__Secure-pipedrive-flow\./);
      const all = ['Max-Age=3600', 'Domain=example.com', 'Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax'];
      expect(attributes).to.have.members(all);
      const denied = { error: 'user_denied', error_description: 'No', state: stateOf(answer) };
      const cleared = await visitor.callback(denied, { headers: { cookie: pair } });
      expect(expectFailure(cleared, 403, 'user_denied')).to.include({ description: 'No' });
      expect(cleared.headers.getSetCookie()[0]).to.include('=; Max-Age=0; Domain=example.com');
    });

    const queries: Record<string, string>[] = [{ code: 'abc' }, { error: 'user_denied' }];
    for (const callbackURL of [options.callbackURL, secure.callbackURL]) {
      for (const query of queries) {
        it(`is cleared by its first callback, with the same attributes: ${callbackURL}, ${Object.keys(query)}`, async () => {
          const visitor = (await start({ options: { callbackURL } })).visitor();
          const set = await visitor.send('/auth');
          passTime(31 * 60_000); // a flow that took too long is cleared, too
          const cookie = cookieOf(set);
          const cleared = await visitor.callback({ ...query, state: stateOf(set) }, { headers: { cookie } });
          const attributesOf = (answer: Answer) =>
            answer.headers.getSetCookie()[0]?.split('; ').slice(1).sort().join('; ');
          expect(cleared.headers.getSetCookie()).to.have.length(1);
          expect(cookieOf(cleared)).to.equal(`${cookie.split('=')[0]}=`);
          expect(attributesOf(cleared)).to.equal(attributesOf(set)?.replace('3600', '0'));
        });
      }
    }

    it('does not show the code verifier to other sites, nor the secret', async () => {
      const answer = await (await start()).visitor().send('/auth');
      expect(answer.headers.get('set-cookie')).not.to.include(options.clientSecret);
    });
  });

  describe('signature', () => {
    it('of two servers with the same client secret is the same', async () => {
      const [one, two] = [await start(), await start({ verify: anybody })];
      const answer = await one.visitor().send('/auth');
      letSignIn();
      expect((await callbackWith(two.visitor(), stateOf(answer), cookieOf(answer))).outcome).to.equal('success');
    });

    it('refuses a cookie that was changed, cut or put in the place of another', async () => {
      const visitor = (await start()).visitor();
      const [one, two] = [await visitor.send('/auth'), await visitor.send('/auth')];
      const [name = '', value = ''] = cookieOf(one).split(/=(.*)/s);
      const parts = value.split('.');
      const changed = parts.flatMap((part, i) => [`${part}A`, part.slice(1), ''].map((other) => parts.with(i, other)));
      const otherFlow = Buffer.from('https://evil.example').toString('base64url');
      const forged = [
        ...changed.map((each) => each.join('.')).filter((each) => each !== value),
        parts.slice(0, -1).join('.'),
        parts.with(4, otherFlow).join('.'),
        '',
        'x',
        '.',
        '..',
        `${value}A`,
        cookieOf(two).split(/=(.*)/s)[1],
      ];
      for (const each of forged) {
        const answer = await callbackWith(visitor, stateOf(one), `${name}=${each}`);
        expectFailure(answer, 403, 'state_invalid');
        expect(answer.headers.getSetCookie(), 'a foreign cookie is left alone').to.deep.equal([]);
      }
    });

    it('is not valid for another secret, client or callback URL of the strategy', async () => {
      const answer = await (await start()).visitor().send('/auth');
      for (const other of [
        { clientSecret: 'another' },
        { clientID: 'another' },
        { callbackURL: 'http://127.0.0.1/other' },
        { store: new CookieStateStore({ secret: ownSecret('another') }) },
      ]) {
        const strategy = new PipedriveStrategy({ ...options, ...other }, anybody);
        const visitor = (await start({ strategy })).visitor();
        expectFailure(await callbackWith(visitor, stateOf(answer), cookieOf(answer)), 403, 'state_invalid');
      }
    });

    it('keeps a code verifier of whatever characters RFC 7636 §4.1 has', async () => {
      const browser = client();
      const { handle } = await browser.begin(secureMeta, undefined, 'a-code.verifier..with~dots_.');
      expect(await browser.end(handle, secureMeta)).to.include({ ok: 'a-code.verifier..with~dots_.' });
    });

    it('is made with the first secret, and checked with all', async () => {
      const withSecrets = async (...secret: string[]) =>
        (
          await start({ options: { store: new CookieStateStore({ secret: secret.map(ownSecret) }) }, verify: anybody })
        ).visitor();
      const [old, both, fresh] = [await withSecrets('old'), await withSecrets('new', 'old'), await withSecrets('new')];
      const [byOld, byBoth] = [await old.send('/auth'), await both.send('/auth')];
      letSignIn();
      expect((await callbackWith(both, stateOf(byOld), cookieOf(byOld))).outcome).to.equal('success');
      letSignIn();
      expect((await callbackWith(fresh, stateOf(byBoth), cookieOf(byBoth))).outcome).to.equal('success');
      expectFailure(await callbackWith(fresh, stateOf(byOld), cookieOf(byOld)), 403, 'state_invalid');
      expectFailure(await callbackWith(old, stateOf(byBoth), cookieOf(byBoth)), 403, 'state_invalid');
    });

    it('is made with a key that is derived from the secret for it alone', async () => {
      const answer = await (await start()).visitor().send('/auth');
      const [, value = ''] = cookieOf(answer).split(/=(.*)/s);
      const [payload = '', signature] = value.split(/\.(?=[^.]*$)/);
      const key = hkdfSync('sha256', options.clientSecret, '', 'passport-pipedrive-oauth2 state cookie', 32);
      const context = [stateOf(answer), ['pipedrive', options.clientID, options.callbackURL]];
      const signed = context.map((part) => JSON.stringify(part)).join('') + payload;
      const expected = createHmac('sha256', Buffer.from(key)).update(signed).digest('base64').replace(/=+$/, '');
      expect(signature).to.equal(expected);
    });

    it('follows the client secret of the request, where the store has none of its own', async () => {
      for (const store of [undefined, new CookieStateStore(), new CookieStateStore({ secret: [] })]) {
        const app = await start({ options: { store } });
        const answer = await app.visitor().send('/auth');
        app.strategy._oauth2._clientSecret = 'of-another-tenant';
        expectFailure(await callbackWith(app.visitor(), stateOf(answer), cookieOf(answer)), 403, 'state_invalid');
        app.strategy._oauth2._clientSecret = options.clientSecret;
        const denied = { error: 'user_denied', error_description: 'No', state: stateOf(answer) };
        const info = expectFailure(
          await app.visitor().callback(denied, { headers: { cookie: cookieOf(answer) } }),
          403,
          'user_denied',
        );
        expect(info).to.include({ description: 'No' });
      }
    });

    it('holds for as many tenants as there are, each with its own secret', async () => {
      const app = await start();
      const begun: [string, string, string][] = [];
      for (let tenant = 0; tenant < 40; tenant += 1) {
        app.strategy._oauth2._clientSecret = `tenant-${tenant}`;
        const answer = await app.visitor().send('/auth');
        begun.push([`tenant-${tenant}`, stateOf(answer), cookieOf(answer)]);
      }
      for (const [secret, state, cookie] of begun) {
        app.strategy._oauth2._clientSecret = secret;
        const denied = { error: 'user_denied', error_description: 'No', state };
        const answer = await app.visitor().callback(denied, { headers: { cookie } });
        expect(expectFailure(answer, 403, 'user_denied')).to.include({ description: 'No' });
      }
    });

    it('needs a secret where the store is used without a strategy', () => {
      const store = new CookieStateStore();
      const req = Object.assign(Object.create(null), { headers: {}, res: { getHeader() {}, setHeader() {} } });
      expect(() => store.store(req, undefined, undefined, metadata, () => {})).to.throw(
        /^CookieStateStore needs a secret where it is used without a PipedriveStrategy$/,
      );
    });
  });

  describe('size', () => {
    const bytesOf = (visitor: Visitor) => visitor.browser.cookieHeader(visitor.origin).split('; ').join('').length;

    for (const state of [undefined, 'x'.repeat(300), 'x'.repeat(1_500)]) {
      it(`stays under 4,096 bytes, and is no larger after 1000 flows than after 10 (state of ${state?.length ?? 0})`, async () => {
        const visitor = (await start({ authorize: { state } })).visitor();
        const sizes: number[] = [];
        for (let flow = 0; flow < 1_000; flow += 1) {
          expectRedirect(await visitor.send('/auth')); // never a 431
          sizes.push(bytesOf(visitor));
        }
        expect(Math.max(...sizes)).to.be.below(4_096);
        expect(Math.max(...sizes.slice(10))).to.be.at.most(Math.max(...sizes.slice(0, 10)));
      }).timeout(20_000);
    }
  });

  describe('cookies of others', () => {
    const others: Record<string, RequestHandler> = {
      'one that is set before': (_req, res, next) => next(void res.setHeader('Set-Cookie', 'a=1; Path=/')),
      'several that are set before': (_req, res, next) => next(void res.setHeader('Set-Cookie', ['a=1', 'b=2'])),
      'one that is appended by Express': (_req, res, next) => next(void res.cookie('a', '1')),
    };
    for (const [what, before] of Object.entries(others)) {
      it(`are kept: ${what}`, async () => {
        const lines = (await (await start({ before: [before] })).visitor().send('/auth')).headers.getSetCookie();
        expect(lines[0]).to.match(/^a=1/);
        expect(lines.at(-1)).to.match(/^pipedrive-flow\./);
        expect(lines).to.have.length(what.startsWith('several') ? 3 : 2);
      });
    }

    it('may be anything', async () => {
      const name = cookieOf(await (await start()).visitor().send('/auth')).split('=')[0];
      const junk = [
        '',
        ';;;',
        '=',
        '__proto__=x',
        'a',
        `${name}`,
        `${name}=`,
        `${name}=%E0%A4%A`,
        `${name}="x"`,
        `${name}=zz.!!.x`,
        `${name}=zz.${'A'.repeat(8)}.....x`,
        'x'.repeat(6_000),
        `${name}=1; ${name}=2; b="`,
      ];
      const visitor = (await start()).visitor();
      for (const cookie of junk) {
        expectRedirect(await visitor.send('/auth', { headers: { cookie } }));
        expectFailure(await callbackWith(visitor, 'A'.repeat(43), cookie), 403, 'state_invalid');
      }
    });

    it('are left alone where only their names look like those of flows', async () => {
      const [name = ''] = cookieOf(await (await start()).visitor().send('/auth')).split('=');
      const base = name.slice(0, -1);
      const alike = [`x${base}0`, `${base}0A`, `${base}g`, `__Other-${base}0`, base.replace(/\..*/, '.AAAAAA.0')];
      const cookie = alike.flatMap((each) => Array.from({ length: 11 }, (_, i) => `${each}=${i}`)).join('; ');
      const answer = await (await start()).visitor().send('/auth', { headers: { cookie } });
      expect(answer.headers.getSetCookie()).to.have.length(1);
    });
  });

  const client = (limits: { ttl?: number; limit?: number } = {}) => StoreClient.of('CookieStateStore', limits);
  const secureMeta = { ...secure, ownCallbackURL: secure.callbackURL };
  const bytesIn = ({ cookieHeader }: StoreClient) => cookieHeader.length;

  describe('room', () => {
    for (const [what, state] of Object.entries({
      'no state': () => undefined,
      'short paths': () => '/deals/1234?view=list',
      '300 bytes each': () => 'x'.repeat(298),
      '1,500 bytes each': () => 'x'.repeat(1_500),
      'states of 0 B to 1,500 B': (index: number) => 'x'.repeat((index * 37) % 1_500),
    } satisfies Record<string, (index: number) => unknown>)) {
      for (const count of [2, 50, 500]) {
        it(`stays under 7,500 bytes after ${count} starts, then under 4,096: ${what}`, async () => {
          const browser = client();
          await browser.beginTogether(count, secureMeta, state);
          expect(bytesIn(browser)).to.be.below(what.startsWith('states') ? 7_500 : 2_218);
          const { handle } = await browser.begin(secureMeta, state(1));
          expect(bytesIn(browser)).to.be.below(4_096);
          expect(browser.cookies.size).to.be.at.most(10);
          expect(await browser.end(handle, secureMeta)).to.include({ ok: true });
        });
      }
    }

    it('is for sixteen flows without state, four with 300 bytes, and two with 500', async () => {
      for (const [length, flows] of [
        [undefined, 16],
        [24, 16],
        [300, 4],
        [500, 2],
        [1_500, 1],
      ] as const) {
        const browser = client({ limit: 16 });
        for (let i = 0; i < 20; i += 1) await browser.begin(secureMeta, length && 'x'.repeat(length - 2));
        expect(browser.cookies.size, `${length} bytes`).to.equal(flows);
      }
    });

    it('never makes a flow give way while a place is free for it', async () => {
      const browser = client({ limit: 16 });
      const handles: unknown[] = [];
      for (let i = 0; i < 16; i += 1) {
        handles.push((await browser.begin(secureMeta)).handle);
        expect(browser.cookies.size).to.equal(i + 1);
        passTime(10);
      }
      const { handle } = await browser.begin(secureMeta);
      expect(await browser.end(String(handles[0]), secureMeta), 'the oldest').to.include({ ok: false });
      for (const each of [...handles.slice(1), handle]) {
        expect(await browser.end(String(each), secureMeta)).to.include({ ok: true });
      }
    });

    it('is used well by starts at once, also where expired flows are left', async () => {
      const browser = client({ limit: 16 });
      for (let round = 0; round < 2; round += 1) {
        const begun = await browser.beginTogether(50, secureMeta);
        let kept = 0;
        for (const { handle } of begun) if ((await browser.end(handle, secureMeta)).ok) kept += 1;
        expect(kept).to.be.above(8); // 15 on average
        for (let i = 0; i < 16; i += 1) await browser.begin(secureMeta);
        passTime(31 * 60_000);
      }
    });

    it('holds at most limit flows, of which the oldest give way, and never more than 16', async () => {
      for (const [limit, kept] of [
        [1, 1],
        [3, 3],
        [16, 16],
        [1_000, 16],
      ] as const) {
        const browser = client({ limit });
        const handles: unknown[] = [];
        for (let i = 0; i < 20; i += 1) {
          handles.push((await browser.begin(secureMeta)).handle);
          passTime(10);
        }
        expect(browser.cookies.size).to.equal(kept);
        for (const each of handles.slice(-kept)) {
          expect(await browser.end(String(each), secureMeta)).to.include({ ok: true });
        }
      }
    });

    it('is large enough for a large flow, also where an older flow is in a small one', async () => {
      const browser = client({ limit: 16 });
      const handles: unknown[] = [];
      for (let i = 0; i < 16; i += 1) {
        handles.push((await browser.begin(secureMeta)).handle);
        passTime(10);
      }
      const newestFirst = Array.from(browser.cookies).sort(([, a], [, b]) => b.localeCompare(a));
      const names = Array.from(browser.cookies.keys()).sort();
      browser.cookies.clear();
      for (const [index, [, value]] of newestFirst.entries()) browser.cookies.set(names[index] ?? '', value);

      const { handle } = await browser.begin(secureMeta, 'x'.repeat(498)); // two places hold such a flow: 0 and 1
      expect(browser.lines.map((line) => line.split('=')[0])).to.deep.equal([names[1]]);
      expect(await browser.end(handle, secureMeta)).to.include({ ok: true });
      for (const each of [...handles.slice(0, 14), handles[15]]) {
        expect(await browser.end(String(each), secureMeta)).to.include({ ok: true });
      }
    });

    it('is left to flows of other strategies and other apps on the host', async () => {
      const browser = client({ limit: 1 });
      const { handle } = await browser.begin({ ...secureMeta, strategy: 'connect' });
      const other = await browser.begin({ ...secureMeta, clientID: 'other' });
      for (let i = 0; i < 20; i += 1) await browser.begin(secureMeta);
      expect(browser.cookies.size).to.equal(3);
      expect(await browser.end(handle, { ...secureMeta, strategy: 'connect' })).to.include({ ok: true });
      expect(await browser.end(other.handle, { ...secureMeta, clientID: 'other' })).to.include({ ok: true });
    });

    it('is given back by a cookie that is too large, malformed, or from the future', async () => {
      const browser = client({ limit: 16 });
      await browser.begin(secureMeta);
      const [name = '', value = ''] = [...browser.cookies][0] ?? [];
      const future = (Date.now() + 6 * 60_000).toString(36);
      for (const junk of ['', 'x', '!', 'zzzzzzzzzzzzzz.a', value.replace(/^\w+/, future), 'x'.repeat(3_000)]) {
        browser.cookies.clear();
        for (let i = 0; i < 16; i += 1) browser.cookies.set(name.replace(/.$/, i.toString(16)), junk);
        for (let i = 0; i < 16; i += 1) {
          const { handle } = await browser.begin(secureMeta);
          if (i % 5 === 0) expect(await browser.end(handle, secureMeta)).to.include({ ok: true });
        }
        expect(bytesIn(browser)).to.be.below(4_096);
      }
    });
  });

  describe('callback URL', () => {
    it('is left out of the cookie where it is the own one, and comes back', async () => {
      const browser = client();
      const { handle } = await browser.begin(secureMeta);
      const sizeOfOwn = bytesIn(browser);
      expect((await browser.end(handle, secureMeta)).details).to.deep.equal({ ...secure, marketplace: false });
      const given = 'https://app.example.com/tenants/1/callback';
      const other = await browser.begin({ ...secureMeta, callbackURL: given });
      expect(bytesIn(browser)).to.be.above(sizeOfOwn + given.length);
      expect((await browser.end(other.handle, secureMeta)).details).to.deep.equal({
        callbackURL: given,
        marketplace: false,
      });
    });

    it('that the callback route has been given does not replace the own one', async () => {
      const browser = client();
      const { handle } = await browser.begin(secureMeta);
      const ended = await browser.end(handle, { ...secureMeta, callbackURL: 'https://app.example.com/other' });
      expect(ended.details).to.include(secure);
    });
  });

  describe('reason of a refusal', () => {
    it('tells why a state is invalid', async () => {
      const browser = client();
      const reasonOf = async (handle: unknown, asker = browser) => {
        const { ok, state } = await asker.end(String(handle), secureMeta);
        expect(ok).to.equal(false);
        return state;
      };
      const { handle } = await browser.begin(secureMeta);
      expect(await reasonOf('A'.repeat(43))).to.deep.equal({
        code: 'state_invalid',
        reason: "no open flow of this state (used, pushed out, or another browser's)",
      });
      const stranger = new StoreClient(new CookieStateStore({ secret: ownSecret('other') }));
      for (const pair of browser.cookies) stranger.cookies.set(...pair);
      expect(await reasonOf(handle, stranger))
        .to.have.property('reason')
        .that.includes('signed with another secret');
      browser.cookies.clear();
      expect(await reasonOf(handle)).to.deep.equal({ code: 'state_invalid', reason: 'no flow cookie came' });
    });
  });

  describe('planted cookies', () => {
    const header = (pair: (index: number) => string) => {
      let text = '';
      for (let i = 0; text.length < 60_000; i += 1) text += `${pair(i)}; `;
      return text;
    };

    it('of 60 kB cost few signatures and at most 4 kB of response, at a start and at a callback', async () => {
      const browser = client();
      const { handle } = await browser.begin(secureMeta);
      const [[name = '', value = ''] = []] = browser.cookies;
      const base = name.slice(0, -1);
      const headers = {
        'our names': header((i) => `${base}${(i % 16).toString(16)}=${i}`),
        'flows of ours with a false signature': header((i) => `${base}${(i % 16).toString(16)}=${value.slice(0, -1)}`),
        'names like ours': header((i) => `__Host-pipedrive-flow.${String(i).padStart(6, 'x')}.0=1`),
        others: header((i) => `a${i}=1`),
        spaces: `a${' '.repeat(60_000)}`,
        separators: '; '.repeat(30_000),
        'one of ours': `${name}=${'x'.repeat(60_000)}`,
      };
      // The bench measures the time; a signature is what costs most of it.
      const signatures = mock.method(crypto, 'createHmac').mock;
      try {
        for (const [what, cookie] of Object.entries(headers)) {
          const planted = client();
          Object.defineProperty(planted, 'cookieHeader', { get: () => cookie });
          for (const leg of ['start', 'callback']) {
            signatures.resetCalls();
            await (leg === 'start' ? planted.begin(secureMeta) : planted.end(handle, secureMeta));
            expect(signatures.callCount(), `${leg}, ${what}`).to.be.at.most(64);
            expect(planted.lines.join('\r\n').length, `${leg}, ${what}`).to.be.below(4_096);
          }
        }
      } finally {
        signatures.restore();
      }
    });
  });

  describe('where the response takes no cookie', () => {
    /** A strategy that sees another response on its requests, or none. */
    const strategyThatSees = (res: object | undefined, more: Partial<PipedriveStrategyOptions> = {}) => {
      class Elsewhere extends PipedriveStrategy {
        override authenticate(req: Request, given: PipedriveAuthenticateOptions) {
          super.authenticate(Object.create(req, { res: { value: res } }), given);
        }
      }
      return new Elsewhere({ ...options, ...more }, anybody);
    };
    const seen: Record<string, object | undefined> = {
      'no response on the request, as in @fastify/passport': undefined,
      'a response without getHeader, as in koa-passport': { setHeader() {} },
      'a response without setHeader': { getHeader() {} },
    };
    for (const [what, res] of Object.entries(seen)) {
      it(`the default falls back to the session: ${what}`, async () => {
        const before = [session({ secret: 'x', resave: false, saveUninitialized: false })];
        const visitor = (await start({ before, strategy: strategyThatSees(res) })).visitor();
        letSignIn();
        expect((await visitor.signIn()).outcome).to.equal('success');
      });

      it(`a store set by hand is a clear error: ${what}`, async () => {
        const app = await start({ strategy: strategyThatSees(res, { store: new CookieStateStore() }) });
        for (const path of ['/auth', '/callback?code=a&state=b']) {
          expect((await app.visitor().send(path)).outcome).to.equal('error');
          expect(app.errors.pop())
            .to.have.property('message')
            .that.equals(
              'CookieStateStore needs req.res to set its cookies on, and the framework has not set it: set req.res = res before Passport runs, or use SessionStateStore. See docs/troubleshooting.md',
            );
        }
      });
    }

    it('needs no session middleware by default, under Express', async () => {
      const strategy = new PipedriveStrategy(options, ({ profile }) => ({ id: profile.id }));
      letSignIn();
      expect((await (await start({ strategy })).visitor().signIn()).user).to.deep.equal({ id: '1001:777' });
    });
  });
});
