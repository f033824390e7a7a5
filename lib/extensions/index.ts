// Everything that `passport-pipedrive-oauth2/extensions` exports.
export { ExtensionTokenError, type PipedriveExtensionFailure } from './errors';
export {
  type ExtensionVerifyContext,
  type ExtensionVerifyFunction,
  PipedriveExtensionStrategy,
  type PipedriveExtensionStrategyOptions,
} from './strategy';
export { type PipedriveExtensionUser, readExtensionToken } from './token';
