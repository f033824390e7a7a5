// The programs of docs/frameworks as they stand there, each in a project of its own with the packed package, over HTTP.
import { expect } from 'chai';
import nock from 'nock';
import { Browser } from '../support/browser';
import { client, Program, type Stack } from '../support/program';
import { type Redis, startRedis } from '../support/redis';

const ada = { id: '1001:777', name: 'Ada Example' };

/** The program with a line in its callback's handler, which throws when the environment says so. */
const withThrowingHandler = (program: string) =>
  program.replace(
    /^ *(?:res\.|return |ctx\.).*info\?\.state.*$/im,
    "if (process.env.HANDLER_THROWS) throw new Error('The handler fails', { cause: new Error('Its cause') });\n$&",
  );

const express: Stack = { page: 'frameworks/express' };
const expressSession: Stack = { page: 'frameworks/express-session' };
const cookieSession: Stack = { page: 'frameworks/cookie-session' };
// Declarations of third parties that do not compile by themselves: only the programs are checked.
const compilerOptions = { skipLibCheck: true };
const nestjs: Stack = { page: 'frameworks/nestjs' };
const nestjsOnFastify: Stack = { ...nestjs, app: 1 };
const fastify: Stack = { page: 'frameworks/fastify', session: 1, compilerOptions };
const fastifySession: Stack = { ...fastify, session: 2 };
const koa: Stack = { page: 'frameworks/koa', compilerOptions };
const tsed: Stack = { page: 'frameworks/tsed' };

/** Every program once. */
const programs: Record<string, Stack> = {
  express,
  'express-session': expressSession,
  'cookie-session': cookieSession,
  nestjs,
  'nestjs on Fastify': nestjsOnFastify,
  'nestjs with an array of strategies': {
    ...nestjs,
    edit: (program) => `
      import passport from 'passport';
      passport.use('refusing', { authenticate() { Reflect.apply(Reflect.get(this, 'fail'), this, ['No']); } });
      ${program.replace("AuthGuard('pipedrive')", "AuthGuard(['refusing', 'pipedrive'])")}`,
  },
  fastify,
  koa,
  tsed,
};

const keptInSession = (stack: Stack): Stack => ({ ...stack, sessionStateStore: true });
const withAliases = (stack: Stack, aliases: Record<string, string>): Stack => ({ ...stack, aliases });
const express4 = { express: 'express4' };
const passport05 = { passport: 'passport05' };
const passport06 = { passport: 'passport06' };

const stacks: Record<string, Stack> = {
  'Express 5, no session': express,
  'Express 4, no session': withAliases(express, express4),
  'Passport 0.5, no session': withAliases(express, passport05),
  'Passport 0.6, no session': withAliases(express, passport06),
  'Express 5, express-session': expressSession,
  'Express 4, express-session': withAliases(expressSession, express4),
  'Express 5, express-session, SessionStateStore': keptInSession(expressSession),
  'Passport 0.5, express-session, SessionStateStore': withAliases(keptInSession(expressSession), passport05),
  'Passport 0.6, express-session, SessionStateStore': withAliases(keptInSession(expressSession), passport06),
  'cookie-session': cookieSession,
  'cookie-session, SessionStateStore': keptInSession(cookieSession),
  'cookie-session, Passport 0.5': withAliases(cookieSession, passport05),
  'cookie-session, Passport 0.6': withAliases(cookieSession, passport06),
  'NestJS on Express': nestjs,
  'NestJS on Fastify': nestjsOnFastify,
  'Fastify, @fastify/secure-session': fastify,
  'Fastify, @fastify/session': fastifySession,
  Koa: koa,
  'Ts.ED': tsed,
};

/** What everybody expects of a stack. */
function signsIn(program: () => Program): void {
  let browser: Browser;
  beforeEach(() => {
    browser = new Browser();
  });
  const callback = () => `${program().origin}/auth/pipedrive/callback`;
  const expectJSON = (status: number, body: unknown) => {
    expect(JSON.parse(browser.page.html)).to.deep.include(body);
    expect(browser.page.status).to.equal(status);
  };

  it('signs the user in, with the state that the app gave', async () => {
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.press('Allow and install');
    if (browser.page.url.href.startsWith(callback())) {
      expectJSON(200, { user: ada, state: '/deals' });
    } else {
      expect(browser.page.url.href).to.equal(`${program().origin}/deals`);
      expectJSON(200, { user: ada });
    }
  });

  it('responds with 403 user_denied when the user cancels', async () => {
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.press('Cancel');
    expectJSON(403, {
      code: 'user_denied',
      message: 'Access to Pipedrive was not allowed. Start again if you want to allow it.',
      state: '/deals',
    });
  });

  it('responds with 403 state_invalid to a forged link', async () => {
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.open(`${callback()}?code=of-somebody-else&state=forged`);
    expectJSON(403, { code: 'state_invalid' });
  });
}

/** What everybody expects of a program when something goes wrong. */
function reportsErrors(program: () => Program): void {
  async function signIn(): Promise<Browser> {
    const browser = new Browser();
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.press('Allow and install');
    return browser;
  }

  /** An error's page says nothing of the error, nor of the app's state. */
  function expectError({ page }: Browser, status: number): void {
    expect(page.status).to.equal(status);
    expect(page.html).not.to.match(/deals|Its cause|invalid_client|secret/);
  }

  it('does not log a Cancel', async () => {
    const browser = new Browser();
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.press('Cancel');
    expect(browser.page.status).to.equal(403);
    expect(program().printed).not.to.include('Error');
  });

  it('accepts the notice of an uninstall from Pipedrive only', async () => {
    const notice = { client_id: client.clientId, company_id: 1001, user_id: 777, timestamp: '2026-01-01 10:00:00' };
    const send = (headers: Record<string, string>) =>
      fetch(`${program().origin}/auth/pipedrive/callback`, {
        method: 'DELETE',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(notice),
      });
    const credentials = Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64');
    expect((await send({ Authorization: `Basic ${credentials}` })).status).to.equal(204);
    await program().prints('User 777 of company 1001 has uninstalled the app');
    expect((await send({})).status).to.equal(401);
  });

  it('logs what a handler throws with its cause, and responds with 500', async () => {
    await program().restart({ HANDLER_THROWS: '1' });
    expectError(await signIn(), 500);
    await program().prints('The handler fails', 'Its cause');
  });

  it('logs that Pipedrive refuses a wrong client secret, and responds with 500', async () => {
    await program().restart({ PIPEDRIVE_CLIENT_SECRET: 'a-wrong-one' });
    expectError(await signIn(), 500);
    await program().prints('invalid_client');
    expect(program().printed).not.to.include('a-wrong-one');
  });

  it('logs that Pipedrive cannot be reached with its cause, and responds with 502', async () => {
    await program().restart();
    const browser = new Browser();
    const { url } = await browser.open(`${program().origin}/auth/pipedrive`);
    await program().sandbox.close();
    const state = url.searchParams.get('state');
    await browser.open(`${program().origin}/auth/pipedrive/callback?code=code&state=${state}`);
    expectError(browser, 502);
    await program().prints('[cause]', 'ECONNREFUSED');
  });
}

describe('frameworks', function () {
  this.timeout(60_000);
  before(() => nock.restore());

  for (const [title, stack] of Object.entries(stacks)) {
    describe(title, () => {
      let program: Program;
      before(async () => {
        program = await Program.start(stack);
      });
      after(() => program?.end());
      signsIn(() => program);
    });
  }

  for (const [title, stack] of Object.entries(programs)) {
    describe(`the program ${title}`, () => {
      let program: Program;
      before(async () => {
        const edit = (text: string) => withThrowingHandler(stack.edit?.(text) ?? text);
        program = await Program.start({ ...stack, edit });
      });
      after(() => program?.end());
      reportsErrors(() => program);
    });
  }

  describe('express-session in Redis', () => {
    let redis: Redis | undefined;
    let program: Program | undefined;
    before(async function () {
      redis = await startRedis();
      if (redis) {
        program = await Program.start(keptInSession(expressSession), { REDIS_URL: redis.url });
      } else {
        console.log('      redis-server is not installed: these are skipped');
        this.skip();
      }
    });
    after(async () => {
      await program?.end();
      await redis?.stop();
    });
    signsIn(() => program as Program);

    it('continues a sign-in that began before a restart', async () => {
      const browser = new Browser();
      await browser.open(`${program?.origin}/auth/pipedrive`);
      await program?.restart();
      await browser.press('Allow and install');
      await program?.restart();
      const { html } = await browser.open(`${program?.origin}/deals`);
      expect(JSON.parse(html)).to.deep.equal({ user: ada });
    });
  });
});
