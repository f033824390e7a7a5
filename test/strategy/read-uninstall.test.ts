// The uninstall notice without a framework: headers and bodies as every platform has them, of this realm and of others.
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import { buildSync } from 'esbuild';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { uninstallNotice } from 'pipedrive-sandbox';
import { Headers as UndiciHeaders } from 'undici';
import { clientID, clientSecret, mustNotBeCalled, options } from '../support/app';

const strategy = new PipedriveStrategy(options, mustNotBeCalled);
const uninstall = { clientId: clientID, userId: 777, companyId: 1001, timestamp: '2026-01-02T03:04:05.000Z' };
const notice = uninstallNotice(uninstall);
const text = JSON.stringify(notice);
const basic = (credentials: string) => `Basic ${Buffer.from(credentials).toString('base64')}`;
const authorization = basic(`${clientID}:${clientSecret}`);
const headers = { authorization };

/** Evaluates an expression in another realm, where `text`, `authorization` and `notice` are known. */
const elsewhere = (expression: string): unknown =>
  runInNewContext(expression, { text, authorization, codes: [...Buffer.from(text)] });

/** The error that `readUninstall` throws for a request that differs in this from a good one. */
function refusalOf(given: object): unknown {
  try {
    strategy.readUninstall({ headers, body: notice, ...given });
  } catch (error) {
    return error;
  }
  throw new Error('The request was accepted');
}

describe('readUninstall', () => {
  const goodHeaders: Record<string, object> = {
    'Node.js': headers,
    'Node.js, in arrays (headersDistinct)': Object.assign(Object.create(null), { authorization: [authorization] }),
    'an object without prototype': Object.assign(Object.create(null), headers),
    fetch: new Headers(headers),
    undici: new UndiciHeaders(headers),
    'a Map': new Map([['authorization', authorization]]),
    'a Map with capitals': new Map([['Authorization', authorization]]),
    'a Map of arrays': new Map([['Authorization', [authorization]]]),
    'a list of pairs': [['Authorization', authorization]],
    'a Lambda event (version 1)': { Authorization: authorization, 'Content-Type': 'application/json' },
    'a Lambda event (version 2)': { authorization, 'content-length': String(text.length) },
    'multiValueHeaders of a Lambda event': { Authorization: [authorization], Accept: ['*/*', 'text/html'] },
    'an object in capitals': { AUTHORIZATION: authorization },
    'an object with both spellings': { authorization, Authorization: authorization },
    'an object of another realm': Object(elsewhere('({ Authorization: [authorization] })')),
    'a Map of another realm': Object(elsewhere("new Map([['Authorization', authorization]])")),
  };
  for (const [what, given] of Object.entries(goodHeaders)) {
    it(`reads the headers of ${what}`, () => {
      expect(strategy.readUninstall({ headers: given, body: text })).to.deep.equal(uninstall);
    });
  }

  const bytes = new TextEncoder().encode(text);
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  const even = Uint8Array.from(Buffer.from(text.padEnd(text.length + (text.length % 2))));
  const goodBodies: Record<string, unknown> = {
    'an object': notice,
    'an object without prototype': Object.assign(Object.create(null), notice),
    text,
    'a Buffer': Buffer.from(text),
    'a Uint8Array': bytes,
    'a part of a longer buffer': Buffer.from(`xx${text}xx`).subarray(2, -2),
    'an ArrayBuffer': bytes.buffer,
    'a SharedArrayBuffer': shared.buffer,
    'a DataView': new DataView(bytes.buffer),
    'a Uint16Array': new Uint16Array(even.buffer),
    'an object of another realm': elsewhere('JSON.parse(text)'),
    'a Uint8Array of another realm': elsewhere('Uint8Array.from(codes)'),
    'an ArrayBuffer of another realm': elsewhere('Uint8Array.from(codes).buffer'),
    'a DataView of another realm': elsewhere('new DataView(Uint8Array.from(codes).buffer)'),
  };
  for (const [what, body] of Object.entries(goodBodies)) {
    it(`reads a body that is ${what}`, () => {
      expect(strategy.readUninstall({ headers, body })).to.deep.equal(uninstall);
    });
  }

  it('works where the globals are of another realm, and fetch is missing, as in a jsdom test environment', () => {
    const bundle = buildSync({
      stdin: { contents: "export * from 'passport-pipedrive-oauth2'", resolveDir: __dirname },
      bundle: true,
      write: false,
      platform: 'node',
      packages: 'bundle',
      external: ['passport-oauth2', 'oauth', 'cookie', 'cookie-signature'],
    });
    const module: { exports: Partial<typeof import('passport-pipedrive-oauth2')> } = { exports: {} };
    const globals = { module, require, process, Buffer, URL, setTimeout, clearTimeout };
    runInNewContext(String(bundle.outputFiles[0]?.text), globals);
    const InnerStrategy = module.exports.PipedriveStrategy ?? expect.fail('The bundle exports no strategy');
    const inner = new InnerStrategy(options, mustNotBeCalled);
    for (const given of Object.values(goodHeaders)) {
      for (const body of Object.values(goodBodies)) {
        expect({ ...inner.readUninstall({ headers: given, body }) }).to.deep.equal(uninstall);
      }
    }
  });

  for (const timestamp of [undefined, null, '', 0, 1_700_000_000, true, [], { seconds: 5 }, '2026-01-02 03:04:05']) {
    it(`takes any timestamp, such as ${JSON.stringify(timestamp)}, and hands it on`, () => {
      const body = JSON.stringify({ ...notice, timestamp });
      expect(strategy.readUninstall({ headers, body }).timestamp).to.deep.equal(timestamp);
    });
  }

  it('reads ids that are text of digits as numbers', () => {
    const body = { ...notice, user_id: '777', company_id: '1001' };
    expect(strategy.readUninstall({ headers, body })).to.deep.equal(uninstall);
  });

  for (const id of [
    '',
    '0',
    '-1',
    '1.5',
    '1e3',
    '0x10',
    ' 7',
    '007',
    '९',
    '9007199254740992',
    [777],
    { id: 7 },
    null,
  ]) {
    for (const key of ['user_id', 'company_id']) {
      it(`refuses ${key}: ${JSON.stringify(id)} with status 400`, () => {
        expect(refusalOf({ body: { ...notice, [key]: id } })).to.include({ status: 400 });
      });
    }
  }

  const strangers: Record<string, unknown> = {
    'headers that are null': null,
    'headers that are text': `Authorization: ${authorization}`,
    'no headers': {},
    'no headers of fetch': new Headers(),
    'no pairs': [],
    'pairs that are none': [null, 'authorization', ['authorization']],
    'an empty array': { authorization: [] },
    'a number': { authorization: 7 },
    'an object in place of text': { authorization: { toString: () => authorization } },
    'a wrong secret': { Authorization: basic(`${clientID}:guess`) },
    'a wrong secret, then the right one': { authorization: [basic(`${clientID}:guess`), authorization] },
    'the right secret, then a wrong one': new Headers([
      ['authorization', authorization],
      ['authorization', basic(`${clientID}:guess`)],
    ]),
    'a wrong secret under another spelling': { authorization, Authorization: basic(`${clientID}:guess`) },
  };
  for (const [what, given] of Object.entries(strangers)) {
    it(`refuses ${what} with status 401 and a challenge`, () => {
      expect(refusalOf({ headers: given }))
        .to.deep.include({ status: 401, statusCode: 401, expose: true })
        .and.include({ message: "The uninstall request lacks the app's credentials" })
        .and.have.nested.property('headers.WWW-Authenticate')
        .that.matches(/^Basic realm="/);
    });
  }

  const cyclic: Record<string, unknown> = { ...notice };
  cyclic.self = cyclic;
  const malformed: Record<string, unknown> = {
    nothing: undefined,
    'an empty buffer': new ArrayBuffer(0),
    'a Map': new Map(Object.entries(notice)),
    'an object with a cycle': cyclic,
    'an object with a BigInt': { ...notice, user_id: 777n },
    'a function': () => notice,
  };
  for (const [what, body] of Object.entries(malformed)) {
    it(`refuses a body that is ${what} with status 400`, () => {
      expect(refusalOf({ body })).to.deep.include({ status: 400, statusCode: 400, expose: true, headers: {} });
      expect(refusalOf({ body })).to.have.property('message', 'The body of the uninstall request is malformed');
    });
  }

  const tooLong = 'x'.repeat(16 * 1024 + 1);
  const long: Record<string, object> = {
    text: { body: tooLong },
    bytes: { body: Buffer.from(tooLong).buffer },
    'an object': { body: { ...notice, padding: tooLong } },
    'a body that says so': { headers: { ...headers, 'Content-Length': '16385' } },
  };
  for (const [what, given] of Object.entries(long)) {
    it(`refuses ${what} over 16 KiB with status 400`, () => {
      expect(refusalOf(given)).to.include({
        status: 400,
        message: 'The body of the uninstall request is longer than 16384 bytes',
      });
    });
  }

  it('refuses the notice for another app with status 403', () => {
    expect(refusalOf({ body: { ...notice, client_id: 'other' } })).to.include({
      status: 403,
      statusCode: 403,
      expose: true,
      message: 'The uninstall request is for another app',
    });
  });

  it('compares with the credentials that the strategy has at the time of the request', () => {
    const own = new PipedriveStrategy(options, mustNotBeCalled);
    const read = (credentials: string) =>
      own.readUninstall({ headers: { authorization: basic(credentials) }, body: notice });
    Object.assign(own._oauth2, { _clientSecret: 'the-next-secret' });
    expect(read(`${clientID}:the-next-secret`)).to.deep.equal(uninstall);
    expect(() => read(`${clientID}:${clientSecret}`))
      .to.throw()
      .with.property('status', 401);
    Object.assign(own._oauth2, { _clientSecret: undefined });
    expect(() => read(`${clientID}:undefined`)).to.throw(TypeError, 'clientID and clientSecret must be strings');
  });
});
