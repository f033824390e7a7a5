// Account linking on Fastify: the app's state comes back, as on Express.
import { Authenticator } from '@fastify/passport';
import fastifySecureSession from '@fastify/secure-session';
import { expect } from 'chai';
import Fastify from 'fastify';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { anybody, options } from '../support/app';
import { letSignIn, stubPipedrive } from '../support/pipedrive';

describe('passport.authorize on Fastify', () => {
  stubPipedrive();

  it('has the app state in req.authInfo, and leaves the user alone', async () => {
    const app = Fastify();
    await app.register(fastifySecureSession, { key: Buffer.alloc(32), cookie: { path: '/' } });
    const passport = new Authenticator();
    await app.register(passport.initialize());
    await app.register(passport.secureSession());
    passport.use(new PipedriveStrategy(options, anybody));
    app.get(
      '/callback',
      { preValidation: passport.authorize('pipedrive', Object.assign({ session: false }, { state: '/accounts' })) },
      async (req) => ({ account: Reflect.get(req, 'account'), authInfo: req.authInfo, user: req.user }),
    );

    const begun = await app.inject('/callback');
    const state = new URL(String(begun.headers.location)).searchParams.get('state') ?? '';
    const cookies = Object.fromEntries(begun.cookies.map(({ name, value }) => [name, value]));
    letSignIn();
    const query = new URLSearchParams({ code: 'the-code-of-the-user', state });
    const response = await app.inject({ url: `/callback?${query}`, cookies });
    expect(response.json()).to.deep.include({ account: { id: 1 }, authInfo: { state: '/accounts' } });
    expect(response.json().user ?? null).to.equal(null);
    await app.close();
  });
});
