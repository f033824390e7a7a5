// What the sandbox remembers, in memory and bounded: registered apps, codes, installs and access tokens.
import { randomBytes, randomUUID } from 'node:crypto';
import type { User } from './bodies';
import { Capped } from './capped';

const minutes = 60_000;
const days = 24 * 60 * minutes;

/** Milliseconds. Pipedrive's: a refresh token ends when it was not used for 60 days. */
const lifetime = { code: 5 * minutes, accessToken: 60 * minutes, refreshToken: 60 * days };

/** An app as it is registered in Pipedrive's Developer Hub. */
export interface SandboxApp {
  clientId: string;
  clientSecret: string;
  /** The one callback URL: requests must name exactly this one. */
  callbackURL: string;
  /** Where the Marketplace's install button leads, so that the app starts the flow; without it Pipedrive does. */
  installationURL?: string;
  /** What the consent page calls the app. @default 'Your app' */
  name?: string;
  /** @default ['base', 'deals:read', 'users:read'] */
  scopes?: readonly string[];
}

export type App = Required<Omit<SandboxApp, 'installationURL'>> & Pick<SandboxApp, 'installationURL'>;

/** One user of one company who has installed one app. It has one refresh token, which signing in again keeps. */
export interface Install {
  id: string;
  app: App;
  user: User;
  refreshToken: string;
  expiresAt: number;
}

export interface Code {
  app: App;
  user: User;
  redirectUri: string;
  expiresAt: number;
  codeChallenge?: string;
  codeChallengeMethod?: string;
}

export class Store {
  readonly apps: ReadonlyMap<string, App>;
  readonly codes = new Capped<Code>(10_000);
  /** By refresh token. No cap: there are never more than apps times people. */
  readonly #installs = new Map<string, Install>();
  readonly #accessTokens = new Capped<{ install: Install; expiresAt: number }>(10_000);

  /** `now` gives milliseconds since 1970, so that a test can let time pass. */
  constructor(
    apps: readonly SandboxApp[],
    readonly now: () => number,
  ) {
    const defaults = { name: 'Your app', scopes: ['base', 'deals:read', 'users:read'] };
    this.apps = new Map(apps.map((app) => [app.clientId, { ...defaults, ...app }]));
  }

  /** Expired codes stay for a while, since Pipedrive tells them from unknown ones. */
  saveCode(code: string, details: Omit<Code, 'expiresAt'>): number {
    const expiresAt = this.now() + lifetime.code;
    this.codes.set(code, { ...details, expiresAt });
    return expiresAt;
  }

  /** Lets a code grow old at once. */
  expireCode(code: string): void {
    const known = this.codes.get(code);
    if (known) known.expiresAt = this.now() - 1;
  }

  /** The user's install of the app, new or prolonged by its use. */
  install(app: App, user: User): Install {
    const known = this.installs.find((one) => one.app === app && one.user === user);
    const install = known ?? { id: randomUUID(), app, user, refreshToken: newToken(48), expiresAt: 0 };
    install.expiresAt = this.now() + lifetime.refreshToken;
    this.#installs.set(install.refreshToken, install);
    return install;
  }

  get installs(): Install[] {
    return [...this.#installs.values()].filter((install) => install.expiresAt > this.now());
  }

  installOf(refreshToken: string): Install | undefined {
    const install = this.#installs.get(refreshToken);
    return install && install.expiresAt > this.now() ? install : undefined;
  }

  /** Ends the install and with it all its tokens. */
  uninstall(install: Install): void {
    this.#installs.delete(install.refreshToken);
  }

  saveAccessToken(accessToken: string, install: Install): void {
    this.#accessTokens.set(accessToken, { install, expiresAt: this.now() + lifetime.accessToken });
  }

  /** Whose access token it is, while both the token and the install live. */
  bearerOf(accessToken: string): Install | undefined {
    const token = this.#accessTokens.get(accessToken);
    if (!token || token.expiresAt <= this.now()) return undefined;
    return this.installOf(token.install.refreshToken);
  }

  dropAccessToken(accessToken: string): void {
    this.#accessTokens.delete(accessToken);
  }
}

/** Opaque and random, base64url, of `bytes` * 4 / 3 characters. */
export const newToken = (bytes: number): string => randomBytes(bytes).toString('base64url');
