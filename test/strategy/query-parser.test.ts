// The callback where the framework's query parser is turned off or replaced: never another start in place of an end.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { parse } from 'node:querystring';
import { expect } from 'chai';
import type express from 'express';
import type { ErrorRequestHandler, Express } from 'express';
import { Passport } from 'passport';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import {
  type AppOptions,
  anybody,
  appsForEach,
  expectFailure,
  expectRedirect,
  mustNotBeCalled,
  options,
} from '../support/app';
import { letSignIn, stubPipedrive } from '../support/pipedrive';

const express4: typeof express = require('express4');
const answerStatus: ErrorRequestHandler = (error, _req, res, _next) => void res.status(error.status).end();

/** What stands in for Express's own parser: a value of the setting "query parser", or what `req.query` is. */
const parsers: Record<string, unknown> = {
  false: false,
  'one that yields URLSearchParams': (text: string) => new URLSearchParams(text),
  'one that yields a Map': (text: string) => new Map(new URLSearchParams(text)),
  'one that yields a list of pairs': (text: string) => [...new URLSearchParams(text)],
  'one that yields the text itself': (text: string) => text,
  'one that yields nothing': () => undefined,
  'one that yields null': () => null,
  'one that yields an object of its own': (text: string) => ({ raw: text, parameters: parse(text) }),
  'one that yields an object without prototype': (text: string) => Object.assign(Object.create(null), parse(text)),
  'one that yields a plain object': (text: string) => Object.fromEntries(new URLSearchParams(text)),
  simple: 'simple',
  extended: 'extended',
};

describe('query parser', () => {
  stubPipedrive();
  const start = appsForEach();

  for (const [what, parser] of Object.entries(parsers)) {
    const given: AppOptions = { verify: anybody, routes: (app: Express) => app.set('query parser', parser) };

    it(`is ${what}: signs the user in`, async () => {
      letSignIn();
      const visitor = (await start(given)).visitor();
      expect((await visitor.signIn()).outcome).to.equal('success');
    });

    it(`is ${what}: reads a refusal, and a code without state`, async () => {
      const visitor = (await start(given)).visitor();
      const state = await visitor.start();
      expectFailure(await visitor.callback({ error: 'user_denied', state }), 403, 'user_denied');
      expectRedirect(await visitor.callback({ code: 'a' }));
    });
  }

  for (const parser of [false, (text: string) => new URLSearchParams(text)]) {
    for (const query of ['code=a&code=b&state=c', 'code[a]=b', 'error[]=b', 'code=a&error=b', 'code=%00', 'code=%0a']) {
      it(`is ${parser ? 'one that yields URLSearchParams' : false}: answers 400 to ?${query}`, async () => {
        const visitor = (await start({ routes: (app) => app.set('query parser', parser) })).visitor();
        expectFailure(await visitor.callback(query), 400, 'invalid_request');
      });
    }
  }

  it('is false: reads a code behind more parameters than Node.js counts, or with a second question mark', async () => {
    const visitor = (await start({ routes: (app) => app.set('query parser', false) })).visitor();
    const many = 'x&'.repeat(1500);
    expectFailure(await visitor.callback(`${many}error=server_error`), 502, 'server_error');
    expectFailure(await visitor.callback('x=?&error=server_error'), 502, 'server_error');
  });

  for (const [what, parser] of Object.entries(parsers)) {
    it(`is ${what}, on Express 4: answers 502 to an outage of Pipedrive`, async () => {
      const passport = new Passport();
      passport.use(new PipedriveStrategy(options, mustNotBeCalled));
      const app = express4().set('query parser', parser);
      app.use(passport.authenticate('pipedrive', { session: false, failWithError: true }));
      app.use(answerStatus);
      const server = createServer(app).listen(0, '127.0.0.1');
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const url = `http://127.0.0.1:${port}/callback?error=server_error`;
      const { status } = await fetch(url, { redirect: 'manual', headers: { Connection: 'close' } });
      server.close();
      expect(status).to.equal(502);
    });
  }
});
