// The keys that sign flows in cookies: derived from the store's secrets, or from the client secret of the request.
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import { RequestMetadata } from './metadata';
import type { StateMetadata } from './store';

/** The first one signs, all verify. */
export type Keys = readonly [KeyObject, ...KeyObject[]];

/** How many keys are remembered, for apps whose tenants have a client secret each. */
const MAX_REMEMBERED = 32;
const remembered = new Map<string, KeyObject>();

/** The key from the client secret of the request with this metadata. */
export function clientKeyFor(meta: StateMetadata): KeyObject {
  const secret = RequestMetadata.clientSecretOf(meta);
  if (!secret) throw new Error('CookieStateStore needs a secret where it is used without a PipedriveStrategy');
  const known = remembered.get(secret);
  if (known) return known;

  if (remembered.size >= MAX_REMEMBERED) remembered.clear();
  const key = deriveKey(secret);
  remembered.set(secret, key);
  return key;
}

/** A key for this purpose alone: what the same secret signs for another purpose does not verify here (RFC 5869 §3.2). */
export function deriveKey(secret: string): KeyObject {
  const key = hkdfSync('sha256', secret, '', 'passport-pipedrive-oauth2 state cookie', 32);
  return createSecretKey(Buffer.from(key));
}
