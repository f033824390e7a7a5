// The programs of docs/frameworks/extensions.md as they stand there: both strategies in one app.
import { once } from 'node:events';
import { request } from 'node:http';
import { expect } from 'chai';
import nock from 'nock';
import { Browser } from '../support/browser';
import { adaToken, inSeconds, jwtSecret } from '../support/extensions';
import { freePort, Project, programsOf, type Running } from '../support/project';

const options = `
  import type { PipedriveStrategyOptions } from 'passport-pipedrive-oauth2';
  export const options: PipedriveStrategyOptions = {
    clientID: 'client-id',
    clientSecret: 'client-secret',
    callbackURL: '/auth/pipedrive/callback',
  };
  export const secret = '${jwtSecret}';`;

const frameworks = {
  NestJS: [
    ...['passport', '@nestjs/common', '@nestjs/core', '@nestjs/platform-express', '@nestjs/passport'],
    ...['reflect-metadata', 'rxjs'],
  ],
  Fastify: ['fastify', '@fastify/passport', '@fastify/secure-session'],
};

describe('extensions beside the sign-in', function () {
  this.timeout(60_000);
  before(() => nock.restore());

  for (const [index, [title, packages]] of Object.entries(frameworks).entries()) {
    describe(`on ${title}`, () => {
      let origin: string;
      let project: Project;
      let running: Running;
      before(async () => {
        const port = await freePort();
        origin = `http://localhost:${port}`;
        project = await Project.create(packages);
        await project.write('app.ts', programsOf('docs/frameworks/extensions.md')[index] ?? '');
        await project.write('options.ts', options);
        // Declarations of third parties that do not compile by themselves: only the program is checked.
        await project.compile({ skipLibCheck: true, experimentalDecorators: true, emitDecoratorMetadata: true });
        running = await project.start('app.js', { PORT: String(port) });
      });
      after(async () => {
        await running?.stop();
        await project?.remove();
      });

      it('lets in by the token, in the query and in a header', async () => {
        const headers = { Authorization: `Bearer ${adaToken()}` };
        for (const [query, init] of [[`token=${adaToken()}&userId=777`], ['userId=777', { headers }]] as const) {
          const response = await fetch(`${origin}/panel?${query}`, init);
          expect(await response.json()).to.deep.equal({ user: { id: '1001:777' } });
        }
      });

      const refused: Record<string, [() => string, number, string]> = {
        'no token': [() => '', 401, 'token_missing'],
        'an expired token': [() => `token=${adaToken({ exp: inSeconds(-1) })}`, 401, 'token_expired'],
        'a forged token': [() => `token=${adaToken({}, { secret: 'another' })}`, 401, 'token_invalid'],
        "another user's id": [() => `token=${adaToken()}&userId=778`, 403, 'token_mismatch'],
        'two tokens': [() => `token=${adaToken()}&token=${adaToken()}`, 400, 'invalid_request'],
      };
      for (const [what, [query, status, code]] of Object.entries(refused)) {
        it(`refuses ${what} with ${status} ${code}`, async () => {
          const response = await fetch(`${origin}/panel?${query()}`);
          expect(await response.json()).to.include({ code });
          expect(response.status).to.equal(status);
          expect(response.headers.get('www-authenticate')).to.equal(status === 401 ? 'Bearer' : null);
          expect(response.headers.get('cache-control')).to.equal('no-store');
        });
      }

      it('refuses two Authorization headers, of which Node.js shows one', async () => {
        const lines = ['Authorization', `Bearer ${adaToken()}`, 'Authorization', `Bearer ${adaToken()}`];
        const asked = request(`${origin}/panel`, { headers: ['Host', 'localhost', ...lines] }).end();
        const [response] = await once(asked, 'response');
        expect(response.resume().statusCode).to.equal(400);
      });

      it('starts a sign-in, and refuses a callback that did not start here', async () => {
        const browser = new Browser();
        const started = await browser.send(`${origin}/auth/pipedrive`);
        const location = new URL(started.headers.get('location') ?? '');
        expect([location.hostname, location.searchParams.get('client_id')]).to.deep.equal([
          'oauth.pipedrive.com',
          'client-id',
        ]);
        const forged = await browser.send(`${origin}/auth/pipedrive/callback?code=of-somebody&state=forged`);
        expect(await forged.json()).to.include({ code: 'state_invalid' });
        expect(forged.status).to.equal(403);
      });
    });
  }
});
