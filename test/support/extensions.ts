// Pipedrive's side of app extensions: the tokens, made by another library than the one under test.
import jwt from 'jsonwebtoken';
import { clientSecret } from './app';

export const jwtSecret = 'the-jwt-secret-of-the-extension';

/** A time so many seconds from now, in Unix seconds. */
export const inSeconds = (seconds: number) => Math.floor(Date.now() / 1000) + seconds;

/** What Pipedrive puts into a token for Ada, now. */
export const adaClaims = () => ({ userId: 777, companyId: 1001, iat: inSeconds(0), exp: inSeconds(300) });

interface Signature {
  secret?: string;
  algorithm?: jwt.Algorithm;
  header?: Record<string, unknown>;
}

/** A token with these claims as they are: given as text, they may be what no library would accept. */
export function signClaims(
  claims: object | string,
  { secret = jwtSecret, algorithm = 'HS256', header }: Signature = {},
) {
  const text = typeof claims === 'string' ? claims : JSON.stringify(claims);
  return jwt.sign(text, secret, { algorithm, header: { alg: algorithm, typ: 'JWT', ...header } });
}

/** A token for Ada with some claims changed, or left out where they are `undefined`. */
export const adaToken = (changes: object = {}, signature?: Signature) =>
  signClaims({ ...adaClaims(), ...changes }, signature);

/** What an error of the token must not show. */
export const secrets = [jwtSecret, clientSecret];
