// What the pages may show of secrets, tokens, codes and states: enough to tell two apart, and no more.

/** Parameters, JSON keys and their like whose values are masked. */
const secretNames =
  'access_token|client_secret|code_challenge|code_verifier|refresh_token|code|state|token|password|api_token';

const isSecretName = (name: string): boolean => new RegExp(`^(?:${secretNames})$`, 'i').test(name);

/** A secret name with its value, in a form, in JSON of any depth of quoting, or in the middle of some other text. */
const named = new RegExp(
  `(\\b(?:${secretNames})\\b(?:\\\\*["'])?\\s*[:=]\\s*(?:\\\\*["'])?)([^\\s"'\\\\&<>,;}]+)`,
  'gi',
);

/** What looks like a token wherever it stands: Pipedrive's, a JWT, and any long run with a digit in it but a UUID. */
const tokenLike = [
  /v1u:[\w+/=%-]{8,}/g,
  /\d+:\d+:[0-9a-f]{16,}/gi,
  /eyJ[\w-]+\.[\w-]+\.[\w-]*/g,
  /(?<![\w+=%~-])(?=[\w+=%~-]*\d)(?![0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?![\w+=%~-]))[\w+=%~-]{32,}/gi,
];

/** Values shorter than this are masked by their name only: they would be found in any text. */
const shortestKnown = 6;

/** The first characters of a long random value, nothing of a short one. */
export const masked = (secret: string): string =>
  secret.length < 32 ? '••••••••' : `${secret.slice(0, 6)}… (${secret.length} characters)`;

const isMasked = (text: string): boolean => /^(?:\*{3}|•{8}|.{6}…)/.test(text);

/** The spellings in which a secret can appear in a text. */
const spellingsOf = (secret: string): string[] => [
  secret,
  encodeURIComponent(secret),
  new URLSearchParams({ '': secret }).toString().slice(1),
  JSON.stringify(secret).slice(1, -1),
  JSON.stringify(secret).slice(1, -1).replaceAll('/', '\\/'),
  Buffer.from(secret).toString('base64'),
  Buffer.from(secret).toString('base64url'),
];

/** The secrets that are known by value, whatever is said about them. */
export class Secrets {
  readonly #values = new Set<string>();

  constructor(...secrets: (string | undefined)[]) {
    for (const secret of secrets) this.add(secret);
  }

  add(secret: string | undefined): void {
    if (secret && secret.length >= shortestKnown && !isMasked(secret)) this.#values.add(secret);
  }

  /** Takes the secrets out of a query, a form or JSON. */
  addFrom(text: string): void {
    for (const [name, value] of new URLSearchParams(text)) if (isSecretName(name)) this.add(value);
    try {
      JSON.parse(text, (name, value: unknown) => {
        if (typeof value === 'string' && isSecretName(name)) this.add(value);
        return value;
      });
    } catch {
      // Not JSON: what is secret in it is found by its name or its shape.
    }
  }

  /** Any text, with each secret in it masked by its value, its name or its shape. */
  mask(text: string): string {
    const known = [...this.#values].flatMap((secret) => spellingsOf(secret).map((spelling) => [spelling, secret]));
    known.sort(([one = ''], [other = '']) => other.length - one.length); // the longest first: one may contain another
    let result = text;
    for (const [spelling = '', secret = ''] of known) result = result.replaceAll(spelling, masked(secret));
    result = result.replace(named, (whole, name: string, value: string) =>
      isMasked(value) || /^(?:null|true|false|\d{1,5}|\[|\{)/.test(value) ? whole : name + masked(value),
    );
    return tokenLike.reduce((left, shape) => left.replace(shape, (token) => masked(token)), result);
  }

  /** The value of a parameter. */
  maskValue(name: string, value: string): string {
    if (isSecretName(name) && value !== '') return isMasked(value) ? '••••••••' : masked(value);
    return this.mask(value);
  }

  /** An address with its parameters masked one by one, and decoded. */
  maskURL(address: string): string {
    if (!URL.canParse(address)) return this.mask(address);
    const { origin, pathname, searchParams } = new URL(address);
    const params = [...searchParams].map(([name, value]) => `${name}=${this.maskValue(name, value)}`);
    return this.mask(origin + pathname) + (params.length > 0 ? `?${params.join('&')}` : '');
  }

  /** Whether a parameter's value is a secret, so that a curl command has a variable in its place. */
  isSecret(name: string, value: string): boolean {
    return isSecretName(name) || this.mask(value) !== value;
  }
}
