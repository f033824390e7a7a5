// What a developer sees: lines with NODE_DEBUG, and warnings of a set-up that is probably wrong. Each in a process of its
// own, since Node.js reads NODE_DEBUG once, and a warning comes once for a process.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { adaToken } from '../support/extensions';

const run = promisify(execFile);
const repository = join(__dirname, '..', '..');

/** What a program writes to the log. It has a strategy, and `request` to send one to it through Passport. */
async function logOf(
  program: string,
  env: NodeJS.ProcessEnv = { NODE_DEBUG: 'passport-pipedrive-oauth2' },
): Promise<string> {
  const text = `
    const { PipedriveStrategy, SessionStateStore } = require('passport-pipedrive-oauth2');
    const options = {
      clientID: 'client-id', clientSecret: 'the-secret-of-the-client', callbackURL: 'http://localhost:3000/callback',
    };
    const create = (more, verify = () => false) => new PipedriveStrategy({ ...options, ...more }, verify);
    /** Resolves with the action and what it was given. */
    const request = (strategy, url = '/', { method = 'GET', ...headers } = {}, more = {}) =>
      new Promise((resolve) => {
        const actions = ['redirect', 'success', 'fail', 'error'].map((name) => [name, (...given) => resolve([name, ...given])]);
        const res = { headers: {}, getHeader(name) { return this.headers[name] }, setHeader(name, value) { this.headers[name] = value } };
        const req = { method, url, headers: { host: 'localhost:3000', ...headers }, res, ...more };
        Object.assign(Object.create(strategy), Object.fromEntries(actions)).authenticate(req, {});
      });
    (async () => { ${program} })();`;
  const { stderr } = await run(process.execPath, ['--import', 'tsx', '--input-type=commonjs', '-e', text], {
    cwd: repository,
    env: { PATH: process.env.PATH, ...env },
  });
  return stderr;
}

describe('diagnostics', function () {
  this.timeout(20_000);

  it('prints a line for each decision, with its reason and no code', async () => {
    const log = await logOf(`
      await request(create());
      await request(create(), '/?code=a-code-of-a-user&state=unknown-state');
      await request(create(), '/?error=user_denied');
      await request(create(), '/?code=a-code-of-a-user', { method: 'POST' });
      await request(create(), '/?code=a&code=b');
      await request(create({ store: { store() { throw new TypeError('broken') }, verify() {} } }));
    `);
    expect(log).to.match(/: redirect$/m);
    expect(log).to.match(/: fail, status 403, state_invalid: no flow cookie came$/m);
    expect(log).to.match(/: fail, status 403, user_denied$/m);
    expect(log).to.match(/: fail, status 405, invalid_request: .+$/m);
    expect(log).to.match(/: fail, status 400, invalid_request: .+$/m);
    expect(log).to.match(/: error, TypeError, status undefined$/m);
    for (const secret of ['a-code-of-a-user', 'unknown-state', 'the-secret']) expect(log).not.to.include(secret);
  });

  it('prints what came of the requests to Pipedrive and of verify, with no code, token or secret', async () => {
    const log = await logOf(`
      const signIn = async (answer, verify) => {
        const strategy = create({ skipUserProfile: true, state: false }, verify);
        strategy._oauth2.getOAuthAccessToken = (code, params, done) => done(...answer);
        await request(strategy, '/?code=a-code-of-a-user');
      };
      const refused = (error, message) => [{ statusCode: 400, data: JSON.stringify({ error, message }) }];
      await signIn(refused('invalid_client', 'Invalid client: client is invalid'));
      await signIn(refused('invalid_client', 'No the-secret-of-the-client'));
      await signIn(refused('invalid_grant', 'Invalid grant: authorization_code has expired'));
      await signIn([Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })]);
      await signIn([null, 'the-token'], (_context) => { throw new Error('the-token is of no use') });
      await signIn([null, 'the-token'], (token, refresh, profile, done) => done(null, false, { message: 'Not invited' }));
    `);
    expect(log).to.match(/: error, TokenError, status 500: Invalid client: client is invalid$/m);
    expect(log).to.match(/: error, TokenError, status 500: invalid_client$/m);
    expect(log).to.match(/: fail, status 403, invalid_grant: Invalid grant: authorization_code has expired$/m);
    expect(log).to.match(/: error, InternalOAuthError, status 502: .+ could not be reached: connect ECONNREFUSED$/m);
    expect(log).to.match(/: error, Error, status undefined$/m);
    expect(log).to.match(/: fail, status 401, verify's own$/m);
    for (const secret of ['a-code-of-a-user', 'the-token', 'the-secret']) expect(log).not.to.include(secret);
  });

  it('changes nothing for a request without headers, as test suites make them up', async () => {
    const log = await logOf(`
      await request(create({ state: false }), '/', {}, { headers: undefined });
      await request(create({ state: false, callbackURL: '/callback', proxy: true }), '/', {}, { headers: undefined });
    `);
    expect(log).to.match(/: redirect$/m);
    expect(log).to.match(/: fail, status 400, invalid_request: .+ names no usable host$/m);
    expect(log).not.to.include('TypeError');
  });

  it('prints why a code without state is not taken', async () => {
    const log = await logOf(`
      await request(create(), '/?code=a-code-of-a-user');
      await request(create({ marketplaceInstall: 'reject' }), '/?code=a-code-of-a-user');
    `);
    expect(log).to.match(/: redirect: a code came without state$/m);
    expect(log).to.match(/: fail, status 403, state_missing: a code came without state$/m);
  });

  it("prints why an extension's token was refused, and neither the token nor the secret", async () => {
    const log = await logOf(`
      const { PipedriveExtensionStrategy } = require('passport-pipedrive-oauth2/extensions');
      const strategy = new PipedriveExtensionStrategy({ secret: 'the-secret-of-the-panel' }, () => false);
      await request(strategy, '/?token=${adaToken()}');
      await request(strategy, '/?token=a&token=b');
    `);
    expect(log).to.match(/: fail, status 401, token_invalid: its signature is of another secret: .+$/m);
    expect(log).to.match(/: fail, status 400, invalid_request: the token is not a text$/m);
    for (const secret of [adaToken().slice(0, 40), 'the-secret']) expect(log).not.to.include(secret);
  });

  for (const [requested, callback] of [
    ['127.0.0.1', 'localhost'],
    ['localhost', '127.0.0.1'],
    ['[::1]', 'localhost'],
    ['www.example.com', 'example.com'],
    ['example.com', 'www.example.com'],
  ]) {
    it(`warns once of a sign-in that starts on ${requested} with a callback on ${callback}`, async () => {
      const log = await logOf(`
        const strategy = create({ callbackURL: 'http://${callback}:3000/callback' });
        for (const _ of [1, 2]) await request(strategy, '/', { host: '${requested}:3000' });
      `);
      expect(log.match(/\[PIPEDRIVE_CALLBACK_HOST\]/g)).to.have.length(1);
      expect(log).to.include(requested).and.include(`Open the app on ${callback}`);
    });
  }

  for (const [requested, callback] of [
    ['localhost', 'localhost'],
    ['internal', 'app.example.com'],
    ['other.example.com', 'example.com'],
  ]) {
    it(`does not warn of a sign-in that starts on ${requested} with a callback on ${callback}`, async () => {
      const log = await logOf(`
        await request(create({ callbackURL: 'http://${callback}/callback' }), '/', { host: '${requested}' });
      `);
      expect(log).not.to.include('PIPEDRIVE_CALLBACK_HOST');
    });
  }

  it('warns once of a code without state, and names the Installation URL', async () => {
    const log = await logOf(`for (const _ of [1, 2]) await request(create(), '/?code=a-code-of-a-user');`);
    expect(log.match(/\[PIPEDRIVE_INSTALL_WITHOUT_STATE\]/g)).to.have.length(1);
    expect(log).to.include('Installation URL').and.not.include('a-code-of-a-user');
  });

  it('names the client, the host of the request and the callback URL of each sign-in that starts', async () => {
    const log = await logOf(`await request(create(), '/', { host: '127.0.0.1:3000' });`);
    const line =
      /: client client-id, request at http:\/\/127\.0\.0\.1:3000\/, callback URL http:\/\/localhost:3000\/callback$/m;
    expect(log).to.match(line);
  });

  it('says that a request comes to the strategy for the second time', async () => {
    const log = await logOf(`
      const req = { method: 'GET', url: '/', headers: { host: 'localhost:3000' } };
      const actions = { redirect() {}, success() {}, fail() {}, error() {} };
      const strategy = Object.assign(create(), actions);
      for (const _ of [1, 2]) strategy.authenticate(req);
    `);
    expect(log.match(/this request has been through a strategy before/g)).to.have.length(1);
  });

  for (const [verify, names] of [
    ['() => {}', 'accessToken, refreshToken, profile, done'],
    ['(profile, done) => {}', 'accessToken, refreshToken, profile, done'],
    ['(a, b, c, d, e) => {}', 'accessToken, refreshToken, params, profile, done'],
  ]) {
    it(`says what a verify function ${verify} is called with`, async () => {
      const log = await logOf(`
        const strategy = create({ skipUserProfile: true, state: false }, ${verify});
        strategy._oauth2.getOAuthAccessToken = (code, params, done) => done(null, 'token');
        request(strategy, '/?code=a-code-of-a-user');
      `);
      expect(log)
        .to.match(/verify, of length \d, is called with/)
        .and.include(`(${names})`);
    });
  }

  it('says that a verify function has returned no promise and not called done', async () => {
    const log = await logOf(`
      const strategy = create({ skipUserProfile: true, state: false }, () => ({ id: 1 }));
      strategy._oauth2.getOAuthAccessToken = (code, params, done) => done(null, 'token');
      request(strategy, '/?code=a-code-of-a-user');
    `);
    expect(log).to.match(/verify, of length 0, has returned no promise/);
  });

  it("has an outcome where the app's error or info cannot be read", async () => {
    const log = await logOf(`
      const unreadable = (object) => {
        const get = () => { throw new Error('unreadable') };
        return Object.defineProperties(object, { name: { get }, status: { get }, code: { get } });
      };
      const ends = { error: async () => { throw unreadable(new Error()) }, fail: (a, b, c, done) => done(null, false, unreadable({})) };
      for (const [name, verify] of Object.entries(ends)) {
        const strategy = create({ state: false, skipUserProfile: true }, verify);
        strategy._oauth2.getOAuthAccessToken = (code, params, done) => done(null, 'a-token', 'b-token', {});
        const [action] = await request(strategy, '/?code=a-code');
        console.error('outcome:', action);
      }
    `);
    for (const action of ['error', 'fail']) {
      expect(log).to.match(new RegExp(`^PASSPORT-PIPEDRIVE-OAUTH2 \\d+: ${action}$`, 'm'));
      expect(log).to.include(`outcome: ${action}`);
    }
  });

  it('says nothing without NODE_DEBUG', async () => {
    expect(await logOf('await request(create());', {})).to.equal('');
  });
});
