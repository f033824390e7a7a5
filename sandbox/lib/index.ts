// What `pipedrive-sandbox` exports.
export * from './bodies';
export type { SandboxApp, SandboxOptions } from './options';
export type { Who } from './people';
export { startSandbox } from './sandbox';
export type { Endpoint, Environment, ExtensionDetails, Fault, FaultOptions, RecordedRequest, Sandbox } from './types';
export { type SandboxUser, type User, type Users, users } from './users';
