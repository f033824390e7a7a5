// What the sandbox remembers, in memory and bounded: registered apps, codes, installs and access tokens.
import { randomUUID } from 'node:crypto';
import { Capped } from './capped';
import type { App, ResolvedOptions } from './options';
import { People } from './people';
import { newRefreshToken } from './tokens';
import type { SandboxUser } from './users';

const minutes = 60_000;
const days = 24 * 60 * minutes;

/** Milliseconds. A refresh token expires when it was not used for 60 days. */
const lifetime = { code: 5 * minutes, accessToken: 60 * minutes, refreshToken: 60 * days };

/** One user of one company who has installed one app. It has one refresh token, which signing in again keeps. */
export interface Install {
  id: string;
  app: App;
  user: SandboxUser;
  refreshToken: string;
  expiresAt: number;
}

export interface Code {
  app: App;
  user: SandboxUser;
  redirectUri: string;
  expiresAt: number;
  codeChallenge?: string;
  codeChallengeMethod?: string;
}

export class Store {
  readonly apps: ReadonlyMap<string, App>;
  readonly people: People;
  readonly rotate: boolean;
  readonly codes = new Capped<Code>(10_000);
  /** By refresh token. No cap: of those that have not expired there are never more than apps times people. */
  readonly #installs = new Map<string, Install>();
  readonly #accessTokens = new Capped<{ install: Install; expiresAt: number }>(10_000);
  #advanced = 0;

  constructor({ apps, users, rotate }: ResolvedOptions) {
    this.apps = new Map(apps.map((app) => [app.clientId, app]));
    this.people = new People(users);
    this.rotate = rotate;
  }

  /** The sandbox's clock, in milliseconds since 1970. */
  now(): number {
    return Date.now() + this.#advanced;
  }

  advance(milliseconds: number): void {
    this.#advanced += milliseconds;
  }

  /** The app with this client id. Throws where none is registered. */
  app(clientId: string): App {
    const app = this.apps.get(clientId);
    if (app) return app;
    throw new TypeError(`No app is registered with this clientId, but ${[...this.apps.keys()].join(', ')}`);
  }

  /** The JWT secret follows if it is the default. */
  resetSecret(app: App, clientSecret: string): void {
    if (typeof clientSecret !== 'string' || clientSecret === '')
      throw new TypeError('clientSecret must be text that is not empty');
    if (app.jwtSecret === app.clientSecret) app.jwtSecret = clientSecret;
    app.clientSecret = clientSecret;
  }

  /** Expired codes stay for a while, since Pipedrive tells them from unknown ones. */
  saveCode(code: string, details: Omit<Code, 'expiresAt'>): number {
    const expiresAt = this.now() + lifetime.code;
    this.codes.set(code, { ...details, expiresAt });
    return expiresAt;
  }

  /** The user's install of the app, new or prolonged by its use. */
  install(app: App, user: SandboxUser): Install {
    const known = this.findInstall(app, user);
    const install = known ?? { id: randomUUID(), app, user, refreshToken: newRefreshToken(user), expiresAt: 0 };
    install.expiresAt = this.now() + lifetime.refreshToken;
    this.#installs.set(install.refreshToken, install);
    return install;
  }

  get installs(): Install[] {
    return [...this.#installs.values()].filter((install) => install.expiresAt > this.now());
  }

  findInstall(app: App, user: SandboxUser): Install | undefined {
    return this.installs.find((install) => install.app === app && install.user === user);
  }

  installOf(refreshToken: string): Install | undefined {
    const install = this.#installs.get(refreshToken);
    return install && install.expiresAt > this.now() ? install : undefined;
  }

  /** Gives the install another refresh token. Answers whether the one that was given is its current one. */
  rotateRefreshToken(refreshToken: string): boolean {
    const install = this.installOf(refreshToken);
    if (!install) return false;
    this.#installs.delete(refreshToken);
    install.refreshToken = newRefreshToken(install.user);
    this.#installs.set(install.refreshToken, install);
    return true;
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
    return this.installOf(token.install.refreshToken) === token.install ? token.install : undefined;
  }

  dropAccessToken(accessToken: string): void {
    this.#accessTokens.delete(accessToken);
  }
}
