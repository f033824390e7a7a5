// The programs of docs/frameworks as they stand there, each in a project of its own with the packed package, over HTTP.
import { expect } from 'chai';
import nock from 'nock';
import { Browser } from '../support/browser';
import { ada, reportsErrors, signsIn, withThrowingHandler } from '../support/expectations';
import { Program, type Stack } from '../support/program';
import { type Redis, startRedis } from '../support/redis';

const express: Stack = { page: 'frameworks/express' };
const expressSession: Stack = { page: 'frameworks/express-session' };
const cookieSession: Stack = { page: 'frameworks/cookie-session' };
// Declarations of third parties that do not compile by themselves: only the programs are checked.
const compilerOptions = { skipLibCheck: true };
const nestjs: Stack = { page: 'frameworks/nestjs' };
const nestjsOnFastify: Stack = { ...nestjs, app: 1 };
const fastify: Stack = { page: 'frameworks/fastify', files: { 'session.ts': 1 }, compilerOptions };
const fastifySession: Stack = { ...fastify, files: { 'session.ts': 2 } };
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

describe('frameworks', function () {
  this.timeout(120_000); // the first to run packs the package
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

  describe('Fastify, @fastify/session in a store that answers later', () => {
    let program: Program;
    before(async () => {
      program = await Program.start({
        ...fastifySession,
        packages: ['express-session', '@types/express-session'],
        edit: (text) =>
          text
            .replace(/^import session .*$/m, "$&\nimport { MemoryStore } from 'express-session';")
            .replace('app.register(session, {', '$& store: new MemoryStore(),'),
      });
    });
    after(() => program?.end());
    signsIn(() => program);

    it('starts a sign-in in a session that exists already', async () => {
      const browser = new Browser();
      for (const _ of [1, 2]) {
        await browser.open(`${program.origin}/auth/pipedrive`);
        await browser.press('Allow and install');
        expect(JSON.parse(browser.page.html)).to.deep.equal({ user: ada });
      }
    });
  });

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
