// Whatever comes as the token of an extension: nobody gets in whom the extension's secret does not vouch for.
import { expect } from 'chai';
import fc from 'fast-check';
import { Passport } from 'passport';
import {
  ExtensionTokenError,
  PipedriveExtensionStrategy,
  type PipedriveExtensionUser,
  readExtensionToken,
} from 'passport-pipedrive-oauth2/extensions';
import { type App, appsForEach } from '../support/app';
import { headerText, parameter, text } from '../support/arbitraries';
import { adaClaims, adaToken, inSeconds, jwtSecret, signClaims } from '../support/extensions';
import { expectHolds, longest } from '../support/fuzz';

/** Good for longer than the longest run. */
const genuine = adaToken({ exp: inSeconds(86_400) });

const encode = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url');

/** Who a token says is looking, or nothing when it is refused; anything else than the contract's errors is thrown. */
async function read(token: string): Promise<PipedriveExtensionUser | undefined> {
  try {
    return await readExtensionToken(token, ['of-the-past', jwtSecret]);
  } catch (error) {
    if (!(error instanceof ExtensionTokenError)) throw error;
    expect(error).to.include({ status: 401 });
    expect(error.code).to.be.oneOf(['token_missing', 'token_expired', 'token_invalid']);
    return undefined;
  }
}

/** What is done to the text of a genuine token. */
const edit = fc.tuple(fc.nat(), fc.nat(5), fc.oneof(fc.base64String({ maxLength: 4 }), text));
const edited = fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) =>
  edits.reduce((token, [place, count, put]) => {
    const at = place % (token.length + 1);
    return token.slice(0, at) + put + token.slice(at + count);
  }, genuine),
);

const algorithm = fc.oneof(
  fc.constantFrom('none', 'None', 'NONE', '', 'HS256', 'hs256', 'HS384', 'HS512', 'RS256', 'ES256', 'EdDSA', 'dir'),
  fc.jsonValue({ maxDepth: 1 }),
);
const header = fc.oneof(
  fc.record(
    { alg: algorithm, typ: fc.constant('JWT'), crit: fc.jsonValue({ maxDepth: 1 }), b64: fc.boolean() },
    { requiredKeys: [] },
  ),
  fc.jsonValue({ maxDepth: 1 }),
);
const signature = fc.oneof(
  fc.constantFrom('', genuine.split('.')[2] ?? ''),
  fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  text,
);
/** Another header or other claims than those that were signed. */
const assembled = fc
  .tuple(header, fc.option(fc.jsonValue({ maxDepth: 1 }), { nil: adaClaims() }), signature)
  .map(([header, claims, signature]) => [encode(header), encode(claims), signature].join('.'));

/** Signed well, by somebody else. */
const foreign = fc
  .tuple(fc.string({ minLength: 1 }), fc.constantFrom<('HS256' | 'HS384' | 'HS512')[]>('HS256', 'HS384', 'HS512'))
  .map(([secret, algorithm]) => adaToken({}, { secret, algorithm }));

const forged = fc.oneof(edited, assembled, foreign, text);

const claim = fc.oneof(
  fc.constantFrom(777, '777', 1001, '1001', 0, -1, 1.5, '0777', 2 ** 53, inSeconds(86_400), inSeconds(-86_400)),
  fc.integer({ min: inSeconds(86_400), max: inSeconds(100_000) }),
  fc.jsonValue({ maxDepth: 1 }),
);
const claims = fc.record({ userId: claim, companyId: claim, exp: claim, iat: claim, nbf: claim }, { requiredKeys: [] });
type Claims = Record<'userId' | 'companyId' | 'exp' | 'iat' | 'nbf', unknown>;

const isId = (value: unknown) =>
  (typeof value === 'number' || typeof value === 'string') &&
  /^[1-9][0-9]{0,15}$/.test(`${value}`) &&
  Number(value) <= Number.MAX_SAFE_INTEGER;

/** Whether claims are of a token that counts now, by the contract. */
function areGood({ userId, companyId, exp, iat, nbf }: Partial<Claims>): boolean {
  const now = inSeconds(0);
  const begins = nbf === undefined || (typeof nbf === 'number' && nbf <= now);
  const hasTimes = typeof exp === 'number' && exp > now && (iat === undefined || typeof iat === 'number');
  return isId(userId) && isId(companyId) && hasTimes && begins;
}

describe('fuzz: extensions', function () {
  this.timeout(longest);
  const startApp = appsForEach();

  it('lets nobody in with a token that the secret has not signed as it is', async () => {
    await expectHolds(
      1,
      fc.asyncProperty(forged, async (token) => {
        fc.pre(token !== genuine);
        expect(await read(token)).to.equal(undefined);
      }),
    );
  });

  it('takes of what the secret has signed exactly the claims that count', async () => {
    await expectHolds(
      0.5,
      fc.asyncProperty(claims, async (given) => {
        const user = await read(signClaims(given));
        expect(user !== undefined).to.equal(areGood(given));
        if (user) expect(user.id).to.equal(`${given.companyId}:${given.userId}`);
      }),
    );
  });

  it('answers any request to a panel with one of its codes, and lets in nobody but Ada, with her ids', async () => {
    const strategy = new PipedriveExtensionStrategy({ secret: jwtSecret }, ({ id }) => ({ id }));
    const passport = new Passport();
    const options = { session: false, failWithError: true };
    const apps = await Promise.all(
      ['simple', 'extended', false].map((queryParser) =>
        startApp({
          routes: (app) => {
            app.set('query parser', queryParser);
            app.get('/panel', passport.authenticate(strategy, options), (req, res) => {
              res.json({ outcome: 'success', user: req.user });
            });
          },
        }),
      ),
    );
    const token = fc.oneof({ weight: 2, arbitrary: fc.constant(genuine) }, { weight: 1, arbitrary: forged });
    const sent = fc.record({
      which: fc.nat(apps.length - 1),
      inQuery: fc.option(token, { nil: undefined }),
      inHeader: fc.option(token, { nil: undefined }),
      scheme: fc.constantFrom('Bearer ', 'bearer ', 'Basic ', ''),
      ids: fc.constantFrom('', '&userId=777', '&userId=777&companyId=1001', '&userId=778', '&userId=777&userId=777'),
      more: fc.array(fc.oneof(parameter, fc.constantFrom('token=', 'userId=', 'token[]=x')), { maxLength: 2 }),
      host: headerText,
    });
    const codes = new Map([
      ['token_missing', 401],
      ['token_expired', 401],
      ['token_invalid', 401],
      ['token_mismatch', 403],
      ['invalid_request', 400],
    ]);
    await expectHolds(
      0.3,
      fc.asyncProperty(sent, async ({ which, inQuery, inHeader, scheme, ids, more, host }) => {
        const app = apps[which] as App;
        const first = inQuery === undefined ? '' : `${new URLSearchParams({ token: inQuery })}`;
        const isSendable = inHeader !== undefined && /^[\x20-\x7e]*$/.test(inHeader);
        const headers = { 'x-more': host, ...(isSendable && { authorization: scheme + inHeader }) };
        const answer = await app.visitor().send(`/panel?${[first + ids, ...more].join('&')}`, { headers });
        expect(app.errors.splice(0)).to.deep.equal([]);
        if (answer.outcome === 'success') {
          expect(answer.user).to.deep.equal({ id: '1001:777' });
          expect([inQuery, inHeader]).to.include(genuine);
          expect(ids).not.to.include('778').and.not.to.include('userId=777&userId');
          return;
        }
        const { code } = answer.authInfo as { code: string };
        expect(codes.get(code)).to.equal(answer.status);
        expect(answer.authInfo).to.have.all.keys('code', 'message');
      }),
    );
  });
});
