// What the pages may show of secrets, tokens, codes and states: enough to tell two apart, and no more.

/** Parameters and JSON keys whose values are masked. */
const secretNames = new Set([
  'access_token',
  'client_secret',
  'code',
  'code_verifier',
  'refresh_token',
  'state',
  'token',
]);

/** Longest other value that is shown, in characters. */
const longest = 300;

const shortened = (text: string) => (text.length > longest ? `${text.slice(0, longest)}…` : text);

/** The first characters of a long random value; nothing of a short one. */
const masked = (secret: string): string =>
  secret.length < 32 ? '••••••••' : `${secret.slice(0, 6)}… (${secret.length} characters)`;

export interface Field {
  name: string;
  value: string;
}

/** Parameters of a query or a form. */
export const maskedFields = (params: URLSearchParams): Field[] =>
  [...params].map(([name, value]) => ({ name, value: secretNames.has(name) ? masked(value) : shortened(value) }));

/** An `Authorization` header: the scheme, and with Basic what it is made of. */
export function maskedAuthorization(header: string): string {
  const [scheme = '', credentials = ''] = header.split(' ');
  if (scheme !== 'Basic') return `${scheme} ${masked(credentials)}`;
  const [clientID = ''] = Buffer.from(credentials, 'base64').toString().split(':');
  return `Basic base64(${clientID}:••••••••)`;
}

/** JSON on several lines, or the beginning of what is none. */
export function maskedBody(body: string): string {
  try {
    const mask = (name: string, value: unknown) =>
      typeof value === 'string' && secretNames.has(name) ? masked(value) : value;
    return JSON.stringify(JSON.parse(body, mask), null, 2);
  } catch {
    return shortened(body.trim());
  }
}
