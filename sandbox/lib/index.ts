// What `pipedrive-sandbox` exports.
export * from './bodies';
export { type Sandbox, type SandboxOptions, startSandbox } from './sandbox';
export type { SandboxApp } from './store';
