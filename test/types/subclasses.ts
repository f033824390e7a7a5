// Subclasses of both classes, with hooks overridden; `Strategy` as a value and as a type.
import type { Request } from 'express';
import type { OAuth2 } from 'oauth';
import type { Strategy as OAuth2Strategy } from 'passport-oauth2';
import {
  type PipedriveAuthenticateOptions,
  type PipedriveProfile,
  PipedriveStrategy,
  type PipedriveStrategyOptions,
  Strategy,
  TokenError,
  type VerifyContext,
} from 'passport-pipedrive-oauth2';
import { is, options, optionsWithRequest } from './checks.js';

type ProfileCallback = (error?: unknown, profile?: PipedriveProfile) => void;

/** With all arguments of its base. */
export class Plain extends PipedriveStrategy {}
new Plain(options, ({ profile }) => profile);
export class PlainStrategy extends Strategy {}
new PlainStrategy(options, (_accessToken, _refreshToken, profile, done) => done(null, profile));

export class Tenant extends PipedriveStrategy {
  readonly tenant: string;

  constructor(tenant: string, more: Partial<PipedriveStrategyOptions> = {}) {
    super({ ...options, ...more }, ({ profile }) => ({ tenant, id: profile.id }));
    this.tenant = tenant;
    this.name = `pipedrive-${tenant}`;
  }

  override authenticate(req: Request, given: PipedriveAuthenticateOptions = {}): void {
    super.authenticate(req, { ...given, state: { tenant: this.tenant } });
  }

  override userProfile(accessToken: string, done: ProfileCallback): void {
    super.userProfile(accessToken, (error, profile) => {
      is<PipedriveProfile | undefined>()(profile);
      if (error || !profile) return done(error);
      done(null, { ...profile, displayName: this.tenant });
    });
  }

  override parseErrorResponse(body: unknown, status: number): Error | null {
    return status === 418 ? new TokenError(String(body), 'teapot') : super.parseErrorResponse(body, status);
  }

  override _loadUserProfile(accessToken: string, done: ProfileCallback): void {
    is<string | undefined>()(this._callbackURL);
    super._loadUserProfile(accessToken, done);
  }

  override _createOAuthError(message: string, error: unknown): Error {
    return super._createOAuthError(`${this.tenant}: ${message}`, error);
  }

  override authorizationParams(given: object): object {
    return { ...super.authorizationParams(given), tenant: this.tenant };
  }

  override tokenParams(given: object): object {
    return { ...super.tokenParams(given), tenant: this.tenant };
  }
}

export class WithDone extends Strategy {
  constructor(given: PipedriveStrategyOptions) {
    super(given, (_accessToken, _refreshToken, params, profile, done) => done(null, { ...params, ...profile }));
  }

  override userProfile(accessToken: string, done: ProfileCallback): void {
    this._oauth2.get(accessToken, accessToken, (error) => done(error));
  }

  // Typed as loosely as in @types/passport-oauth2.
  override authorizationParams(given: { prompt?: string }): object {
    return { prompt: given.prompt };
  }

  override tokenParams(): object {
    return {};
  }
}

export class WithRequest extends Strategy {
  constructor() {
    super(optionsWithRequest, (req, _accessToken, _refreshToken, profile, done) =>
      done(null, { ...profile, ip: req.ip }),
    );
  }
}

export class Wrong extends PipedriveStrategy {
  // @ts-expect-error an access token is text
  override userProfile(accessToken: number, done: ProfileCallback): void {
    done(accessToken);
  }
}

// One class under two names.
const strategy: Strategy = new Strategy(options, (_accessToken, _refreshToken, profile, done) => done(null, profile));
is<PipedriveStrategy>()(strategy);
is<OAuth2Strategy>()(strategy);
is<typeof Strategy>()(PipedriveStrategy);
is<PipedriveStrategy>()(Strategy.prototype);
export const describe = (value: unknown): string =>
  value instanceof Strategy || value instanceof PipedriveStrategy ? value.name : 'another';

// What passport-oauth2 keeps can be read and written, for each tenant.
is<OAuth2>()(strategy._oauth2);
strategy._oauth2.setAgent(false);
strategy._oauth2._clientId = 'another id';
strategy._oauth2._clientSecret = 'another secret';
strategy._callbackURL = '/another';
export const verifyOfTenant = async ({ profile }: VerifyContext) => new Tenant(profile.id).tenant;
