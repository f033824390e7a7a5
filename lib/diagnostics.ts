// What a developer sees when asking for it, or when a set-up is probably wrong. Never a secret, a token or a code.
import { debuglog } from 'node:util';

/** Prints a line with `NODE_DEBUG=passport-pipedrive-oauth2`. */
export const debug = debuglog('passport-pipedrive-oauth2');

const warned = new Set<string>();

/** Emits a process warning with this code, once per process. */
export function warnOnce(code: string, message: string): void {
  if (warned.has(code)) return;
  warned.add(code);
  process.emitWarning(message, { code });
}
