// Pipedrive's text in errors, and the secrets that it may not repeat in any spelling.
import { inspect } from 'node:util';
import { expect } from 'chai';
import fc from 'fast-check';
import { PipedriveStrategy } from 'passport-pipedrive-oauth2';
import { mustNotBeCalled, options } from '../support/app';
import { answerOf, rawServersForEach } from '../support/servers';

const percent = (text: string) =>
  Array.from(Buffer.from(text), (byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
const base64 = (text: string) => Buffer.from(text).toString('base64');
const hex = (text: string) => Buffer.from(text).toString('hex');

/** Ways to write a secret. */
const spellings: Record<string, (secret: string) => string> = {
  'as it is': (secret) => secret,
  'in upper case': (secret) => secret.toUpperCase(),
  'in lower case': (secret) => secret.toLowerCase(),
  'percent-encoded': percent,
  'percent-encoded in upper case': (secret) => percent(secret).toUpperCase(),
  'percent-encoded in part': (secret) => Array.from(secret, (c, i) => (i % 3 ? c : percent(c))).join(''),
  'percent-encoded twice': (secret) => encodeURIComponent(percent(secret)),
  'as a value of a form': (secret) => new URLSearchParams({ secret }).toString(),
  'in base64': base64,
  'in base64 after one byte': (secret) => base64(`:${secret}:`),
  'in base64 after two bytes': (secret) => base64(`::${secret}`),
  'in base64 in a URL': (secret) => encodeURIComponent(base64(secret)),
  'in base64url': (secret) => Buffer.from(secret).toString('base64url'),
  'in hex': hex,
  'in hex in upper case': (secret) => hex(secret).toUpperCase(),
  'without its end': (secret) => secret.slice(0, 12),
  'without its beginning': (secret) => secret.slice(-12),
  'without both': (secret) => secret.slice(3, -3),
  'in base64 without its end': (secret) => base64(secret).slice(0, 12),
  'in hex without its beginning': (secret) => hex(secret).slice(-12),
};

describe('text of Pipedrive in an error', () => {
  const startServer = rawServersForEach();

  /** The errors of refreshes that Pipedrive refuses with a text. */
  async function startRefusals() {
    let message = '';
    const server = await startServer((socket) => socket.write(answerOf({ error: 'invalid_client', message }, 400)));
    const tokenURL = `${server.origin}/oauth/token`;
    return async (clientSecret: string, refreshToken: string, text: string): Promise<Error> => {
      message = text;
      const strategy = new PipedriveStrategy({ ...options, clientSecret, tokenURL }, mustNotBeCalled);
      const error: unknown = await strategy.refresh(refreshToken).catch((reason) => reason);
      if (!(error instanceof Error)) throw new Error('no error');
      return error;
    };
  }

  const secrets = {
    'a client secret': '3f786850e387550fdab836ed7e6dc881de23001b',
    'a token': 'v1u:AQIBAHj+yBkGS/o5bTzxfE=',
    'a token with spaces': 'eine Äpfelkiste & 7 + mehr',
    'a secret of words': 'the-secret-of-the-app',
  };
  for (const [what, secret] of Object.entries(secrets)) {
    for (const [how, spell] of Object.entries(spellings)) {
      it(`leaves out ${what} ${how}`, async () => {
        const refusal = await startRefusals();
        const spelled = spell(secret);
        for (const text of [spelled, `Bad "${spelled}", sorry`, `x${spelled}x`]) {
          const error = await refusal(secret, 'another-secret', text);
          expect(error).to.have.property('message', 'invalid_client');
          for (const shown of [
            error.stack,
            inspect(error, { depth: 9 }),
            JSON.stringify(error),
            inspect(error.cause),
          ]) {
            expect(shown).not.to.include(spelled);
          }
        }
      });
    }
  }

  const short: [secret: string, text: string, isLeft: boolean][] = [
    ['code', 'codes are encoded, a barcode too', true],
    ['code', 'authorization_code is invalid, pre-code', true],
    ['code', 'no such "code", sorry', false],
    ['code', 'No such Code', false],
    ['code', 'no such %63ode', false],
    ['code', `no such ${base64('code')}`, false],
    ['code', `no such ${hex('code')}`, false],
    ['authorization-code', 'authorization_code is invalid', true],
    ['authorization_code-7f', 'authorization_code is invalid', true],
    ['authorization', 'authorization_code is invalid', false],
    ['AuthorizationCode', 'authorization code', true],
    ['client-secret-0123456789', 'client secret and client_secret are wrong', true],
    ['ab', 'about abba', true],
  ];
  for (const [secret, text, isLeft] of short) {
    it(`${isLeft ? 'keeps' : 'leaves out'} "${text}" where the secret is "${secret}"`, async () => {
      const refusal = await startRefusals();
      expect(await refusal('another-secret-7', secret, text)).to.have.property(
        'message',
        isLeft ? text : 'invalid_client',
      );
    });
  }

  it('leaves out what looks like a token of whomever', async () => {
    const refusal = await startRefusals();
    for (const [text, isLeft] of [
      ['No 0123456789abcdefghijklmn here', false],
      ['No 0123456789abcdefghijklm here', true],
      ['No abcdefghijklmnopqrstuvwxyz here', true],
    ] as const) {
      expect(await refusal('another-secret-7', 'secret', text)).to.have.property(
        'message',
        isLeft ? text : 'invalid_client',
      );
    }
  });

  it('repeats no part of a random secret, and keeps words beside random secrets', async () => {
    const refusal = await startRefusals();
    const secret = fc
      .stringMatching(/^[A-Za-z0-9_:+/=~.-]{16,80}$/)
      .filter((text) => /^(?=.*\d.{0,7}\d).*$/.test(text));
    const spelling = fc.constantFrom(...Object.values(spellings).slice(0, 15));
    const word = fc.constantFrom('Invalid', 'grant:', 'authorization_code', 'is', 'refresh_token', 'code', '400');
    const words = fc.array(word, { maxLength: 8 }).map((list) => list.join(' '));
    await fc.assert(
      fc.asyncProperty(secret, secret, spelling, words, words, async (one, other, spell, before, after) => {
        const text = `${before}${spell(one)}${after}`;
        for (const [client, token] of [
          [one, other],
          [other, one],
        ] as const) {
          expect(await refusal(client, token, text)).to.have.property('message', 'invalid_client');
        }
        expect(await refusal(one, other, `So: ${before}`)).to.have.property('message', `So: ${before}`);
      }),
      { numRuns: 100, seed: 1 },
    );
  }).timeout(20_000);
});
