// Servers with session middleware of each kind. In JavaScript, since the declarations of some of it do not compile.
const { once } = require('node:events');
const { createServer } = require('node:http');
const fastifyCookie = require('@fastify/cookie');
const secureSession = require('@fastify/secure-session');
const fastifySession = require('@fastify/session');
const cookieSession = require('cookie-session');
const express = require('express');
const session = require('express-session');
const Fastify = require('fastify');
const { getIronSession } = require('iron-session');
const Koa = require('koa');
const { createSession } = require('koa-session');

const secret = 'a-secret-of-at-least-thirty-two-characters';

async function listen(handler) {
  const server = createServer(handler).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

function inExpress(middleware, answer) {
  const app = express();
  app.use(middleware, (req, res, next) => void answer(req, req.url).then((body) => res.json(body), next));
  return listen(app);
}

async function inFastify(register, answer) {
  const app = Fastify();
  await register(app);
  app.get('/*', async (request) => JSON.stringify(await answer(request, request.url)));
  return { origin: await app.listen({ host: '127.0.0.1', port: 0 }), close: () => app.close() };
}

/** Each starts a server that answers a request with what `answer(req, url)` resolves to, as JSON. */
exports.sessionServers = {
  'express-session': (answer, store) =>
    inExpress(session({ secret, resave: false, saveUninitialized: false, store }), answer),
  'cookie-session': (answer) => inExpress(cookieSession({ secret }), answer),
  '@fastify/session': (answer) =>
    inFastify(async (app) => {
      await app.register(fastifyCookie);
      await app.register(fastifySession, { secret, cookie: { secure: false }, saveUninitialized: false });
    }, answer),
  '@fastify/secure-session': (answer) =>
    inFastify((app) => app.register(secureSession, { key: Buffer.alloc(32, 1), cookie: { path: '/' } }), answer),
  'koa-session': (answer) => {
    const app = new Koa();
    app.keys = [secret];
    app.use(createSession(app));
    app.use(async (context) => {
      context.body = JSON.stringify(await answer({ session: context.session }, context.url));
    });
    return listen(app.callback());
  },
  'iron-session': (answer) =>
    listen(async (req, res) => {
      const options = { password: secret, cookieName: 'session', cookieOptions: { secure: false } };
      res.end(JSON.stringify(await answer({ session: await getIronSession(req, res, options) }, req.url)));
    }),
};
