// Pipedrive's notice of an uninstall, on Express 4 and 5, with every body parser and none, and everybody who is not Pipedrive.
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';
import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import { PipedriveStrategy, type PipedriveUninstall } from 'passport-pipedrive-oauth2';
import { uninstallNotice } from 'pipedrive-sandbox';
import { clientID, clientSecret, mustNotBeCalled, options } from '../support/app';

const strategy = new PipedriveStrategy(options, mustNotBeCalled);
const timestamp = '2026-01-02T03:04:05.000Z';
const uninstall = { clientId: clientID, userId: 777, companyId: 1001, timestamp };
const notice = uninstallNotice(uninstall);
const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;
const authorization = basic(`${clientID}:${clientSecret}`);

type Handler = Parameters<PipedriveStrategy['uninstall']>[0];
interface Sent {
  body?: string;
  headers?: Record<string, string>;
  chunked?: boolean;
}

const frameworks: Record<string, typeof express> = { 'Express 5': express, 'Express 4': require('express4') };

for (const [framework, create] of Object.entries(frameworks)) {
  describe(`uninstall on ${framework}`, () => {
    const closing: (() => void)[] = [];
    let errors: unknown[];
    let uninstalls: PipedriveUninstall[];
    beforeEach(() => {
      errors = [];
      uninstalls = [];
    });
    afterEach(() => {
      for (const close of closing.splice(0)) close();
    });

    const remember: Handler = (seen) => void uninstalls.push(seen);

    async function startApp(before: RequestHandler[] = [], handler: Handler = remember): Promise<number> {
      const app = create();
      for (const each of before) app.use(each);
      app.delete('/callback', strategy.uninstall(handler));
      const onError: ErrorRequestHandler = (error, _req, res, _next) => {
        errors.push(error);
        res.status(500).end();
      };
      app.use(onError);
      const server = createServer(app).listen(0, '127.0.0.1');
      await once(server, 'listening');
      closing.push(() => {
        server.close();
        server.closeAllConnections();
      });
      return (server.address() as AddressInfo).port;
    }

    async function send(port: number, { body = JSON.stringify(notice), headers = {}, chunked }: Sent = {}) {
      const all = { Authorization: authorization, 'Content-Type': 'application/json', ...headers };
      const length = chunked ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': Buffer.byteLength(body) };
      const outgoing = request({
        port,
        host: '127.0.0.1',
        path: '/callback',
        method: 'DELETE',
        headers: { ...all, ...length },
        signal: AbortSignal.timeout(5_000),
      });
      if (chunked) for (const part of [body.slice(0, 100), body.slice(100)]) outgoing.write(part);
      outgoing.end(chunked ? undefined : body);
      const [response] = await once(outgoing, 'response');
      await text(response);
      return response;
    }

    const parsers: Record<string, RequestHandler[]> = {
      'no parser': [],
      'express.json()': [create.json()],
      'express.text()': [create.text({ type: '*/*' })],
      'express.raw()': [create.raw({ type: '*/*' })],
      'a parser that is not for JSON': [create.urlencoded({ extended: true })],
    };
    for (const [what, before] of Object.entries(parsers)) {
      it(`answers 204 when the handler is done: ${what}`, async () => {
        let req: unknown;
        const handler: Handler = async (seen, given) => {
          await Promise.resolve();
          req = given;
          uninstalls.push(seen);
        };
        const port = await startApp(before, handler);
        for (const chunked of [false, true]) expect((await send(port, { chunked })).statusCode).to.equal(204);
        expect(uninstalls).to.deep.equal([uninstall, uninstall]);
        expect(req).to.have.property('path', '/callback');
      });

      it(`answers 400 to a body over 16 KiB, in one piece or chunked: ${what}`, async () => {
        const port = await startApp(before);
        const padded = (padding: number) => JSON.stringify({ ...notice, padding: 'x'.repeat(padding) });
        const room = 16 * 1024 - Buffer.byteLength(padded(0));
        const statusOf = async (sent: Sent) => (await send(port, sent)).statusCode;
        for (const chunked of [false, true]) {
          expect(await statusOf({ body: padded(room), chunked })).to.equal(204);
          expect(await statusOf({ body: padded(room + 1), chunked })).to.equal(400);
        }
        expect(uninstalls).to.have.length(2);
      });
    }

    const strangers: Record<string, Record<string, string>> = {
      'no credentials': { Authorization: '' },
      'a wrong secret': { Authorization: basic(`${clientID}:guess`) },
      "another app's credentials": { Authorization: basic('other:secret') },
      'an empty secret': { Authorization: basic(`${clientID}:`) },
      'the secret alone': { Authorization: basic(clientSecret) },
      'a longer secret': { Authorization: basic(`${clientID}:${clientSecret}x`) },
      'a bearer token': { Authorization: authorization.replace('Basic', 'Bearer') },
      'no scheme': { Authorization: authorization.replace('Basic ', '') },
      'another scheme': { Authorization: authorization.replace('Basic', 'XBasic') },
      'more than credentials': { Authorization: `${authorization} x` },
      'credentials that are no base64': { Authorization: `Basic ${clientID}:${clientSecret}` },
    };
    for (const [what, headers] of Object.entries(strangers)) {
      it(`answers 401 with a challenge to ${what}`, async () => {
        const response = await send(await startApp(), { headers });
        expect(response.statusCode).to.equal(401);
        expect(response.headers['www-authenticate']).to.match(/^Basic realm=/);
        expect(uninstalls).to.deep.equal([]);
      });
    }

    it('reads no body of a stranger', async () => {
      const socket = connect(await startApp(), '127.0.0.1');
      socket.write('DELETE /callback HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\nConnection: close\r\n\r\n');
      const [head] = await once(socket, 'data');
      expect(String(head)).to.match(/^HTTP\/1\.1 401 /);
      socket.destroy();
    });

    it('takes the scheme in any letter case, and any number of spaces behind it', async () => {
      const headers = { Authorization: authorization.replace('Basic', 'bAsIc ') };
      expect((await send(await startApp(), { headers })).statusCode).to.equal(204);
    });

    const malformed: Record<string, string> = {
      'no body': '',
      'no JSON': '{"client_id"',
      null: 'null',
      'a list': JSON.stringify([notice]),
      'a string': '"x"',
      ...Object.fromEntries(
        Object.keys(notice).flatMap((key) =>
          [undefined, null, {}, [], '', -1, 1.5, 2 ** 53, true].flatMap((value) => {
            if (key === 'timestamp') return [];
            return [[`${key}: ${JSON.stringify(value)}`, JSON.stringify({ ...notice, [key]: value })]];
          }),
        ),
      ),
    };
    for (const [what, body] of Object.entries(malformed)) {
      it(`answers 400 to a body with ${what}`, async () => {
        expect((await send(await startApp(), { body })).statusCode).to.equal(400);
        expect(uninstalls).to.deep.equal([]);
      });
    }

    it('answers 400 to a parsed body that was padded with spaces', async () => {
      const port = await startApp([create.json()]);
      expect((await send(port, { body: JSON.stringify(notice).padEnd(17 * 1024) })).statusCode).to.equal(400);
    });

    it('answers 403 to the notice for another app', async () => {
      const body = JSON.stringify({ ...notice, client_id: 'other' });
      expect((await send(await startApp(), { body })).statusCode).to.equal(403);
      expect(uninstalls).to.deep.equal([]);
    });

    const failing: Record<string, Handler> = {
      throws: () => {
        throw new Error('down');
      },
      rejects: () => Promise.reject(new Error('down')),
      'rejects with nothing': () => Promise.reject(),
    };
    for (const [how, handler] of Object.entries(failing)) {
      it(`gives the error to the app when the handler ${how}`, async () => {
        expect((await send(await startApp([], handler))).statusCode).to.equal(500);
        expect(errors).to.have.length(1);
        expect(errors[0]).to.be.instanceOf(Error);
      });
    }

    it('answers 400 where somebody has read the body and left nothing', async () => {
      const drain: RequestHandler = (req, _res, next) => void req.resume().on('end', () => next());
      expect((await send(await startApp([drain]))).statusCode).to.equal(400);
    });

    it('survives a body that breaks off', async () => {
      const port = await startApp();
      const socket = connect(port, '127.0.0.1');
      socket.write(
        `DELETE /callback HTTP/1.1\r\nHost: a\r\nAuthorization: ${authorization}\r\nContent-Length: 1000\r\n\r\n${JSON.stringify(notice)}`,
      );
      socket.end();
      await once(socket.resume(), 'close');
      expect((await send(port)).statusCode).to.equal(204);
      expect(uninstalls).to.have.length(1);
    });
  });
}
