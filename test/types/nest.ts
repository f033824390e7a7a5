// Both classes under Nest.
import { PassportStrategy } from '@nestjs/passport';
import type { Request } from 'express';
import { type PipedriveProfile, PipedriveStrategy, type PipedriveTokens, Strategy } from 'passport-pipedrive-oauth2';
import { is, options, optionsWithRequest } from './checks.js';

export class WithStrategy extends PassportStrategy(Strategy) {
  constructor() {
    super(options);
  }

  validate(_accessToken: string, _refreshToken: string, profile: PipedriveProfile) {
    this.uninstall(() => {});
    return { id: profile.id, by: this.name };
  }
}

export class WithRequest extends PassportStrategy(Strategy, 'link', 6) {
  constructor() {
    super(optionsWithRequest);
  }

  async validate(
    req: Request,
    _accessToken: string,
    _refreshToken: string,
    params: PipedriveTokens,
    profile: PipedriveProfile,
  ) {
    return { ip: req.ip, scope: params.scope, id: profile.id };
  }
}

export class WithPipedriveStrategy extends PassportStrategy(PipedriveStrategy, 'pipedrive') {
  constructor() {
    super({ ...options, pkce: true });
  }

  async validate(accessToken: string, _refreshToken: string, profile: PipedriveProfile) {
    is<string>()(this.name);
    await this.revoke(accessToken);
    return profile;
  }

  override userProfile(accessToken: string, done: (error?: unknown, profile?: PipedriveProfile) => void): void {
    super.userProfile(accessToken, done);
  }
}

export class Wrong extends PassportStrategy(Strategy) {
  constructor() {
    // @ts-expect-error clientSecret is required
    super({ clientID: 'id', callbackURL: '/callback' });
  }

  validate() {
    return false;
  }
}
