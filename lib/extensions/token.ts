// Reads the token that says who is looking at an extension: a JWT (RFC 7519), signed with a secret of the app's.
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { isText, readId } from '../values';
import { ExtensionTokenError } from './errors';

/** Who is looking at a panel, a modal or a floating window. */
export interface PipedriveExtensionUser {
  /** `"{companyId}:{userId}"`, as the `id` of the profile. */
  id: string;
  companyId: number;
  userId: number;
  /** When the token was made, in Unix seconds. Missing in the token, it is `undefined`. */
  issuedAt: number | undefined;
  /** When the token expires, in Unix seconds. */
  expiresAt: number;
}

/** Longest token that is read, in characters. */
const LONGEST_TOKEN = 8192;

/** RFC 7515 §7.1, with the 32 bytes of a signature in their one spelling. jose overlooks white space and spare bits. */
const SIGNED_TOKEN = /^[\w-]+\.[\w-]+\.[\w-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Yields who is looking, from the `token` that Pipedrive gives to the page of an extension, or that the SDK's
 * `GET_SIGNED_TOKEN` yields. `secrets` are the extension's JWT secret, by default the client secret, or several while
 * one replaces another; each counts. Rejects with an `ExtensionTokenError`, whose `code` is `token_missing` (nothing
 * given), `token_expired` or `token_invalid`, all with status 401, or `invalid_request` (not a text, 400); and with a
 * `TypeError` where the secrets are none.
 *
 * @see Pipedrive, custom-ui-extensions; RFC 7519 §4.1, §7.2
 */
export async function readExtensionToken(
  token: string | null | undefined,
  secrets: string | readonly string[],
): Promise<PipedriveExtensionUser> {
  return await readToken(token, readSecrets(secrets, 'secrets'));
}

/** The bytes of one secret or several. Throws a `TypeError` that names the parameter or the option. */
export function readSecrets(secrets: unknown, name: string): Uint8Array[] {
  const list: unknown[] = Array.isArray(secrets) ? secrets : [secrets];
  if (list.length === 0 || !list.every(isText)) {
    throw new TypeError(`${name} is required and must be a string that is not empty, or an array of such strings`);
  }
  return list.map((secret) => new TextEncoder().encode(secret));
}

export async function readToken(token: unknown, secrets: Uint8Array[]): Promise<PipedriveExtensionUser> {
  if (token === undefined || token === null || token === '') {
    throw new ExtensionTokenError('token_missing', 'there is no token');
  }
  if (typeof token !== 'string') throw new ExtensionTokenError('invalid_request', 'the token is not a text');
  if (token.length > LONGEST_TOKEN) throw invalid(`it has over ${LONGEST_TOKEN} characters`);
  if (!SIGNED_TOKEN.test(token)) throw invalid('it is not in the form of a token signed with HS256');
  for (const secret of secrets) {
    const claims = await readClaims(token, secret);
    if (claims) return readUser(claims);
  }
  throw invalid('its signature is of another secret: see the JWT secret in Developer Hub, or else the client secret');
}

/** The claims of a token, or `undefined` when another secret has signed it. */
async function readClaims(token: string, secret: Uint8Array): Promise<JWTPayload | undefined> {
  try {
    const { payload } = await jwtVerify(token, secret, { algorithms: ['HS256'] });
    return payload;
  } catch (error) {
    if (error instanceof errors.JWSSignatureVerificationFailed) return undefined;
    if (error instanceof errors.JWTExpired) throw new ExtensionTokenError('token_expired', 'the token has expired');
    // Not jose's message, which may repeat what somebody wrote into the token.
    if (error instanceof errors.JWTClaimValidationFailed) throw invalid(`its claim ${error.claim} is not valid`);
    if (error instanceof errors.JOSEError) throw invalid(error.code);
    throw error;
  }
}

function readUser({ userId, companyId, iat, exp }: JWTPayload): PipedriveExtensionUser {
  const [user, company] = [readId(userId), readId(companyId)];
  if (user === undefined || company === undefined) throw invalid('its claim userId or companyId is not an id');
  // jose does not require it, and takes Infinity, which is JSON's 1e999: neither would ever expire.
  if (!Number.isFinite(exp)) throw invalid('its claim exp is not valid');
  return { id: `${company}:${user}`, companyId: company, userId: user, issuedAt: iat, expiresAt: Number(exp) };
}

function invalid(reason: string): ExtensionTokenError {
  return new ExtensionTokenError('token_invalid', reason);
}
