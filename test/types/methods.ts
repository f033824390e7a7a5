// What the strategy does besides signing in, and what its failures and errors tell.
import { Agent } from 'node:http';
import type { Express, Request } from 'express';
import {
  InternalOAuthError,
  type PipedriveFailure,
  PipedriveStrategy,
  type PipedriveTokens,
  type PipedriveUninstall,
  TokenError,
} from 'passport-pipedrive-oauth2';
import { is, options } from './checks.js';

const strategy = new PipedriveStrategy(options, ({ profile }) => profile);

export async function life(tokens: PipedriveTokens): Promise<void> {
  is<PipedriveTokens>()(await strategy.refresh(tokens.refresh_token));
  await strategy.revoke(tokens.access_token, 'access_token');
  // @ts-expect-error no such hint
  await strategy.revoke(tokens.access_token, 'id_token');
  strategy.uninstall(({ clientId, userId, companyId, timestamp }, req) => {
    is<PipedriveUninstall>()({ clientId, userId, companyId, timestamp });
    is<Request>()(req);
  });
  is<PipedriveUninstall>()(strategy.readUninstall({ headers: new Headers(), body: '' }));
  strategy._oauth2.setAgent(new Agent());
}

export function route(app: Express): void {
  app.delete(
    '/callback',
    strategy.uninstall(() => {}),
  );
}

export function codeOf(failure: PipedriveFailure | TokenError): string {
  is<string>()(failure.code);
  return failure instanceof TokenError ? failure.message : String(failure.description);
}

export const isOurs = (error: unknown) => error instanceof InternalOAuthError || error instanceof TokenError;
