// What an upstream can do wrong at each of the client's four requests, on real connections: each ends in time, in the
// contract's outcome, with its connection freed, and leaves the next sign-in alone.
import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import tls from 'node:tls';
import { expect } from 'chai';
import { InternalOAuthError } from 'passport-pipedrive-oauth2';
import { type App, anybody, appsForEach } from '../support/app';
import { expectNoSecrets } from '../support/errors';
import { deadline, type Fault, faults, type RequestName, requestNames } from '../support/faults';
import { type Answerer, answerOf, answerWell, bodyFor, type RawServer, rawServersForEach } from '../support/servers';

const code = 'the-code-of-the-user';
const token = 'the-token-of-the-user';

/** Which of the client's requests this is. */
function nameOf(request: string): RequestName {
  if (request.startsWith('GET /api/v1/users/me')) return 'profile';
  if (request.startsWith('POST /oauth/revoke')) return 'revoke';
  return request.includes('grant_type=refresh_token') ? 'refresh' : 'token';
}

/** What errors call the endpoints. */
const endpoints: Record<RequestName, string> = {
  token: "Pipedrive's token endpoint",
  profile: "Pipedrive's /users/me",
  refresh: "Pipedrive's token endpoint",
  revoke: "Pipedrive's revocation endpoint",
};

/** What the app sees of a request: the error in which it ended, if any. */
async function errorOf(app: App, name: RequestName): Promise<unknown> {
  if (name === 'refresh' || name === 'revoke')
    return app.strategy[name](token).then(
      () => undefined,
      (error) => error,
    );
  const answer = await app.visitor().signIn(code);
  const error = app.errors.pop();
  expect(answer.outcome).to.equal(error ? 'error' : 'success');
  if (error) expect(error).to.deep.include({ status: answer.status, state: { page: 7 } });
  expect(Object.keys(error ?? {})).not.to.include('state');
  return error;
}

/** An error of ours: for Express, Nest, Koa and http-errors, with a cause, and without a secret. */
function expectOurs(
  error: unknown,
  name: RequestName,
  { status, message, cause = '' }: Omit<Fault, 'what' | 'answer' | 'at'>,
): void {
  expect(error)
    .to.be.instanceOf(InternalOAuthError)
    .and.include({ status, statusCode: status, expose: false })
    .and.have.property('cause')
    .that.is.instanceOf(Error);
  const { cause: why } = error as InternalOAuthError & { cause: NodeJS.ErrnoException };
  expect(`${why.message} ${why.code}`).to.include(cause);
  expect(error)
    .to.have.property('message')
    .that.matches(new RegExp(`^${endpoints[name]} ${message}`));
  expectNoSecrets(error, code, token);
}

describe('faults of Pipedrive', () => {
  const startApp = appsForEach();
  const startServer = rawServersForEach();

  const appOn = ({ origin }: RawServer, agent: http.Agent, timeout: number) =>
    startApp({
      options: { tokenURL: `${origin}/oauth/token`, revocationURL: `${origin}/oauth/revoke`, agent, timeout },
      verify: anybody,
      authorize: { state: { page: 7 } },
    });
  /** Short for those who let it pass; the others must never wait for it. */
  const timeoutFor = (status: Fault['status']) => (status === 504 ? deadline : 10_000);

  /** Signs in on what the agent has left, and expects that it has nothing left that is in use. */
  async function expectRecovered(app: App, server: RawServer, agent: http.Agent): Promise<void> {
    expect((await app.visitor().signIn(code)).outcome).to.equal('success');
    for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
    await server.drained();
    expect({ ...agent.requests }).to.deep.equal({});
  }

  /** The port of a server that talks first, and not in TLS; and one where nobody listens. */
  const ports = { talking: 0, closed: 0 };
  const talking = createServer((socket) => socket.on('error', () => {}).end('220 Welcome\r\n'));
  before(async () => {
    for (const [name, server] of Object.entries({ talking, closed: createServer() })) {
      await once(server.listen(0, '127.0.0.1'), 'listening');
      Object.assign(ports, { [name]: (server.address() as AddressInfo).port });
      if (name === 'closed') await once(server.close(), 'close');
    }
  });
  after(() => void talking.close());

  const nowhere = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' });
  const connections: [what: string, status: 502 | 504, cause: string, connection: () => Socket][] = [
    ['is not listening', 502, 'ECONNREFUSED', () => connect(ports.closed, '127.0.0.1')],
    [
      'has no address',
      502,
      'ENOTFOUND',
      () => connect({ host: 'x.example', port: 1, lookup: (_host, _options, done) => done(nowhere, '') }),
    ],
    ['speaks no TLS', 502, 'EPROTO', () => tls.connect(ports.talking, '127.0.0.1')],
    ['cannot be reached', 504, `within ${deadline} ms`, () => connect({ host: 'x.example', port: 1, lookup() {} })],
  ];

  for (const name of requestNames) {
    describe(`at the ${name} request`, () => {
      for (const { what, answer, at, ...expected } of faults.filter((fault) => fault.at.includes(name))) {
        const { status } = expected;
        const outcome = status ? `is a ${status}` : 'is well';
        it(`${outcome} when the server ${what}`, async () => {
          let isFaulty = true;
          let asked = 0;
          const agent = new http.Agent({ keepAlive: true });
          const answerOnce: Answerer = (socket, request) => {
            if (!isFaulty || nameOf(request.text) !== name) return answerWell(socket, request);
            asked += 1;
            answer(socket, request);
          };
          const server = await startServer(answerOnce);
          const app = await appOn(server, agent, timeoutFor(status));
          const error = await errorOf(app, name);
          if (status) expectOurs(error, name, expected);
          else expect(error).to.equal(undefined);
          expect(server.requests.join()).not.to.include('/elsewhere');
          // Only on a connection that was idle may a request be sent again.
          expect(asked).to.be.within(1, name === 'profile' ? 2 : 1);
          isFaulty = false;
          // One that waits long enough for a busy machine.
          await expectRecovered(status === 504 ? await appOn(server, agent, 10_000) : app, server, agent);
        });
      }

      for (const [what, status, cause, connection] of connections) {
        it(`is a ${status} when the server ${what}`, async () => {
          let count = 0;
          const agent = new http.Agent();
          const { createConnection } = agent;
          agent.createConnection = (...options) => {
            count += 1;
            return count === (name === 'profile' ? 2 : 1)
              ? connection()
              : Reflect.apply(createConnection, agent, options);
          };
          const server = await startServer(answerWell);
          const app = await appOn(server, agent, timeoutFor(status));
          const message = status === 504 ? 'did not answer in time' : 'could not be reached';
          expectOurs(await errorOf(app, name), name, { status, message, cause });
          // One that waits long enough for a busy machine.
          await expectRecovered(status === 504 ? await appOn(server, agent, 10_000) : app, server, agent);
        });
      }
    });
  }

  it('leave no handle, timer, listener or connection behind after 1,000 sign-ins', async () => {
    const plays = (['token', 'profile'] as const).flatMap((name) =>
      faults.filter(({ at }) => at.includes(name)).map((fault) => ({ ...fault, name })),
    );
    const agent = new http.Agent({ keepAlive: true });
    // The code says which fault is played, and the access token repeats it.
    const server = await startServer((socket, request) => {
      const [code = '', index = ''] = /\bplay-(\d+)/.exec(request.text) ?? [];
      const play = plays[Number(index)];
      if (play && nameOf(request.text) === play.name) play.answer(socket, request);
      else socket.write(answerOf({ ...bodyFor(request.text), access_token: code }));
    });
    const [hasty, patient] = [await appOn(server, agent, deadline), await appOn(server, agent, 10_000)];
    const signIn = async (play: number) => {
      const visitor = (plays[play]?.status === 504 ? hasty : patient).visitor();
      const headers = { connection: 'close' };
      const { location } = await visitor.send('/auth', { headers });
      const state = location?.searchParams.get('state') ?? '';
      return visitor.callback({ code: `play-${play}`, state }, { headers });
    };
    const signInAll = async (count: number) => {
      const left = Array.from({ length: count }, (_, i) => i % plays.length);
      const signInNext = async () => {
        for (let play = left.pop(); play !== undefined; play = left.pop()) {
          expect((await signIn(play)).status).to.equal(plays[play]?.status ?? 200);
        }
      };
      await Promise.all(Array.from({ length: 20 }, signInNext));
      for (const socket of Object.values(agent.freeSockets).flat()) socket?.destroy();
      await server.drained();
    };
    const listeners = () => [agent, process].map((each) => each.eventNames().map((name) => each.listenerCount(name)));

    await signInAll(plays.length);
    const before = { listeners: listeners(), resources: process.getActiveResourcesInfo() };
    await signInAll(1_000);
    expect(listeners()).to.deep.equal(before.listeners);
    // Connections that the other side closed end here when the event loop comes to it.
    const isMore = () => process.getActiveResourcesInfo().length > before.resources.length;
    const held = () => ({ ...agent.sockets, ...agent.freeSockets, ...agent.requests });
    for (let turn = 0; turn < 1_000 && (isMore() || Object.keys(held()).length > 0); turn += 1) await setImmediate();
    expect(isMore(), `${process.getActiveResourcesInfo()} after ${before.resources}`).to.equal(false);
    expect(held()).to.deep.equal({});
  }).timeout(120_000);
});
