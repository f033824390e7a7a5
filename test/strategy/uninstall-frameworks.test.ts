// The uninstall middleware wherever there are Node's `req` and `res`: with and without `next`, and never a crash.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, connect as openSocket } from 'node:net';
import { json } from 'node:stream/consumers';
import { expect } from 'chai';
import connect from 'connect';
import express from 'express';
import { PipedriveStrategy, type PipedriveUninstall } from 'passport-pipedrive-oauth2';
import { uninstallNotice } from 'pipedrive-sandbox';
import polka from 'polka';
import { clientID, clientSecret, mustNotBeCalled, options } from '../support/app';

type Handler = (uninstall: PipedriveUninstall, req: IncomingMessage) => unknown;
type Middleware = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => unknown) => Promise<void>;

const express4: typeof express = require('express4');

const strategy = new PipedriveStrategy(options, mustNotBeCalled);
const uninstall = { clientId: clientID, userId: 777, companyId: 1001, timestamp: '2026-01-02T03:04:05.000Z' };
const body = JSON.stringify(uninstallNotice(uninstall));
const Authorization = `Basic ${Buffer.from(`${clientID}:${clientSecret}`).toString('base64')}`;

const answer500 = (_error: unknown, _req: unknown, res: ServerResponse, _next: unknown) =>
  void Object.assign(res, { statusCode: 500 }).end();
const goOn = (_req: unknown, _res: unknown, next: () => void) => next();
const asListener = (app: { handler: unknown }) => app.handler as RequestListener;

/** Each framework with the middleware at `/callback`, and whether it gives the middleware a `next`. */
const frameworks: Record<string, { listen: (middleware: Middleware) => RequestListener; hasNext: boolean }> = {
  'node:http': { hasNext: false, listen: (middleware) => (req, res) => void middleware(req, res) },
  "a handler with a parsed body and no next, as in Next.js's Pages API": {
    hasNext: false,
    listen: (middleware) => async (req, res) => {
      Object.assign(req, { body: await json(req).catch(() => '') });
      await middleware(req, res);
    },
  },
  connect: { hasNext: true, listen: (middleware) => connect().use('/callback', middleware).use(answer500) },
  'Polka, alone on its route': {
    hasNext: false,
    listen: (middleware) => asListener(polka().delete('/callback', middleware)),
  },
  'Polka, behind other middleware': {
    hasNext: true,
    listen: (middleware) => asListener(polka().use(goOn).delete('/callback', middleware)),
  },
  'Express 5': { hasNext: true, listen: (middleware) => express().delete('/callback', middleware).use(answer500) },
  'Express 4': { hasNext: true, listen: (middleware) => express4().delete('/callback', middleware).use(answer500) },
};

for (const [framework, { listen, hasNext }] of Object.entries(frameworks)) {
  describe(`uninstall middleware on ${framework}`, () => {
    const closing: (() => void)[] = [];
    const othersListeners = process.listeners('warning');
    let uninstalls: PipedriveUninstall[];
    let warnings: (Error & { code?: string; detail?: string })[];

    beforeEach(() => {
      uninstalls = [];
      warnings = [];
      process.removeAllListeners('warning');
      process.on('warning', (warning) => warnings.push(warning));
    });
    afterEach(() => {
      for (const close of closing.splice(0)) close();
      process.removeAllListeners('warning');
      for (const listener of othersListeners) process.on('warning', listener);
    });

    const remember: Handler = (seen) => void uninstalls.push(seen);

    async function start(handler: Handler = remember, from = strategy): Promise<string> {
      const server = createServer(listen(from.uninstall<IncomingMessage>(handler))).listen(0, '127.0.0.1');
      await once(server, 'listening');
      closing.push(() => {
        server.close();
        server.closeAllConnections();
      });
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
    }

    const send = (url: string, init: RequestInit = {}) =>
      fetch(url, { method: 'DELETE', body, headers: { Authorization }, signal: AbortSignal.timeout(5_000), ...init });

    it('answers 204 when the handler is done', async () => {
      const seen: unknown[] = [];
      const url = await start(async (notice, req) => {
        await Promise.resolve();
        seen.push(notice, req.method);
      });
      const response = await send(url);
      expect([response.status, await response.text()]).to.deep.equal([204, '']);
      expect(seen).to.deep.equal([uninstall, 'DELETE']);
    });

    it('answers 401 with a challenge to a stranger, 400 to a malformed notice, 403 to that of another app', async () => {
      const url = await start();
      const stranger = await send(url, { headers: {} });
      expect(stranger.status).to.equal(401);
      expect(stranger.headers.get('www-authenticate')).to.match(/^Basic realm="/);
      expect((await send(url, { body: '{' })).status).to.equal(400);
      expect((await send(url, { body: body.replace(clientID, 'other') })).status).to.equal(403);
      expect((await send(url)).status).to.equal(204);
      expect(uninstalls).to.deep.equal([uninstall]);
    });

    const thrown: Record<string, unknown> = {
      'an Error': new Error('down'),
      'an Error with a code such as ECONNREFUSED': Object.assign(new Error('down'), {
        code: 'ECONNREFUSED',
      }),
      'an Error with the headers of a request': Object.assign(new Error('down'), {
        config: { headers: { authorization: 'Bearer a-token' } },
      }),
      'an Error with a status that is none': Object.assign(new Error('down'), { status: 'down' }),
      nothing: undefined,
      null: null,
      "'route'": 'route',
      text: 'down',
    };
    for (const [what, error] of Object.entries(thrown)) {
      for (const how of ['throws', 'rejects with']) {
        it(`answers 500 when the handler ${how} ${what}`, async () => {
          let isUp = false;
          const url = await start(() => {
            if (isUp) return undefined;
            isUp = true;
            if (how === 'throws') throw error;
            return Promise.reject(error);
          });
          expect((await send(url)).status).to.equal(500);
          expect((await send(url)).status).to.equal(204);
          if (hasNext) return;
          expect(warnings).to.have.length(1);
          expect(warnings[0]).to.include({ code: 'PIPEDRIVE_UNINSTALL_FAILED' });
          expect(warnings[0]?.detail)
            .to.include(error instanceof Error ? 'Error: down' : String(error))
            .and.not.include('a-token');
        });
      }
    }

    it('answers 500 where the strategy has no secret to compare with', async () => {
      const secretless = new PipedriveStrategy(options, mustNotBeCalled);
      Object.assign(secretless._oauth2, { _clientSecret: undefined });
      const url = await start(remember, secretless);
      const undefinedSecret = `Basic ${Buffer.from(`${clientID}:undefined`).toString('base64')}`;
      expect((await send(url, { headers: { Authorization: undefinedSecret } })).status).to.equal(500);
      expect(uninstalls).to.deep.equal([]);
    });

    it("gives an error of the handler's that looks like a refusal to the app, too", async () => {
      const url = await start(() => strategy.readUninstall({ headers: {}, body: '' }));
      expect((await send(url)).status).to.equal(framework.startsWith('Polka, behind') ? 401 : 500);
    });

    it('lets the handler answer', async () => {
      const url = await start((_notice, req) => {
        const { res } = req as IncomingMessage & { res?: ServerResponse };
        if (res) res.writeHead(202).end();
      });
      expect((await send(url)).status).to.equal(framework.startsWith('Express') ? 202 : 204);
    });

    it('survives a stranger and a notice that break off', async () => {
      const url = await start();
      for (const header of ['X: y', `Authorization: ${Authorization}`]) {
        const socket = openSocket(Number(new URL(url).port), '127.0.0.1');
        socket.write(`DELETE /callback HTTP/1.1\r\nHost: a\r\n${header}\r\nContent-Length: 1000\r\n\r\n{`);
        socket.end();
        await once(socket.resume(), 'close');
      }
      expect((await send(url)).status).to.equal(204);
      expect(uninstalls).to.have.length(1);
    });
  });
}

describe('uninstall middleware', () => {
  it('refuses a handler that is no function, when the route is made', () => {
    expect(() => Reflect.apply(strategy.uninstall, strategy, [{}])).to.throw(TypeError, /^handler must be a function$/);
  });

  it('gives no error to next where somebody has answered before', async () => {
    const middleware = strategy.uninstall<IncomingMessage>(() => {});
    const errors: unknown[] = [];
    const server = createServer((req, res) => {
      res.end('early');
      middleware(req, res, (error) => errors.push(error)).then(() => server.close());
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const response = await fetch(url, { method: 'DELETE', headers: { Connection: 'close' } });
    expect(await response.text()).to.equal('early');
    if (server.listening) await once(server, 'close');
    expect(errors).to.deep.equal([]);
  });

  it('has the shape that restify asks for: three parameters, and no async function', () => {
    const middleware = strategy.uninstall(() => {});
    expect(middleware).to.have.length(3);
    expect(middleware.constructor).to.equal(Function);
  });
});

describe('uninstall middleware, with other methods than DELETE', () => {
  const noHandler = () => expect.fail('The handler must not be called');

  async function statusOf(method: string, listener: RequestListener): Promise<[number, string | null]> {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback`;
    const { status, headers } = await fetch(url, { method, headers: { Authorization, Connection: 'close' } });
    server.close();
    return [status, headers.get('allow')];
  }

  for (const method of ['GET', 'POST']) {
    it(`leaves ${method} to the next handler of the same path, such as the callback of a sign-in`, async () => {
      const app = connect()
        .use('/callback', strategy.uninstall(noHandler))
        .use((_req: IncomingMessage, res: ServerResponse) => void res.writeHead(201).end());
      expect(await statusOf(method, app)).to.deep.equal([201, null]);
    });

    it(`answers 405 to ${method} where there is no next`, async () => {
      const middleware = strategy.uninstall<IncomingMessage>(noHandler);
      expect(await statusOf(method, (req, res) => middleware(req, res))).to.deep.equal([405, 'DELETE']);
    });
  }
});
