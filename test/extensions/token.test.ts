// The token of an extension: genuine ones are read, all others refused with a reason.
import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { ExtensionTokenError, readExtensionToken } from 'passport-pipedrive-oauth2/extensions';
import { adaClaims, adaToken, inSeconds, jwtSecret, secrets, signClaims } from '../support/extensions';

/** Expects that a token is refused, with this code and status. */
async function expectRefused(token: string | null | undefined, code: string, status = 401, secret = jwtSecret) {
  const error: unknown = await readExtensionToken(token, secret).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).to.be.instanceOf(ExtensionTokenError);
  expect(error).to.include({ name: 'ExtensionTokenError', code, status, statusCode: status, expose: true });
  const shown = inspect(error, { depth: 10 }) + JSON.stringify(error);
  for (const each of token ? [...secrets, token] : secrets) expect(shown).not.to.include(each);
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

/** The same bytes in base64url, where the last character has bits to spare. */
const respelt = (token: string) => token.slice(0, -1) + ALPHABET[ALPHABET.indexOf(token.at(-1) ?? '') + 1];

describe('readExtensionToken', () => {
  it('says who is looking, since when and until when', async () => {
    const { iat, exp } = adaClaims();
    expect(await readExtensionToken(adaToken({ iat, exp }), jwtSecret)).to.deep.equal({
      id: '1001:777',
      companyId: 1001,
      userId: 777,
      issuedAt: iat,
      expiresAt: exp,
    });
  });

  it('takes ids as digits, and a token that does not say when it was made', async () => {
    const user = await readExtensionToken(adaToken({ userId: '777', companyId: '1001', iat: undefined }), jwtSecret);
    expect(user).to.include({ id: '1001:777', companyId: 1001, userId: 777, issuedAt: undefined });
  });

  for (const iat of [0, -1, 1.5, inSeconds(86_400)]) {
    it(`does not care when the token says it was made: ${iat}`, async () => {
      expect(await readExtensionToken(adaToken({ iat }), jwtSecret)).to.include({ id: '1001:777', issuedAt: iat });
    });
  }

  it('takes a token signed with any of several secrets', async () => {
    const several = ['the-new-secret', jwtSecret, 's'];
    for (const secret of several) {
      expect(await readExtensionToken(adaToken({}, { secret }), several)).to.include({ id: '1001:777' });
    }
  });

  it('names the reason of a token that is signed with the second secret and expired', async () => {
    const read = readExtensionToken(adaToken({ exp: inSeconds(-1) }), ['the-new-secret', jwtSecret]);
    expect(await read.catch((error) => error)).to.include({ code: 'token_expired' });
  });

  it('takes a token whose time to begin has come', async () => {
    expect(await readExtensionToken(adaToken({ nbf: inSeconds(0) }), jwtSecret)).to.include({ userId: 777 });
  });

  describe('is token_missing', () => {
    for (const token of [undefined, null, '']) {
      it(`where the token is ${inspect(token)}`, () => expectRefused(token, 'token_missing'));
    }
  });

  it('is invalid_request where the token is not text, as a repeated parameter is', async () => {
    const repeated: unknown = [adaToken(), adaToken()];
    await expectRefused(repeated as string, 'invalid_request', 400);
  });

  describe('is token_expired', () => {
    for (const age of [0, 1, 300, 86_400]) {
      it(`${age} seconds after the end, without leeway`, () =>
        expectRefused(adaToken({ exp: inSeconds(-age) }), 'token_expired'));
    }
  });

  describe('is token_invalid', () => {
    const [header, payload, signature] = adaToken().split('.');
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const expired = adaToken({ exp: inSeconds(-60) }, { secret: 'of-somebody-else' });
    const { privateKey, publicKey } = generateKeyPairSync('rsa', {
      modulusLength: 2048,
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    });
    const tokens: Record<string, string> = {
      'signed with another secret': adaToken({}, { secret: 'of-somebody-else' }),
      'signed with another secret, and expired': expired,
      'signed with a secret in another letter case': adaToken({}, { secret: jwtSecret.toUpperCase() }),
      'without a signature (alg none)': adaToken({}, { algorithm: 'none', secret: '' }),
      'of which the signature was cut off': `${header}.${payload}.`,
      'whose header was changed to alg none': `${encode({ alg: 'none' })}.${payload}.`,
      'whose header was changed to alg None, signature kept': `${encode({ alg: 'None' })}.${payload}.${signature}`,
      'whose claims were changed': `${header}.${encode({ ...adaClaims(), userId: 1 })}.${signature}`,
      'signed with HS384': adaToken({}, { algorithm: 'HS384' }),
      'signed with HS512': adaToken({}, { algorithm: 'HS512' }),
      'signed with RS256': adaToken({}, { algorithm: 'RS256', secret: privateKey }),
      'with an unknown crit': adaToken({}, { header: { crit: ['new'], new: true } }),
      'with a crit that names nothing': adaToken({}, { header: { crit: [] } }),
      'whose payload is not encoded (b64)': adaToken({}, { header: { crit: ['b64'], b64: false } }),
      'without exp': adaToken({ exp: undefined }),
      'whose exp is text': adaToken({ exp: `${inSeconds(300)}` }),
      'whose exp is null': adaToken({ exp: null }),
      'whose exp is endless': signClaims('{"userId":777,"companyId":1001,"exp":1e999}'),
      'whose nbf is in the future': adaToken({ nbf: inSeconds(86_400) }),
      'whose nbf is text': adaToken({ nbf: '0' }),
      'whose iat is text': adaToken({ iat: 'today' }),
      'whose claims are a list': signClaims('[]'),
      'whose claims are null': signClaims('null'),
      'whose claims are not JSON': signClaims('{'),
      'of over 8,192 characters': adaToken({ more: 'x'.repeat(8192) }),
      'with a part too many': `${adaToken()}.${signature}`,
      'with a space in front': ` ${adaToken()}`,
      'with a line break at the end': `${adaToken()}\n`,
      'whose signature is spelt in another way': respelt(adaToken()),
      'that is no token': 'undefined',
      'of dots alone': '..',
    };
    for (const [kind, token] of Object.entries(tokens)) {
      it(`for a token ${kind}`, () => expectRefused(token, 'token_invalid'));
    }

    it('for RS256 where the secret is the public key', () =>
      expectRefused(adaToken({}, { algorithm: 'RS256', secret: privateKey }), 'token_invalid', 401, publicKey));

    const ids = [
      undefined,
      null,
      0,
      -1,
      1.5,
      2 ** 53,
      1e300,
      true,
      [777],
      {},
      '',
      '0',
      '0777',
      '-1',
      '+1',
      '1.0',
      '1e3',
    ];
    for (const id of [...ids, '0x1', ' 7', '7 ', '٧', '9007199254740993', 'NaN', '__proto__']) {
      it(`where an id is ${inspect(id)}`, async () => {
        await expectRefused(adaToken({ userId: id }), 'token_invalid');
        await expectRefused(adaToken({ companyId: id }), 'token_invalid');
      });
    }
  });

  const reasons: Record<string, [string | undefined, RegExp]> = {
    'of no token': [undefined, /there is no token/],
    'of another secret': [adaToken({}, { secret: 'another' }), /another secret: see .* Developer Hub/],
    'of a token that is none': ['x', /not in the form/],
    'of a long token': ['x'.repeat(8193), /over 8192 characters/],
    'of a token without exp': [adaToken({ exp: undefined }), /claim exp/],
    'of an endless exp': [signClaims('{"userId":777,"companyId":1001,"exp":1e999}'), /claim exp/],
    'of a future nbf': [adaToken({ nbf: inSeconds(86_400) }), /claim nbf/],
    'of a missing id': [adaToken({ userId: undefined }), /userId or companyId/],
    'of an expired token': [adaToken({ exp: inSeconds(-1) }), /has expired/],
    'of an unknown crit, whose name it does not repeat': [
      adaToken({}, { header: { crit: ['a\nline'], 'a\nline': 1 } }),
      /^ERR_JOSE_NOT_SUPPORTED$/,
    ],
  };
  for (const [title, [token, reason]] of Object.entries(reasons)) {
    it(`tells the developer the reason ${title}`, async () => {
      const error: unknown = await readExtensionToken(token, jwtSecret).catch((thrown: unknown) => thrown);
      expect(error).to.be.instanceOf(ExtensionTokenError).with.property('reason').that.matches(reason);
    });
  }

  it('takes a token of 8,192 characters, and none of one more', async () => {
    const pad = (length: number) => 'x'.repeat(length);
    /** The payload cannot be of any length in base64url: the header makes up for the rest. */
    function ofLength(length: number): string {
      for (let more = 5_800; more < 6_000; more += 1) {
        for (const kid of [1, 2, 3]) {
          const token = adaToken({ more: pad(more) }, { header: { kid: pad(kid) } });
          if (token.length === length) return token;
        }
      }
      return expect.fail('there is none');
    }
    expect(await readExtensionToken(ofLength(8_192), jwtSecret)).to.include({ id: '1001:777' });
    await expectRefused(ofLength(8_193), 'token_invalid');
  });

  for (const wrong of [undefined, null, '', [], [jwtSecret, ''], [undefined], 7, Buffer.from(jwtSecret)]) {
    it(`rejects with a TypeError where the secrets are ${inspect(wrong).slice(0, 40)}`, async () => {
      const secret = wrong as string;
      for (const token of [adaToken(), '']) {
        const error: unknown = await readExtensionToken(token, secret).catch((reason: unknown) => reason);
        expect(error)
          .to.be.instanceOf(TypeError)
          .with.property('message')
          .that.matches(/^secrets is required and must/);
        expect(String(error)).not.to.include(jwtSecret);
      }
    });
  }
});
