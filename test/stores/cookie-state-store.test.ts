// What is special to flows in cookies: their attributes, their signature, their size, and the cookies of others.
import { createHmac, hkdfSync } from 'node:crypto';
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
import { clockForEach } from '../support/stores';

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
    it('is HttpOnly and SameSite=Lax, outlives the ttl by a day, and is named after its state', async () => {
      const answer = await (await start()).visitor().send('/auth');
      const [pair = '', ...attributes] = answer.headers.getSetCookie()[0]?.split('; ') ?? [];
      expect(pair)
        .to.match(/^pipedrive-flow\.[\w-]{43}=[\w.+/=-]+$/)
        .and.include(`.${stateOf(answer)}=`);
      expect(attributes).to.have.members(['Max-Age=88200', 'Path=/', 'HttpOnly', 'SameSite=Lax']);
    });

    it("is Secure and __Host- for an https callback URL, whatever the request's scheme", async () => {
      const answer = await (await start({ options: secure })).visitor().send('/auth');
      const [pair = '', ...attributes] = answer.headers.getSetCookie()[0]?.split('; ') ?? [];
      expect(pair).to.match(/^__Host-pipedrive-flow\.[\w-]{43}=/);
      expect(attributes).to.have.members(['Max-Age=88200', 'Path=/', 'HttpOnly', 'SameSite=Lax', 'Secure']);
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
          expect(attributesOf(cleared)).to.equal(attributesOf(set)?.replace('88200', '0'));
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

    it('refuses a cookie that was changed, cut or put under another name', async () => {
      const visitor = (await start()).visitor();
      const [one, two] = [await visitor.send('/auth'), await visitor.send('/auth')];
      const [name = '', value = ''] = cookieOf(one).split(/=(.*)/s);
      const [payload = '', signature = ''] = value.split(/\.(?=[^.]*$)/);
      const [started = '', flow = ''] = payload.split('.');
      const otherFlow = Buffer.from(JSON.stringify({ u: 'https://evil.example' })).toString('base64url');
      const forged = [
        `${payload}.`,
        payload,
        '',
        'x',
        '.',
        '..',
        value.slice(0, -1),
        value.slice(1),
        `${value}A`,
        `${started}0.${flow}.${signature}`,
        `${started}.${otherFlow}.${signature}`,
        `${started}.${flow}.${'A'.repeat(signature.length)}`,
        cookieOf(two).split(/=(.*)/s)[1],
      ];
      for (const each of forged) {
        const answer = await callbackWith(visitor, stateOf(one), `${name}=${each}`);
        expectFailure(answer, 403, 'state_invalid');
        expect(answer.headers.getSetCookie(), 'a foreign cookie is left alone').to.deep.equal([]);
      }
    });

    it('is not valid for another secret, client or name of the strategy', async () => {
      const answer = await (await start()).visitor().send('/auth');
      for (const other of [
        { clientSecret: 'another' },
        { clientID: 'another' },
        { store: new CookieStateStore({ secret: 'another' }) },
      ]) {
        expectFailure(
          await callbackWith((await start({ options: other })).visitor(), stateOf(answer), cookieOf(answer)),
          403,
          'state_invalid',
        );
      }
    });

    it('is made with the first secret, and checked with all', async () => {
      const withSecrets = async (...secret: string[]) =>
        (await start({ options: { store: new CookieStateStore({ secret }) }, verify: anybody })).visitor();
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
      const [name = '', value = ''] = cookieOf(await (await start()).visitor().send('/auth')).split(/=(.*)/s);
      const [payload = '', signature] = value.split(/\.(?=[^.]*$)/);
      const key = hkdfSync('sha256', options.clientSecret, '', 'passport-pipedrive-oauth2 state cookie', 32);
      const signed = JSON.stringify([name, 'pipedrive', options.clientID]) + payload;
      const expected = createHmac('sha256', Buffer.from(key)).update(signed).digest('base64').replace(/=+$/, '');
      expect(signature).to.equal(expected);
    });

    it('needs a secret where the store is used without a strategy', () => {
      const store = new CookieStateStore();
      const req = Object.assign(Object.create(null), { headers: {}, res: { getHeader() {}, setHeader() {} } });
      const meta = {
        ...options,
        authorizationURL: '',
        tokenURL: '',
        ownCallbackURL: options.callbackURL,
        strategy: 'pipedrive',
      };
      expect(() => store.store(req, undefined, undefined, meta, () => {})).to.throw(
        /^CookieStateStore needs a secret$/,
      );
    });
  });

  describe('size', () => {
    const bytesOf = (visitor: Visitor) => visitor.browser.cookieHeader(visitor.origin).split('; ').join('').length;

    for (const state of [undefined, 'x'.repeat(300), 'x'.repeat(2_000)]) {
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
      const name = `pipedrive-flow.${'A'.repeat(43)}`;
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
      const handle = 'A'.repeat(43);
      const alike = [`xpipedrive-flow.${handle}`, `pipedrive-flow.${handle}A`, `pipedrive-flow.${handle.slice(1)}`];
      const cookie = alike.flatMap((name) => Array.from({ length: 11 }, (_, i) => `${name}=${i}`)).join('; ');
      const answer = await (await start()).visitor().send('/auth', { headers: { cookie } });
      expect(answer.headers.getSetCookie()).to.have.length(1);
    });

    it('that are no flows give way first, then the oldest flow, in whatever order the browser sends them', async () => {
      const visitor = (await start()).visitor();
      const flows: string[] = [];
      for (let flow = 0; flow < 10; flow += 1) {
        flows.push(cookieOf(await visitor.send('/auth', { headers: { cookie: '' } })));
        passTime(10);
      }
      const junk = `pipedrive-flow.${'A'.repeat(43)}=!`;
      for (const sent of [
        [junk, ...flows],
        [...flows, junk],
        [...flows.toReversed(), junk],
      ]) {
        const answer = await visitor.send('/auth', { headers: { cookie: sent.join(';') } });
        const cleared = [junk, flows[0]].map((pair) => `${pair?.split('=')[0]}=`);
        const lines = answer.headers.getSetCookie();
        expect(lines.map((line) => line.split(';')[0]).slice(0, -1)).to.deep.equal(cleared);
      }
    });

    it('that only look like flows give way to a new one', async () => {
      const visitor = (await start()).visitor();
      const cookie = Array.from({ length: 12 }, (_, i) => `pipedrive-flow.${String(i).padEnd(43, 'A')}=${i}`).join(
        '; ',
      );
      const lines = (await visitor.send('/auth', { headers: { cookie } })).headers.getSetCookie();
      expect(lines.filter((line) => line.includes('Max-Age=0'))).to.have.length(3);
      expect(lines.at(-1)).to.include('Max-Age=88200');
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
              'CookieStateStore needs req.res to set its cookies on, which this framework does not provide: use SessionStateStore',
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
