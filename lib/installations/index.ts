// Everything that the sub-path exports.
export { NotInstalledError } from './errors';
export { Installations } from './installations';
export type { InstallationsOptions, RefreshingStrategy } from './options';
export { type SealedOptions, type SealingKey, sealed } from './sealed';
export type { TokenStore } from './store';
export type { UnsavedTokens } from './stored-tokens';
export type { Who } from './who';
