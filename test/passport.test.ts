// The strategy under Passport: one outcome for each request, whatever the app and other requests do.
import { expect } from 'chai';
import express, { type RequestHandler } from 'express';
import { type AuthenticateCallback, Passport } from 'passport';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { currentUser, users } from '../sandbox';
import { anybody, appsForEach, mustNotBeCalled, options } from './support/app';
import { exchange, letSignIn, profileRequest, stubPipedrive, tokens } from './support/pipedrive';

describe('Passport', () => {
  stubPipedrive();
  const start = appsForEach();
  const passport = new Passport();

  /** An app whose callback has a route of its own, in front of the usual ones. */
  const startWith = (strategy: PipedriveStrategy, handler: RequestHandler) =>
    start({ strategy, before: [express().use('/callback', handler)] });

  it('keeps two users apart who sign in at once with one strategy object', async () => {
    const strategy = new PipedriveStrategy(options, ({ profile }) => ({ id: profile.id }));
    const answer: RequestHandler = (req, res) => void res.json({ outcome: 'success', user: req.user });
    const app = await startWith(strategy, (req, res, next) => {
      const authenticate = passport.authenticate(strategy, { session: false });
      authenticate(req, res, (error?: unknown) => (error ? next(error) : answer(req, res, next)));
    });
    const [slow, fast] = [app.visitor(), app.visitor()];
    const [slowState, fastState] = [await slow.start(), await fast.start()];
    // The first user's tokens come only after the second user is in.
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    let asked = () => {};
    const wasAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    exchange('code-of-slow').reply(200, async () => {
      asked();
      await released;
      return { ...tokens, api_domain: 'https://slow.pipedrive.com' };
    });
    profileRequest('https://slow.pipedrive.com').reply(200, currentUser(users.ben));
    const slowly = slow.callback({ code: 'code-of-slow', state: slowState });
    await wasAsked;
    exchange('code-of-fast').reply(200, tokens);
    profileRequest().reply(200, currentUser(users.ada));
    const quickly = await fast.callback({ code: 'code-of-fast', state: fastState });
    release();
    expect([quickly.user, (await slowly).user]).to.deep.equal([{ id: '1001:777' }, { id: '1001:778' }]);
  });

  it('is an error when an action throws, as failureMessage does without a session', async () => {
    const app = await start({ callback: { failureMessage: true } });
    const answer = await app.visitor().callback({ error: 'user_denied' });
    expect(answer).to.include({ outcome: 'error', status: 500 });
    expect(app.errors[0]).to.be.instanceOf(TypeError);
  });

  it('calls the callback of authenticate with failure, status and user, and no second time when it is well', async () => {
    const seen: Parameters<AuthenticateCallback>[] = [];
    const strategy = new PipedriveStrategy(options, anybody);
    const app = await startWith(strategy, (req, res, next) => {
      const done: AuthenticateCallback = (...args) => {
        seen.push(args);
        res.json({});
      };
      passport.authenticate(strategy, done)(req, res, next);
    });
    const visitor = app.visitor();
    await visitor.callback({ error: 'user_denied' });
    letSignIn();
    await visitor.signIn();
    expect(seen).to.have.length(2);
    expect(seen[0]).to.deep.include.members([null, false, 403]);
    expect(seen[0]?.[2]).to.include({ code: 'user_denied' });
    expect(seen[1]?.slice(0, 2)).to.deep.equal([null, { id: 1 }]);
  });

  for (const [what, isEnded] of [
    ['has answered nothing', false],
    ['has answered', true],
  ] as const) {
    it(`ends the request when the callback of authenticate throws for everything and ${what}`, async () => {
      const strategy = new PipedriveStrategy(options, mustNotBeCalled);
      const app = await startWith(strategy, (req, res, next) => {
        const done = () => {
          if (isEnded && !res.writableEnded) res.status(418).end();
          throw new Error('broken');
        };
        passport.authenticate(strategy, done)(req, res, next);
      });
      expect((await app.visitor().callback({ error: 'x' })).status).to.equal(isEnded ? 418 : 500);
    });
  }

  it('lets a failing app callback that has sent headers end, too', async () => {
    const strategy = new PipedriveStrategy(options, mustNotBeCalled);
    const app = await startWith(strategy, (req, res, next) => {
      const done = () => {
        if (!res.headersSent) res.status(203).write('half');
        throw new Error('broken');
      };
      passport.authenticate(strategy, done)(req, res, next);
    });
    expect(await app.visitor().callback({ error: 'x' })).to.include({ status: 203, body: 'half' });
  });

  it('can be registered under another name', async () => {
    const strategy = new PipedriveStrategy(options, mustNotBeCalled);
    const named = new Passport();
    named.use('crm', strategy);
    const app = await startWith(strategy, named.authenticate('crm', { session: false, failWithError: true }));
    const visitor = app.visitor();
    expect((await visitor.callback({ error: 'access_denied', state: await visitor.start() })).status).to.equal(403);
  });

  it('reads the query of the URL where no framework has parsed it', async () => {
    const unparsed: RequestHandler = (req, _res, next) => {
      Object.defineProperty(req, 'query', { value: undefined });
      next();
    };
    const app = await start({ before: [unparsed] });
    const answer = await app.visitor().callback({ error: 'user_denied' });
    expect(answer).to.include({ outcome: 'failure', status: 403 });
    expect((await app.visitor().send('/callback')).outcome).to.equal('redirect');
  });
});
