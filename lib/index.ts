// Everything that `passport-pipedrive-oauth2` exports.
export { InternalOAuthError, TokenError } from 'passport-oauth2';
export type { PipedriveAuthenticateOptions } from './authenticate-options';
export type { PipedriveOAuth2 } from './oauth2';
export type { PipedriveStrategyOptions, PipedriveStrategyOptionsWithRequest } from './options';
export type { PipedriveFailure } from './outcome';
export { Strategy, type StrategyConstructor } from './passport-strategy';
export type { PipedriveAccess, PipedriveProfile, PipedriveUser } from './profile';
export { CookieStateStore, type CookieStateStoreOptions } from './state/cookie';
export { SessionStateStore, type SessionStateStoreOptions } from './state/session';
export type {
  FlowDetails,
  StateMetadata,
  StateRefusal,
  StateStore,
  StateStoreCallback,
  StateVerifyCallback,
} from './state/store';
export { PipedriveStrategy } from './strategy';
export type { PipedriveTokens } from './tokens';
export type { PipedriveUninstall, UninstallHandler, UninstallMiddleware, UninstallRequest } from './uninstall';
export type {
  PassportVerifyFunction,
  VerifyCallback,
  VerifyContext,
  VerifyFunction,
  VerifyFunctionWithRequest,
} from './verify';
