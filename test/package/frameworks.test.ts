// The programs of docs/frameworks as they stand there, each in a project of its own with the packed package, over HTTP.
import { expect } from 'chai';
import nock from 'nock';
import { type Sandbox, startSandbox } from 'pipedrive-sandbox';
import { Browser } from '../support/browser';
import { freePort, Project, programsOf, type Running } from '../support/project';
import { type Redis, startRedis } from '../support/redis';

interface Stack {
  /** The page in docs/frameworks. */
  page: string;
  /** Which of the page's programs is run, as app.ts. @default 0 */
  app?: number;
  /** Which of the page's programs it imports, as session.ts. */
  session?: number;
  packages: string[];
  /** Other versions of packages. */
  aliases?: Record<string, string>;
  compilerOptions?: Record<string, unknown>;
  /** Keeps the flows in the session, in place of the default. */
  sessionStateStore?: boolean;
}

const client = { clientId: 'id-of-the-app', clientSecret: 'secret-of-the-app', name: 'App' };
const ada = { id: '1001:777', name: 'Ada Example' };

/** In place of the app's own options: the sandbox instead of Pipedrive. */
const optionsFor = (sandbox: string, sessionStateStore = false) => `
  import { type PipedriveStrategyOptions, SessionStateStore } from 'passport-pipedrive-oauth2';
  export const options: PipedriveStrategyOptions = {
    clientID: '${client.clientId}',
    clientSecret: '${client.clientSecret}',
    callbackURL: '/auth/pipedrive/callback',
    authorizationURL: '${sandbox}/oauth/authorize',
    tokenURL: '${sandbox}/oauth/token',
    ${sessionStateStore ? 'store: new SessionStateStore(),' : ''}
  };`;

/** A program under way, with a Pipedrive of its own. */
class App {
  private constructor(
    readonly origin: string,
    private readonly project: Project,
    private readonly env: { PORT: string },
    private readonly sandbox: Sandbox,
    private program: Running,
  ) {}

  static async start(stack: Stack, env: Record<string, string> = {}): Promise<App> {
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const project = await Project.create(stack.packages, stack.aliases);
    const programs = programsOf(`docs/frameworks/${stack.page}.md`);
    await project.write('app.ts', programs[stack.app ?? 0] ?? '');
    await project.write('session.ts', programs[stack.session ?? -1] ?? '');
    const apps = [{ ...client, callbackURL: `${origin}/auth/pipedrive/callback` }];
    const sandbox = await startSandbox({ apps });
    try {
      await project.write('options.ts', optionsFor(sandbox.origin, stack.sessionStateStore));
      await project.compile(stack.compilerOptions);
      const all = { PORT: String(port), ...env };
      return new App(origin, project, all, sandbox, await project.start('app.js', all));
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  async restart(): Promise<void> {
    await this.program.stop();
    this.program = await this.project.start('app.js', this.env);
  }

  /** From now on nobody is there to answer the app. */
  async stopPipedrive(): Promise<void> {
    await this.sandbox.close();
  }

  async end(): Promise<void> {
    await this.program.stop();
    await this.sandbox.close();
    await this.project.remove();
  }
}

const express: Stack = { page: 'express', packages: ['express', 'passport'] };
const expressSession: Stack = {
  page: 'express-session',
  packages: ['express', 'passport', 'express-session', '@types/express-session', 'connect-redis', 'redis'],
};
const cookieSession: Stack = {
  page: 'cookie-session',
  packages: ['express', 'passport', 'cookie-session', '@types/cookie-session'],
};
// Declarations of third parties that do not compile by themselves: only the programs are checked.
const compilerOptions = { skipLibCheck: true };
const nestjs: Stack = {
  page: 'nestjs',
  packages: [
    ...['passport', '@nestjs/common', '@nestjs/core', '@nestjs/platform-express', '@nestjs/passport'],
    ...['reflect-metadata', 'rxjs'],
  ],
  compilerOptions: { ...compilerOptions, experimentalDecorators: true, emitDecoratorMetadata: true },
};
const nestjsOnFastify: Stack = {
  ...nestjs,
  app: 1,
  packages: [...nestjs.packages, '@nestjs/platform-fastify'],
};
const fastify: Stack = {
  page: 'fastify',
  session: 1,
  packages: ['fastify', '@fastify/passport', '@fastify/secure-session'],
  compilerOptions,
};
const fastifySession: Stack = {
  page: 'fastify',
  session: 2,
  packages: ['fastify', '@fastify/passport', '@fastify/cookie', '@fastify/session'],
  compilerOptions,
};
const koa: Stack = {
  page: 'koa',
  packages: ['koa', 'koa-passport', 'koa-session', '@koa/router', '@types/koa', '@types/koa-passport'],
  compilerOptions,
};
const tsed: Stack = {
  page: 'tsed',
  packages: [
    'express',
    'passport',
    ...['passport', 'platform-express', 'platform-http', 'di', 'schema', 'platform-exceptions'].map(
      (name) => `@tsed/${name}`,
    ),
  ],
  compilerOptions: nestjs.compilerOptions,
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
function signsIn(app: () => App): void {
  let browser: Browser;
  beforeEach(() => {
    browser = new Browser();
  });
  const callback = () => `${app().origin}/auth/pipedrive/callback`;
  const expectJSON = (status: number, body: unknown) => {
    expect(JSON.parse(browser.page.html)).to.deep.include(body);
    expect(browser.page.status).to.equal(status);
  };

  it('signs the user in, with the state that the app gave', async () => {
    await browser.open(`${app().origin}/auth/pipedrive`);
    await browser.press('Allow and install');
    if (browser.page.url.href.startsWith(callback())) {
      expectJSON(200, { user: ada, state: '/deals' });
    } else {
      expect(browser.page.url.href).to.equal(`${app().origin}/deals`);
      await browser.open(app().origin);
      expectJSON(200, { user: ada });
    }
  });

  it('answers 403 user_denied when the user cancels', async () => {
    await browser.open(`${app().origin}/auth/pipedrive`);
    await browser.press('Cancel');
    expectJSON(403, {
      code: 'user_denied',
      message: 'Access to Pipedrive was not allowed. Start again if you want to allow it.',
      state: '/deals',
    });
  });

  it('answers 403 state_invalid to a forged link', async () => {
    await browser.open(`${app().origin}/auth/pipedrive`);
    await browser.open(`${callback()}?code=of-somebody-else&state=forged`);
    expectJSON(403, { code: 'state_invalid' });
  });
}

describe('frameworks', function () {
  this.timeout(60_000);
  before(() => nock.restore());

  for (const [title, stack] of Object.entries(stacks)) {
    describe(title, () => {
      let app: App;
      before(async () => {
        app = await App.start(stack);
      });
      after(() => app?.end());
      signsIn(() => app);
    });
  }

  describe('express-session in Redis', () => {
    let redis: Redis | undefined;
    let app: App | undefined;
    before(async function () {
      redis = await startRedis();
      if (redis) {
        app = await App.start(keptInSession(expressSession), { REDIS_URL: redis.url });
      } else {
        console.log('      redis-server is not installed: these are skipped');
        this.skip();
      }
    });
    after(async () => {
      await app?.end();
      await redis?.stop();
    });
    signsIn(() => app as App);

    it('goes on with a sign-in that began before a restart', async () => {
      const browser = new Browser();
      await browser.open(`${app?.origin}/auth/pipedrive`);
      await app?.restart();
      await browser.press('Allow and install');
      await app?.restart();
      const { html } = await browser.open(String(app?.origin));
      expect(JSON.parse(html)).to.deep.equal({ user: ada });
    });
  });

  for (const [title, stack] of Object.entries({ express, nestjs, fastify, koa })) {
    describe(`${title}, at its end`, () => {
      let app: App;
      before(async () => {
        app = await App.start(stack);
      });
      after(() => app?.end());

      it('takes the notice of an uninstall from Pipedrive only', async () => {
        const notice = { client_id: client.clientId, company_id: 1001, user_id: 777, timestamp: '2026-01-01 10:00:00' };
        const send = (headers: Record<string, string>) =>
          fetch(`${app.origin}/auth/pipedrive/callback`, {
            method: 'DELETE',
            headers: { 'Content-Type': 'application/json', ...headers },
            body: JSON.stringify(notice),
          });
        const credentials = Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64');
        expect((await send({ Authorization: `Basic ${credentials}` })).status).to.equal(204);
        expect((await send({})).status).to.equal(401);
      });

      it('answers 502 when Pipedrive cannot be reached', async () => {
        const browser = new Browser();
        const { url } = await browser.open(`${app.origin}/auth/pipedrive`);
        await app.stopPipedrive();
        const state = url.searchParams.get('state');
        const { status, html } = await browser.open(`${app.origin}/auth/pipedrive/callback?code=code&state=${state}`);
        expect(status).to.equal(502);
        expect(html).not.to.include(client.clientSecret);
      });
    });
  }
});
