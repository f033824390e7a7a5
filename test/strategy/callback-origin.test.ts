// The origin of a relative callback URL: whose forwarding headers count, in each framework.
import { once } from 'node:events';
import { createServer, get, type RequestListener } from 'node:http';
import { connect as connectHTTP2, createServer as createHTTP2Server } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Authenticator } from '@fastify/passport';
import fastifySecureSession from '@fastify/secure-session';
import { expect } from 'chai';
import express, { type Express } from 'express';
import Fastify, { type FastifyServerOptions } from 'fastify';
import { Passport } from 'passport';
import { PipedriveStrategy, type PipedriveStrategyOptions } from 'passport-pipedrive-oauth2';
import { mustNotBeCalled, options } from '../support/app';

// Without the types of Koa, which do not compile beside the newest content-disposition.
interface KoaApp {
  use(middleware: unknown): KoaApp;
  callback(): RequestListener;
}
const Koa: new (options?: { proxy: boolean }) => KoaApp = require('koa');
const { KoaPassport }: { KoaPassport: new () => InstanceType<typeof Passport> } = require('koa-passport');

const forwarded = { 'X-Forwarded-Proto': 'https', 'X-Forwarded-Host': 'app.example.com:8443' };
const inside = 'http://inner.example:3000/callback';
const outside = 'https://app.example.com:8443/callback';

/** Whose origin it is. */
const nameOf = (expected: string) => (expected === inside ? "the app's own" : "the proxy's");

const strategyWith = (given: Partial<PipedriveStrategyOptions> = {}) =>
  new PipedriveStrategy({ ...options, state: false, callbackURL: '/callback', ...given }, mustNotBeCalled);

function passportWith(given?: Partial<PipedriveStrategyOptions>) {
  const passport = new Passport();
  passport.use(strategyWith(given));
  return passport;
}

const redirectURI = (location: unknown) => new URL(String(location)).searchParams.get('redirect_uri');

/** The redirect_uri that a server sends its user to Pipedrive with; the request comes from 127.0.0.1. */
async function redirectURIOf(listener: RequestListener, headers: Record<string, string> = forwarded) {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const all = { Host: 'inner.example:3000', Connection: 'close', ...headers };
  const [response] = await once(get({ port, host: '127.0.0.1', headers: all }), 'response');
  response.resume();
  server.close();
  return redirectURI(response.headers.location);
}

describe('origin of a relative callback URL', () => {
  const versions: Record<string, typeof express> = { 'Express 5': express, 'Express 4': require('express4') };
  for (const [framework, create] of Object.entries(versions)) {
    const appWith = (trust: unknown, given?: Partial<PipedriveStrategyOptions>): Express => {
      const app = create();
      if (trust !== undefined) app.set('trust proxy', trust);
      return app.use(passportWith(given).authenticate('pipedrive', { session: false }));
    };

    const settings: [what: string, value: unknown, expected: string][] = [
      ['nothing', undefined, inside],
      ['false', false, inside],
      ['true', true, outside],
      ['1, the number of proxies', 1, outside],
      ['0', 0, inside],
      ["'loopback'", 'loopback', outside],
      ["'10.0.0.0/8', where this proxy is not", '10.0.0.0/8', inside],
      ["'10.0.0.1, 127.0.0.1'", '10.0.0.1, 127.0.0.1', outside],
      ["['10.0.0.1', 'uniquelocal']", ['10.0.0.1', 'uniquelocal'], inside],
      ["['10.0.0.1', '127.0.0.0/8']", ['10.0.0.1', '127.0.0.0/8'], outside],
      ['an empty list', [], inside],
      ['a function that trusts this peer', (address: string) => address.endsWith('127.0.0.1'), outside],
      ['a function that does not', (address: string) => address === '10.0.0.1', inside],
    ];
    for (const [what, value, expected] of settings) {
      it(`is ${nameOf(expected)} on ${framework} with "trust proxy" ${what}`, async () => {
        expect(await redirectURIOf(appWith(value))).to.equal(expected);
      });
    }

    it(`is the first that the proxies list, on ${framework}`, async () => {
      const headers = { 'X-Forwarded-Proto': 'HTTPS, http', 'X-Forwarded-Host': 'app.example.com , inner' };
      expect(await redirectURIOf(appWith(true), headers)).to.equal('https://app.example.com/callback');
    });

    it(`is partly forwarded where a trusted proxy sends one of the headers, on ${framework}`, async () => {
      const origins: Record<string, string>[] = [
        { 'X-Forwarded-Proto': 'https' },
        { 'X-Forwarded-Host': 'app.example.com' },
        {},
      ];
      const seen = await Promise.all(origins.map((headers) => redirectURIOf(appWith(true), headers)));
      const expected = ['https://inner.example:3000', 'http://app.example.com', 'http://inner.example:3000'];
      expect(seen).to.deep.equal(expected.map((origin) => `${origin}/callback`));
    });

    it(`is the setting's of an app that another one mounts, on ${framework}`, async () => {
      const outer = create().set('trust proxy', 'loopback').use(appWith(undefined));
      expect(await redirectURIOf(outer)).to.equal(outside);
    });

    it(`is the forwarded one with the option proxy, whatever ${framework} trusts`, async () => {
      for (const trust of [undefined, false, '10.0.0.0/8'])
        expect(await redirectURIOf(appWith(trust, { proxy: true }))).to.equal(outside);
    });

    it(`is neither another scheme nor a URL of its own, on ${framework}`, async () => {
      const scheme = { 'X-Forwarded-Proto': 'javascript', 'X-Forwarded-Host': 'app.example.com' };
      expect(await redirectURIOf(appWith(true), scheme)).to.equal('http://app.example.com/callback');
    });
  }

  const fastifySettings: [what: string, trustProxy: FastifyServerOptions['trustProxy'], expected: string][] = [
    ['nothing', undefined, inside],
    ['false', false, inside],
    ['true', true, outside],
    ['a list that has the proxy', ['10.0.0.1', '127.0.0.1'], outside],
    ['a list without it', ['10.0.0.1'], inside],
    ['a function that trusts it', (address) => address === '127.0.0.1', outside],
    ['a function that does not', () => false, inside],
  ];
  for (const [what, trustProxy, expected] of fastifySettings) {
    it(`is ${nameOf(expected)} on Fastify with trustProxy: ${what}`, async () => {
      expect(await onFastify(trustProxy)).to.equal(expected);
    });
  }

  it('is the forwarded one on Fastify with the option proxy', async () => {
    expect(await onFastify(false, { proxy: true })).to.equal(outside);
  });

  async function onFastify(
    trustProxy: FastifyServerOptions['trustProxy'],
    given?: Partial<PipedriveStrategyOptions>,
  ): Promise<string | null> {
    const app = Fastify(trustProxy === undefined ? {} : { trustProxy });
    const passport = new Authenticator();
    passport.use(strategyWith(given));
    await app.register(fastifySecureSession, { key: Buffer.alloc(32) });
    await app.register(passport.initialize());
    app.get('/', { preValidation: passport.authenticate('pipedrive', { session: false }) }, () => '');
    const headers = { host: 'inner.example:3000', ...forwarded };
    const response = await app.inject({ url: '/', headers, remoteAddress: '127.0.0.1' });
    await app.close();
    return redirectURI(response.headers.location);
  }

  for (const [proxy, expected] of [
    [false, inside],
    [true, outside],
  ] as const) {
    const onKoa = (app: KoaApp, given?: Partial<PipedriveStrategyOptions>) => {
      const passport = new KoaPassport();
      passport.use(strategyWith(given));
      return redirectURIOf(app.use(passport.authenticate('pipedrive', { session: false })).callback());
    };

    it(`is ${nameOf(expected)} on Koa with proxy: ${proxy}`, async () => {
      expect(await onKoa(new Koa({ proxy }))).to.equal(expected);
    });

    it(`is ${nameOf(expected)} on Koa with the strategy's option proxy: ${proxy}`, async () => {
      expect(await onKoa(new Koa(), { proxy })).to.equal(expected);
    });

    it(`is ${nameOf(expected)} without a framework, with the option proxy: ${proxy}`, async () => {
      const authenticate = passportWith({ proxy }).authenticate('pipedrive', { session: false });
      expect(await redirectURIOf((req, res) => authenticate(req, res, () => res.end()))).to.equal(expected);
    });
  }

  it('is what a framework calls protocol and hostname where it has no host, as Fastify 4', async () => {
    const authenticate = passportWith().authenticate('pipedrive', { session: false });
    const listener: RequestListener = (req, res) => {
      Object.assign(req, { protocol: 'https', hostname: 'app.example.com:8443' });
      authenticate(req, res, () => res.end());
    };
    expect(await redirectURIOf(listener, {})).to.equal(outside);
  });

  it('is the authority of a request over HTTP/2', async () => {
    const authenticate = passportWith().authenticate('pipedrive', { session: false });
    const server = createHTTP2Server((req, res) => authenticate(req, res, () => res.end())).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const client = connectHTTP2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const headers = { ':path': '/', ':authority': 'app.example.com:8443', host: 'other.example', ...forwarded };
    const [response] = await once(client.request(headers), 'response');
    client.close();
    server.close();
    expect(redirectURI(response.location)).to.equal('http://app.example.com:8443/callback');
  });

  /** The redirect_uri for a request as test suites make them up, of which only this is there. */
  const redirectURIFor = (req: object) =>
    new Promise((resolve, reject) => {
      const actions = { redirect: (url: string) => resolve(redirectURI(url)), fail: reject, error: reject };
      const strategy = Object.assign(strategyWith(), actions);
      Reflect.apply(strategy.authenticate, strategy, [{ headers: { host: 'app.example.com' }, ...req }, {}]);
    });
  const doubles: [what: string, req: object, expected: string][] = [
    ['no connection', {}, 'http://app.example.com/callback'],
    ['a connection with TLS', { connection: { encrypted: true } }, 'https://app.example.com/callback'],
    ['a socket with TLS', { socket: { encrypted: true } }, 'https://app.example.com/callback'],
    [
      'an app that says no more than that it trusts its proxy',
      { app: { get: (name: string) => name === 'trust proxy' }, headers: { 'x-forwarded-host': 'a', host: 'b' } },
      'http://a/callback',
    ],
    [
      'an app with a list of trusted proxies, and no function',
      {
        app: { get: (name: string) => (name === 'trust proxy' ? ['10.0.0.1'] : undefined) },
        headers: { 'x-forwarded-host': 'a', host: 'b' },
      },
      'http://b/callback',
    ],
  ];
  for (const [what, req, expected] of doubles) {
    it(`is ${nameOf(expected)} for a made-up request with ${what}`, async () => {
      expect(await redirectURIFor(req)).to.equal(expected);
    });
  }
});
