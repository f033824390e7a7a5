// Whatever comes in Pipedrive's name, as an answer or as an uninstall request: one of the contract's outcomes.
import { expect } from 'chai';
import fc from 'fast-check';
import { InternalOAuthError, TokenError } from 'passport-pipedrive-oauth2';
import { tokenErrors, uninstallNotice } from 'pipedrive-sandbox';
import { anybody, appsForEach, clientID, clientSecret } from '../support/app';
import { headerText, text } from '../support/arbitraries';
import { basic, expectNoSecrets } from '../support/errors';
import { expectHolds, longest } from '../support/fuzz';
import { bodyFor, rawServersForEach } from '../support/servers';

const code = 'the-code-of-the-user';

/** Words in which Pipedrive may repeat what it was sent. */
const words = fc.oneof(text, fc.constantFrom(`Bad ${clientSecret}`, basic, `${code}!`));
const errorBody = fc.record(
  {
    success: fc.constant(false),
    error: fc.oneof(fc.constantFrom('invalid_grant', 'invalid_client'), words),
    message: words,
    error_description: words,
    error_info: words,
  },
  { requiredKeys: [] },
);

/** What is done to the members of the body that Pipedrive would send. */
const changes = fc.dictionary(
  fc.constantFrom(
    'access_token',
    'refresh_token',
    'token_type',
    'scope',
    'expires_in',
    'api_domain',
    'data',
    '__proto__',
  ),
  fc.oneof(fc.jsonValue({ maxDepth: 1 }), words, fc.constant(undefined)),
  { maxKeys: 2 },
);
const body = fc.oneof(
  { weight: 4, arbitrary: changes },
  { weight: 2, arbitrary: errorBody.map((error) => JSON.stringify(error)) },
  {
    weight: 1,
    arbitrary: fc.oneof(
      words,
      fc.json({ maxDepth: 1 }),
      fc.constantFrom(...Object.values(tokenErrors)).map((error) => JSON.stringify(error)),
    ),
  },
);
const header = fc
  .tuple(
    fc.oneof(
      fc.constantFrom(
        'Content-Type',
        'Content-Encoding',
        'Location',
        'Retry-After',
        'Transfer-Encoding',
        'Set-Cookie',
        'Connection',
        'Upgrade',
      ),
      headerText,
    ),
    fc.oneof(fc.constantFrom('chunked', 'gzip', 'close', 'https://evil.example', clientSecret), headerText),
  )
  .map((pair) => `${pair.join(': ')}\r\n`);
const answer = fc.record({
  status: fc.oneof(
    { weight: 4, arbitrary: fc.constant(200) },
    fc.constantFrom(101, 204, 302, 400, 401, 429, 500),
    fc.nat(999),
  ),
  headers: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(header, { maxLength: 3 })),
  body,
  length: fc.option(fc.nat(600), { freq: 2 }),
  cut: fc.option(fc.nat(600), { nil: Number.POSITIVE_INFINITY, freq: 2 }),
});

type Answer = typeof answer extends fc.Arbitrary<infer Value> ? Value : never;

/** The answer as it is on the wire. */
function write(request: string, { status, headers, body, length, cut }: Answer): Buffer {
  const content = typeof body === 'string' ? body : JSON.stringify({ ...bodyFor(request), ...body });
  const lines = `${headers.join('')}Content-Length: ${length ?? Buffer.byteLength(content)}\r\n`;
  return Buffer.from(`HTTP/1.1 ${status} X\r\n${lines}\r\n${content}`).subarray(0, cut);
}

describe('fuzz: Pipedrive', function () {
  this.timeout(longest);
  const startApp = appsForEach();
  const startServer = rawServersForEach();

  it('ends every request in an outcome of the contract, whatever Pipedrive answers', async () => {
    let [toPost, toGet]: [Answer?, Answer?] = [];
    const server = await startServer((socket, { text }) => {
      const given = text.startsWith('POST') ? toPost : toGet;
      if (given) socket.end(write(text, given));
    });
    const urls = { tokenURL: `${server.origin}/oauth/token`, revocationURL: `${server.origin}/oauth/revoke` };
    const app = await startApp({ verify: anybody, options: urls });
    const expectOurs = (error: unknown) => {
      expectNoSecrets(error, code);
      expect(error).to.have.property('cause').that.is.instanceOf(Error);
      if (error instanceof TokenError) expect(error).to.have.property('status', 500);
      else expect(error).to.be.instanceOf(InternalOAuthError).and.have.property('status').that.is.oneOf([502, 503]);
    };
    await expectHolds(
      0.1,
      fc.asyncProperty(answer, answer, fc.nat(3), async (first, second, which) => {
        [toPost, toGet] = [first, second];
        const method = (['refresh', 'revoke'] as const)[which];
        if (method) return void (await app.strategy[method](code).catch(expectOurs));

        const { outcome, status, authInfo } = await app.visitor().signIn(code);
        const errors = app.errors.splice(0);
        expect(errors).to.have.length(outcome === 'error' ? 1 : 0);
        if (outcome === 'error') expectOurs(errors[0]);
        else if (outcome === 'failure') {
          expect({ status, ...(authInfo as object) }).to.include({ status: 403, code: 'invalid_grant' });
          expect(JSON.stringify(authInfo)).not.to.include(code).and.not.include(clientSecret);
        } else {
          expect(outcome).to.equal('success');
          for (const each of [first, second]) expect(each.status).to.be.within(200, 299);
        }
      }),
    );
  });

  const notice = uninstallNotice({ clientId: clientID, companyId: 1001, userId: 777, timestamp: '2026-01-01' });
  const credentials = fc.oneof(
    { weight: 3, arbitrary: fc.constant(`Basic ${basic}`) },
    fc.oneof(
      headerText,
      text.map((value) => `Basic ${Buffer.from(value).toString('base64')}`),
      fc.constant(`Bearer ${basic}`),
    ),
  );
  const noticeBody = fc.oneof(
    fc
      .dictionary(fc.constantFrom(...Object.keys(notice), '__proto__'), fc.jsonValue({ maxDepth: 1 }), { maxKeys: 2 })
      .map((changed) => JSON.stringify({ ...notice, ...changed })),
    fc.json({ maxDepth: 1 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.integer({ min: 16_300, max: 16_500 }).map((length) => JSON.stringify(notice).padEnd(length)),
  );

  it("hears no uninstall request without the app's credentials, and only well-formed ones", async () => {
    const heard: unknown[] = [];
    const app = await startApp({
      routes: (express, strategy) =>
        express.delete(
          '/uninstalled',
          strategy.uninstall((who) => heard.push(who)),
        ),
    });
    await expectHolds(
      0.08,
      fc.asyncProperty(credentials, noticeBody, async (authorization, body) => {
        const response = await fetch(`${app.origin}/uninstalled`, {
          method: 'DELETE',
          headers: { authorization },
          body,
        });
        await response.arrayBuffer();
        expect(app.errors).to.deep.equal([]);
        expect(response.status).to.be.oneOf(authorization === `Basic ${basic}` ? [204, 400, 403] : [401]);
        const who = heard.splice(0);
        expect(who).to.have.length(response.status === 204 ? 1 : 0);
        for (const each of who) expect(each).to.have.property('clientId', clientID);
      }),
    );
  });
});
