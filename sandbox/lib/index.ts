// What `pipedrive-sandbox` exports.
export * from './bodies';
export type { ExtensionDetails } from './extension';
export type { Endpoint, Fault, FaultOptions } from './faults';
export type { SandboxApp, SandboxOptions } from './options';
export type { Who } from './people';
export type { RecordedRequest } from './requests';
export { startSandbox } from './sandbox';
export type { Environment, Sandbox } from './types';
export { type SandboxUser, type User, type Users, users } from './users';
