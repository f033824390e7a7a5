// The client to Pipedrive on real connections: dead, slow, lying and endless ones, and what `oauth` makes of them.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { InternalOAuthError, PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { currentUser, tokenErrors, users } from '../sandbox';
import {
  type App,
  anybody,
  appsForEach,
  clientID,
  clientSecret,
  expectError,
  mustNotBeCalled,
  options,
} from './support/app';
import { basic, expectNoSecrets } from './support/errors';
import { accessToken, refreshToken, tokens } from './support/pipedrive';
import { type Answerer, answerOf, rawServersForEach } from './support/servers';

/** Answers both requests of a sign-in as Pipedrive does. */
const answerWell: Answerer = (socket, { text }) => {
  const host = /host: (\S+)/i.exec(text)?.[1];
  socket.write(
    answerOf(text.startsWith('POST') ? { ...tokens, api_domain: `http://${host}` } : currentUser(users.ada)),
  );
};

const half = answerOf(tokens).slice(0, -20);

function agentThatThrows(error: unknown): http.Agent {
  const addRequest = () => {
    throw error;
  };
  return Object.assign(new http.Agent(), { addRequest });
}

describe('client', () => {
  const start = appsForEach();
  const startServer = rawServersForEach();

  async function startApp(
    answer: Answerer,
    more: Parameters<typeof start>[0] & { agent?: http.Agent; timeout?: number } = {},
  ) {
    const server = await startServer(answer);
    const { agent = new http.Agent({ keepAlive: true }), timeout } = more;
    const urls = { tokenURL: `${server.origin}/oauth/token`, authorizationURL: `${server.origin}/oauth/authorize` };
    const app = await start({ options: { ...urls, agent, timeout }, verify: anybody, ...more });
    return { app, server, agent };
  }
  const expectOurs = (app: App, answer: Parameters<typeof expectError>[1], status: number) => {
    const error = expectError(app, answer, status);
    expect(error).to.be.instanceOf(InternalOAuthError);
    expectNoSecrets(error);
    return error;
  };

  it('signs in with two requests, and reuses their connection for the next user', async () => {
    const { app, server } = await startApp(answerWell);
    for (let user = 0; user < 3; user += 1) expect((await app.visitor().signIn()).outcome).to.equal('success');
    const login = ['POST /oauth/token HTTP/1.1', 'GET /api/v1/users/me HTTP/1.1'];
    expect(server.requests).to.deep.equal([...login, ...login, ...login]);
    expect(server.connections).to.equal(1);
  });

  it('sends credentials as HTTP Basic only, and the token in the header only', async () => {
    const sent: string[] = [];
    const { app } = await startApp((socket, request) => {
      sent.push(request.text);
      answerWell(socket, request);
    });
    await app.visitor().signIn();
    const [exchange = '', profile = ''] = sent;
    expect(exchange).to.match(new RegExp(`\\r\\nAuthorization: Basic ${basic}\\r\\n`, 'i'));
    expect(exchange).not.to.include(clientSecret).and.not.include('client_id');
    expect(profile).to.match(
      new RegExp(`^GET /api/v1/users/me HTTP.*\\r\\nAuthorization: Bearer ${accessToken}\\r\\n`, 'is'),
    );
  });

  const dead: Record<string, Answerer> = {
    'closes at once': (socket) => socket.destroy(),
    'ends at once': (socket) => socket.end(),
    resets: (socket) => socket.resetAndDestroy(),
    'closes in the middle of the head': (socket) => socket.end('HTTP/1.1 200 OK\r\nContent-Le'),
    'closes in the middle of the body': (socket) => socket.end(half),
    'resets in the middle of the body': (socket) => socket.write(half, () => socket.resetAndDestroy()),
    'closes in the middle of a chunked body': (socket) =>
      socket.end('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"acc'),
    'speaks no HTTP': (socket) => socket.end(`${accessToken}\r\n\r\n`),
    'sends a broken chunk': (socket) =>
      socket.end(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${accessToken}\r\n`),
    'sends over-long headers': (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`),
    'switches protocols': (socket) =>
      socket.write('HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'),
    'sends null': (socket) => socket.write(answerOf('null')),
    redirects: (socket) => socket.write('HTTP/1.1 302 Found\r\nLocation: /oauth/token\r\nContent-Length: 0\r\n\r\n'),
  };
  for (const [what, answer] of Object.entries(dead)) {
    it(`is an error with status 502 when the token endpoint ${what}, and asks once`, async () => {
      const { app, server } = await startApp(answer, { verify: mustNotBeCalled });
      expectOurs(app, await app.visitor().signIn(), 502);
      expect(server.requests).to.have.length(1);
    });

    it(`is an error with status 502 when /users/me ${what}`, async () => {
      const { app } = await startApp(
        (socket, request) => (request.text.startsWith('POST') ? answerWell : answer)(socket, request),
        { verify: mustNotBeCalled, agent: new http.Agent() },
      );
      expectOurs(app, await app.visitor().signIn(), 502);
    });
  }

  it('says why in the cause, when nobody listens', async () => {
    const { app, server } = await startApp(answerWell);
    await server.close();
    const error = expectOurs(app, await app.visitor().signIn(), 502);
    expect(error.cause).to.include({ code: 'ECONNREFUSED' });
    server.close = async () => {};
  });

  it('says the code in the cause, where the error of several addresses has no message', async () => {
    const server = await startServer(answerWell);
    const { port } = new URL(server.origin);
    const app = await start({ options: { tokenURL: `http://localhost:${port}/oauth/token` } });
    const lookup = Object.assign(new AggregateError([], ''), { code: 'ECONNREFUSED' });
    Object.assign(app.strategy._oauth2, { _agent: agentThatThrows(lookup) });
    expect(expectOurs(app, await app.visitor().signIn(), 502).cause).to.have.property('message', 'ECONNREFUSED');
  });

  const thrown: [what: string, thrown: unknown, message: string][] = [
    ['an Error', new Error('no way'), 'no way'],
    ['a string', 'no way', 'no way'],
    ['an Error that repeats the secret', new Error(`no way for ${clientSecret}`), 'Unknown'],
  ];
  for (const [what, error, message] of thrown) {
    it(`is an error with status 502 when the agent throws ${what}`, async () => {
      const { app } = await startApp(answerWell, { agent: agentThatThrows(error) });
      expect(expectOurs(app, await app.visitor().signIn(), 502).cause).to.have.property('message', message);
    });
  }

  describe('deadline', () => {
    const slow: Record<string, Answerer> = {
      'never answers': () => {},
      'stops after the head': (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n'),
      'sends a byte now and then, for ever': (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const drip = setInterval(() => socket.write(' '), 5);
        socket.on('close', () => clearInterval(drip));
      },
    };
    for (const [what, answer] of Object.entries(slow)) {
      for (const [which, count] of [
        ['the token endpoint', 1],
        ['/users/me', 2],
      ] as const) {
        it(`ends in status 504 and hangs up when ${which} ${what}`, async () => {
          let closed: Promise<unknown> = Promise.reject(new Error('not asked'));
          closed.catch(() => {});
          const answerSlowly: Answerer = (socket, request) => {
            if (request.count < count) return answerWell(socket, request);
            closed = once(socket, 'close');
            answer(socket, request);
          };
          const { app } = await startApp(answerSlowly, { timeout: 50, verify: mustNotBeCalled });
          const error = expectOurs(app, await app.visitor().signIn(), 504);
          expect(error.message).to.include('in time');
          await closed;
        });
      }
    }
  });

  describe('body', () => {
    const padded =
      (length: number): Answerer =>
      (socket, request) => {
        if (request.count > 1) return answerWell(socket, request);
        const host = /host: (\S+)/i.exec(request.text)?.[1];
        socket.write(answerOf(JSON.stringify({ ...tokens, api_domain: `http://${host}` }).padEnd(length)));
      };

    it('may have 1 MiB', async () => {
      const { app } = await startApp(padded(1024 * 1024));
      expect((await app.visitor().signIn()).outcome).to.equal('success');
    });

    it('is an error with status 502 over 1 MiB', async () => {
      const { app } = await startApp(padded(1024 * 1024 + 1), { verify: mustNotBeCalled });
      expect(expectOurs(app, await app.visitor().signIn(), 502).cause)
        .to.have.property('message')
        .that.includes('1048576 bytes');
    });

    it('that never ends is hung up on', async () => {
      const { app } = await startApp((socket) => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        const more = () => {
          while (socket.writable && socket.write('x'.repeat(65_536)));
        };
        socket.on('drain', more);
        more();
      });
      expectOurs(app, await app.visitor().signIn(), 502);
    });
  });

  describe('connection that the server closed while it was idle', () => {
    /** Answers the first login on the first connection, and from then on resets that connection. */
    const resetIdle: Answerer = (socket, request) => {
      if (request.connection === 1 && request.count > 2) socket.resetAndDestroy();
      else answerWell(socket, request);
    };

    it('is replaced by a new one, once, and the request sent again', async () => {
      const { app, server } = await startApp(resetIdle);
      expect((await app.visitor().signIn()).outcome).to.equal('success');
      expect((await app.visitor().signIn()).outcome).to.equal('success');
      expect(server.connections).to.equal(2);
      expect(server.requests.filter((line) => line.startsWith('POST'))).to.have.length(3);
    });

    it("is replaced as well with Node's own agent", async () => {
      const server = await startServer(resetIdle);
      const strategy = new PipedriveStrategy({ ...options, tokenURL: `${server.origin}/oauth/token` }, anybody);
      const app = await start({ strategy });
      for (const _ of [1, 2]) expect((await app.visitor().signIn()).outcome).to.equal('success');
    });

    it('is not replaced by another old one of the agent', async () => {
      let isDead = false;
      const dead: Answerer = (socket, request) => {
        if (isDead && request.count > 1) socket.resetAndDestroy();
        else answerWell(socket, request);
      };
      const { app, server, agent } = await startApp(dead);
      await Promise.all([app.visitor().signIn(), app.visitor().signIn()]);
      expect(Object.values(agent.freeSockets).flat()).to.have.length.above(1);
      isDead = true;
      const exchanged = server.requests.length;
      expect((await app.visitor().signIn()).outcome).to.equal('success');
      expect(server.requests.slice(exchanged).filter((line) => line.startsWith('POST'))).to.have.length(2);
    });

    it('is an error with status 502 when the new one breaks, too', async () => {
      const { app, server } = await startApp((socket, request) =>
        request.connection === 1 && request.count < 3 ? answerWell(socket, request) : socket.resetAndDestroy(),
      );
      expect((await app.visitor().signIn()).outcome).to.equal('success');
      expectOurs(app, await app.visitor().signIn(), 502);
      expect(server.requests.filter((line) => line.startsWith('POST'))).to.have.length(3);
    });

    it('is an error with status 502 when the agent throws for the new one', async () => {
      const { app, agent } = await startApp(resetIdle);
      expect((await app.visitor().signIn()).outcome).to.equal('success');
      agent.createConnection = () => {
        throw new Error('no way');
      };
      expectOurs(app, await app.visitor().signIn(), 502);
    });

    it('is an error with status 502 where an answer had begun', async () => {
      const { app, server } = await startApp((socket, request) =>
        request.count < 3 ? answerWell(socket, request) : socket.write(half, () => socket.resetAndDestroy()),
      );
      expect((await app.visitor().signIn()).outcome).to.equal('success');
      expectOurs(app, await app.visitor().signIn(), 502);
      expect(server.requests.filter((line) => line.startsWith('POST'))).to.have.length(2);
    });
  });

  describe('strategy._oauth2', () => {
    type Results = [error: unknown, ...rest: unknown[]];
    const rebuild = (origin: string) => {
      const { _oauth2 } = new PipedriveStrategy({ ...options, tokenURL: `${origin}/oauth/token` }, mustNotBeCalled);
      return Reflect.construct(_oauth2.constructor, [
        clientID,
        clientSecret,
        '',
        `${origin}/oauth/authorize`,
        `${origin}/oauth/token`,
      ]);
    };

    it('works when rebuilt from its six arguments, with the callbacks of oauth', async () => {
      const sent: string[] = [];
      const { origin } = await startServer((socket, request) => {
        sent.push(request.text);
        answerWell(socket, request);
      });
      const oauth2 = rebuild(origin);
      const refreshed = await new Promise<Results>((resolve) => {
        oauth2.getOAuthAccessToken(
          refreshToken,
          { grant_type: 'refresh_token', client_secret: 'x' },
          (...all: Results) => resolve(all),
        );
      });
      expect(sent[0]?.split('\r\n\r\n')[1]).to.equal(`grant_type=refresh_token&refresh_token=${refreshToken}`);
      expect(refreshed.slice(0, 3)).to.deep.equal([null, accessToken, refreshToken]);
      expect(refreshed[3]).to.include({ api_domain: origin });
      const exchanged = await new Promise<Results>((resolve) => {
        oauth2.getOAuthAccessToken('a-code', (...all: Results) => resolve(all));
      });
      expect(exchanged[1]).to.equal(accessToken);
      const [error, body] = await new Promise<Results>((resolve) => {
        oauth2.get(`${origin}/api/v1/users/me`, accessToken, (...all: Results) => resolve(all));
      });
      expect([error, JSON.parse(String(body))]).to.deep.equal([null, currentUser(users.ada)]);
    });

    it('puts the token of a request of any method in the header, where oauth puts it in the URL', async () => {
      const sent: string[] = [];
      const { origin } = await startServer((socket, request) => {
        sent.push(request.text);
        answerWell(socket, request);
      });
      const oauth2 = rebuild(origin);
      await new Promise((resolve) =>
        Reflect.apply(oauth2._request, oauth2, ['DELETE', `${origin}/x`, null, null, accessToken, resolve]),
      );
      expect(sent[0]).to.match(new RegExp(`^DELETE /x HTTP.*\\r\\nAuthorization: Bearer ${accessToken}\\r\\n`, 'is'));
    });

    it('gives status and body of a refusal as oauth does, but in no log', async () => {
      const { origin } = await startServer((socket) => socket.write(answerOf(tokenErrors.refreshTokenInvalid, 400)));
      const [error] = await new Promise<Results>((resolve) => {
        rebuild(origin).getOAuthAccessToken(refreshToken, { grant_type: 'refresh_token' }, (...all: Results) =>
          resolve(all),
        );
      });
      expect(error).to.include({ statusCode: 400, data: JSON.stringify(tokenErrors.refreshTokenInvalid) });
      expect(inspect(error) + JSON.stringify(error)).not.to.include('Invalid grant');
    });

    for (const [what, answer] of Object.entries({ 'a broken connection': half, 'a body of null': answerOf('null') })) {
      it(`calls back with an error for ${what}`, async () => {
        const { origin } = await startServer((socket) => void socket.end(answer));
        const [error] = await new Promise<Results>((resolve) =>
          rebuild(origin).getOAuthAccessToken('a-code', {}, (...all: Results) => resolve(all)),
        );
        expect(error).to.be.instanceOf(Error);
      });
    }
  });

  describe('oauth as it is', () => {
    /** Exchanges a code with `oauth` alone, in a process of its own, which ends when nothing is left to wait for. */
    async function exchangeElsewhere(origin: string) {
      const program = `
        const { OAuth2 } = require('oauth');
        const client = new OAuth2('id', 'secret', '', '/authorize', '${origin}/oauth/token');
        client.getOAuthAccessToken('code', {}, () => console.log('called back'));
        process.on('exit', () => console.log('the end'));`;
      const child = spawn(process.execPath, ['-e', program]);
      const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
      return { output, errors, code };
    }

    it('never calls back when the connection breaks in the middle of a body', async () => {
      const { origin } = await startServer((socket) => socket.end(half));
      expect(await exchangeElsewhere(origin)).to.include({ output: 'the end\n', code: 0 });
    }).timeout(10_000);

    it('ends the process for a token body of null', async () => {
      const { origin } = await startServer((socket) => socket.end(answerOf('null')));
      const { code, errors } = await exchangeElsewhere(origin);
      expect(code).to.equal(1);
      expect(errors).to.include("TypeError: Cannot read properties of null (reading 'access_token')");
    }).timeout(10_000);
  });
});
