// Codes and tokens that look like Pipedrive's. Clients must take them as they are.
import { createHmac, randomBytes } from 'node:crypto';
import type { SandboxUser } from './users';

/** These bytes bring a `+` and a `/` into every token, as `=` comes with the length: some clients forget to encode them. */
const awkward = Buffer.from([0x01, 0x02, 0x01, 0xfb, 0xff, 0xbf]);

/** 512 characters: Pipedrive's may exceed 500. */
export const newAccessToken = (): string => `v1u:${Buffer.concat([awkward, randomBytes(373)]).toString('base64')}`;

/** Such as `1:777:2a54…`. */
export const newRefreshToken = ({ company_id, id }: SandboxUser): string =>
  `${company_id}:${id}:${randomBytes(20).toString('hex')}`;

export const newCode = (): string => randomBytes(20).toString('hex');

const base64url = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A JWT, HS256. @see RFC 7515 §3.1 */
export function signedJWT(claims: object, secret: string): string {
  const input = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
}

// Bounded where they begin: a long text must not be read to its end from each of its characters.
const shapes = [/v1u:[\w+/=-]+/g, /(?<!\d)\d+:\d+:[0-9a-f]{40}/g, /[0-9a-f]{40,}/g, /eyJ[\w-]{1,200}\.[\w-]+\.[\w-]+/g];

/** A text with each code, token and JWT in it as `***`. */
export const withoutTokens = (text: string): string =>
  shapes.reduce((masked, shape) => masked.replace(shape, '***'), text);
