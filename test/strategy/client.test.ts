// The client to Pipedrive on real connections: which it reuses, what it sends, what its agent does; `oauth` beside it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { InternalOAuthError, PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { currentUser, tokenErrors, users } from 'pipedrive-sandbox';
import {
  type App,
  anybody,
  appsForEach,
  clientID,
  clientSecret,
  expectError,
  mustNotBeCalled,
  options,
} from '../support/app';
import { basic, expectNoSecrets } from '../support/errors';
import { accessToken, refreshToken, tokens } from '../support/pipedrive';
import { type Answerer, answerOf, answerWell, rawServersForEach } from '../support/servers';
import { sendBytes } from '../support/wire';

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

  async function startApp(answer: Answerer, more: { agent?: http.Agent; timeout?: number } = {}) {
    const server = await startServer(answer);
    const { agent = new http.Agent({ keepAlive: true }), timeout } = more;
    const app = await start({ options: { tokenURL: `${server.origin}/oauth/token`, agent, timeout }, verify: anybody });
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
    for (const request of [exchange, profile]) {
      expect(request).to.match(/\r\nAccept: application\/json\r\n/i);
      expect(request).to.match(/\r\nUser-Agent: passport-pipedrive-oauth2\r\n/i);
    }
    const [, form = ''] = exchange.split('\r\n\r\n');
    expect(exchange).to.match(/\r\nContent-Type: application\/x-www-form-urlencoded\r\n/i);
    expect(exchange).to.match(new RegExp(`\\r\\nContent-Length: ${form.length}\\r\\n`, 'i'));
    expect(exchange).to.match(new RegExp(`\\r\\nAuthorization: Basic ${basic}\\r\\n`, 'i'));
    expect(exchange).not.to.include(clientSecret).and.not.include('client_id');
    expect(profile).to.match(
      new RegExp(`^GET /api/v1/users/me HTTP.*\\r\\nAuthorization: Bearer ${accessToken}\\r\\n`, 'is'),
    );
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

  it('fails requests whose time runs out together in different turns of the event loop', async () => {
    const server = await startServer(() => {});
    const tokenURL = `${server.origin}/oauth/token`;
    const strategy = new PipedriveStrategy({ ...options, tokenURL, timeout: 100 }, mustNotBeCalled);
    let turn = 0;
    const countTurns = () => {
      turn += 1;
      immediate = setImmediate(countTurns);
    };
    let immediate = setImmediate(countTurns);
    const tokens = Array.from({ length: 50 }, (_, i) => `refresh-token-${i}`);
    const turns = await Promise.all(tokens.map((token) => strategy.refresh(token).catch(() => turn)));
    clearImmediate(immediate);
    expect(new Set(turns)).to.have.property('size', tokens.length);
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

    it('is replaced by a new one where all idle ones of the agent are as old', async () => {
      let isDead = false;
      const dead: Answerer = (socket, request) => {
        if (isDead && request.count > 1) socket.resetAndDestroy();
        else answerWell(socket, request);
      };
      const { app, server, agent } = await startApp(dead);
      await Promise.all([app.visitor().signIn(), app.visitor().signIn()]);
      const idle = Object.values(agent.freeSockets).flat().length;
      expect(idle).to.be.above(1);
      isDead = true;
      const exchanged = server.requests.length;
      expect((await app.visitor().signIn()).outcome).to.equal('success');
      expect(server.requests.slice(exchanged).filter((line) => line.startsWith('POST'))).to.have.length(idle + 1);
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

    const answering: Record<string, Answerer> = {
      'an answer had begun': (socket) => socket.write(half, () => socket.resetAndDestroy()),
      'the answer is no HTTP': (socket) => socket.end('no HTTP\r\n\r\n'),
    };
    for (const [what, answer] of Object.entries(answering)) {
      it(`is an error with status 502 where ${what}`, async () => {
        const { app, server } = await startApp((socket, request) =>
          (request.count < 3 ? answerWell : answer)(socket, request),
        );
        expect((await app.visitor().signIn()).outcome).to.equal('success');
        expectOurs(app, await app.visitor().signIn(), 502);
        expect(server.requests.filter((line) => line.startsWith('POST'))).to.have.length(2);
      });
    }

    it('is an error with status 502 when the agent says of a new one that it is old', async () => {
      class OldAgent extends http.Agent {
        addRequest(request: http.ClientRequest, given: object) {
          request.reusedSocket = true;
          Reflect.apply(Reflect.get(http.Agent.prototype, 'addRequest'), this, [request, given]);
        }
      }
      const { app, server } = await startApp((socket) => socket.resetAndDestroy(), { agent: new OldAgent() });
      expectOurs(app, await app.visitor().signIn(), 502);
      expect(server.requests).to.have.length(1);
    });

    it('is not one that a proxy has answered on: the request is not sent again', async () => {
      const agent = Object.assign(new http.Agent({ keepAlive: true }), {
        createConnection(given: NetConnectOpts, done: (error: Error | null, socket: Socket) => void): void {
          const socket = connect(given);
          socket.write('CONNECT oauth.pipedrive.com:443 HTTP/1.1\r\n\r\n');
          socket.once('data', () => done(null, socket));
        },
      });
      const { app, server } = await startApp(
        (socket, { count }) => (count === 1 ? socket.write('HTTP/1.1 200 X\r\n\r\n') : socket.resetAndDestroy()),
        { agent },
      );
      expectOurs(app, await app.visitor().signIn(), 502);
      expect(server.requests.filter((line) => line.startsWith('POST'))).to.have.length(1);
    });

    it('ends no idle connection to another host', async () => {
      const { app, agent } = await startApp(resetIdle);
      const server = await startServer(answerWell);
      const tokenURL = `${server.origin.replace('127.0.0.1', 'localhost')}/oauth/token`;
      const other = await start({ options: { tokenURL, agent }, verify: anybody });
      for (const each of [app, other, app, other]) {
        expect((await each.visitor().signIn()).outcome).to.equal('success');
      }
      expect(server.connections).to.equal(1);
    });

    it('is not asked again when the time runs out on it', async () => {
      const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
      const { app, server } = await startApp(
        (socket, request) => {
          if (request.connection > 1 || request.count < 3) answerWell(socket, request);
        },
        { agent, timeout: 200 },
      );
      expect((await app.visitor().signIn()).outcome).to.equal('success');
      const error = expectOurs(app, await app.visitor().signIn(), 504);
      expect(error.message).to.equal("Pipedrive's token endpoint did not answer in time");
      expect(error.cause).to.have.property('message', 'No answer within 200 ms');
      expect((await app.visitor().signIn()).outcome).to.equal('success');
      expect(server.requests.filter((line) => line.startsWith('POST'))).to.have.length(3);
    });
  });

  it('asks an IPv6 address without its brackets', async () => {
    let host: unknown;
    const addRequest = (_request: unknown, options: { host: string }) => {
      host = options.host;
      throw new Error('no way');
    };
    const agent = Object.assign(new http.Agent(), { addRequest });
    const app = await start({ options: { agent, tokenURL: 'http://[::1]:8080/oauth/token' } });
    expectOurs(app, await app.visitor().signIn(), 502);
    expect(host).to.equal('::1');
  });

  it("takes Node's own agent where strategy._oauth2.setAgent is given none", async () => {
    const server = await startServer(answerWell);
    const app = await start({ options: { tokenURL: `${server.origin}/oauth/token` }, verify: anybody });
    for (const none of [true, false]) {
      app.strategy._oauth2.setAgent(none);
      expect((await app.visitor().signIn()).outcome).to.equal('success');
    }
    expect(server.connections).to.equal(1);
  });

  describe('strategy._oauth2', () => {
    type Results = [error: unknown, ...rest: unknown[]];
    const rebuild = (origin: string, customHeaders?: http.OutgoingHttpHeaders) => {
      const { _oauth2 } = new PipedriveStrategy({ ...options, tokenURL: `${origin}/oauth/token` }, mustNotBeCalled);
      return Reflect.construct(_oauth2.constructor, [
        clientID,
        clientSecret,
        '',
        `${origin}/oauth/authorize`,
        `${origin}/oauth/token`,
        customHeaders,
      ]);
    };

    /** What a method passes to its callback. */
    const resultsOf = (
      client: ReturnType<typeof rebuild>,
      method: 'get' | 'getOAuthAccessToken',
      ...given: unknown[]
    ) => new Promise<Results>((resolve) => client[method](...given, (...all: Results) => resolve(all)));

    it('works when rebuilt from its six arguments, with the callbacks of oauth', async () => {
      const sent: string[] = [];
      const { origin } = await startServer((socket, request) => {
        sent.push(request.text);
        answerWell(socket, request);
      });
      const oauth2 = rebuild(origin);
      const params = { grant_type: 'refresh_token', client_id: 'x', client_secret: 'x' };
      const refreshed = await resultsOf(oauth2, 'getOAuthAccessToken', refreshToken, params);
      expect(sent[0]?.split('\r\n\r\n')[1]).to.equal(`grant_type=refresh_token&refresh_token=${refreshToken}`);
      expect(refreshed.slice(0, 3)).to.deep.equal([null, accessToken, refreshToken]);
      expect(refreshed[3]).to.include({ api_domain: origin });
      const exchanged = await resultsOf(oauth2, 'getOAuthAccessToken', 'a-code');
      expect(exchanged[1]).to.equal(accessToken);
      expect(sent[1]?.split('\r\n\r\n')[1]).to.equal('code=a-code');
      const [error, body] = await resultsOf(oauth2, 'get', `${origin}/api/v1/users/me`, accessToken);
      expect([error, JSON.parse(String(body))]).to.deep.equal([null, currentUser(users.ada)]);
      expect(sent[2])
        .to.match(/^GET \/api\/v1\/users\/me HTTP/)
        .and.include(`\r\nAuthorization: Bearer ${accessToken}\r\n`);
    });

    it('gives an empty text for a body that is not UTF-8', async () => {
      const { origin } = await startServer((socket) => sendBytes(socket, Buffer.from([0xff])));
      const results = await resultsOf(rebuild(origin), 'get', `${origin}/x`, accessToken);
      expect(results.slice(0, 2)).to.deep.equal([null, '']);
    });

    it('puts the token of a request of any method in the header, where oauth puts it in the URL', async () => {
      const sent: string[] = [];
      const { origin } = await startServer((socket, request) => {
        sent.push(request.text);
        answerWell(socket, request);
      });
      const oauth2 = rebuild(origin, { authorization: 'Basic nonsense', AUTHORIZATION: 'Bearer nonsense' });
      const request = (...given: unknown[]) =>
        new Promise((resolve) => Reflect.apply(oauth2._request, oauth2, [...given, resolve]));
      await request('DELETE', `${origin}/x`, null, null, accessToken);
      expect(sent[0]).to.match(/\r\n\r\n$/);
      expect(sent[0]).to.match(new RegExp(`^DELETE /x HTTP.*\\r\\nAuthorization: Bearer ${accessToken}\\r\\n`, 'is'));
      await request('PUT', `${origin}/y?z=1`, { 'X-A': 'b' }, 'body', null);
      expect(sent[1]).to.match(/^PUT \/y\?z=1 HTTP.*\r\nX-A: b\r\n.*\r\n\r\nbody$/is);
      expect(sent[1]).not.to.match(/authorization/i);
    });

    it('gives status and body of a refusal as oauth does, but in no log', async () => {
      const { origin } = await startServer((socket) => socket.write(answerOf(tokenErrors.refreshTokenInvalid, 400)));
      const params = { grant_type: 'refresh_token' };
      const [error] = await resultsOf(rebuild(origin), 'getOAuthAccessToken', refreshToken, params);
      expect(error).to.include({ statusCode: 400, data: JSON.stringify(tokenErrors.refreshTokenInvalid) });
      expect(error).to.have.property('message', 'Pipedrive answered 400');
      expect(inspect(error) + JSON.stringify(error)).not.to.include('Invalid grant');
    });

    for (const [what, answer, message] of [
      ['a broken connection', half, 'aborted'],
      ['a body of null', answerOf('null'), 'The token response is not a JSON object'],
    ] as const) {
      it(`calls back with an error for ${what}`, async () => {
        const { origin } = await startServer((socket) => void socket.end(answer));
        const [error] = await resultsOf(rebuild(origin), 'getOAuthAccessToken', 'a-code', {});
        expect(error).to.be.instanceOf(Error).with.property('message', message);
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

    it('crashes the process for a token body of null', async () => {
      const { origin } = await startServer((socket) => socket.end(answerOf('null')));
      const { code, errors } = await exchangeElsewhere(origin);
      expect(code).to.equal(1);
      expect(errors).to.include("TypeError: Cannot read properties of null (reading 'access_token')");
    }).timeout(10_000);
  });
});
