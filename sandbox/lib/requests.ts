// Writes down the requests that arrive, with every secret masked.
import type { RequestHandler } from 'express';
import type { App } from './options';
import { withoutTokens } from './tokens';
import type { RecordedRequest } from './types';

/** Parameters that are secret whatever their value. */
const secretNames = ['access_token', 'client_secret', 'code', 'code_verifier', 'refresh_token', 'token'];

/** Names that may hold an app's secret: "secret", for one. */
const plainNames = [...secretNames, 'client_id', 'grant_type', 'token_type_hint'];

/** The newest requests are kept. */
const mostRequests = 10_000;

const pictureOrStyle = /\.(css|js|svg)$/;

type Entry = { -readonly [Key in keyof RecordedRequest]: RecordedRequest[Key] };

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

export class Requests {
  readonly #entries: Entry[] = [];
  readonly #byRequest = new WeakMap<object, Entry>();
  readonly #secrets: string[] = [];

  constructor(apps: readonly App[]) {
    for (const app of apps) this.maskSecretsOf(app);
  }

  /** Masks the app's secrets from now on. */
  maskSecretsOf({ clientId, clientSecret, jwtSecret }: App): void {
    this.#secrets.push(Buffer.from(`${clientId}:${clientSecret}`).toString('base64'), clientSecret, jwtSecret);
    // The longest first: one may begin with another.
    this.#secrets.sort((one, other) => other.length - one.length);
  }

  get all(): RecordedRequest[] {
    return this.#entries.map((entry) => ({ ...entry, form: { ...entry.form } }));
  }

  /** Goes in front of everything. */
  readonly onArrival: RequestHandler = (req, res, next) => {
    if (pictureOrStyle.test(req.path)) return next();
    const entry: Entry = { method: req.method, path: this.#masked(req.path), status: undefined, form: {} };
    if (req.method === 'GET') entry.form = this.#maskedForm(req.query);
    this.#byRequest.set(req, entry);
    this.#entries.push(entry);
    if (this.#entries.length > mostRequests) this.#entries.shift();
    const { writeHead } = res;
    res.writeHead = (...args: unknown[]) => {
      entry.status = res.statusCode;
      return Reflect.apply(writeHead, res, args);
    };
    return next();
  };

  /** Goes behind the parser of forms. */
  readonly onForm: RequestHandler = (req, _res, next) => {
    const entry = this.#byRequest.get(req);
    if (entry && req.body) entry.form = this.#maskedForm(req.body);
    next();
  };

  #maskedForm(parsed: object): Record<string, string> {
    const mask = ([name, value]: [string, unknown]): [string, string] => {
      const text = [value].flat().join(', ');
      const shown = plainNames.includes(name) ? name : this.#masked(name);
      return [shown, secretNames.includes(name) && text !== '' ? '***' : this.#masked(text)];
    };
    return Object.fromEntries(Object.entries(parsed).map(mask));
  }

  #masked(text: string): string {
    const plain = decoded(text);
    const masked = withoutTokens(this.#secrets.reduce((left, secret) => left.replaceAll(secret, '***'), plain));
    return masked === plain ? text : masked;
  }
}
