// The keys that sign flows in cookies: derived from the store's secrets, or from the client secret of the request.
import { createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';
import type { StateMetadata } from './store';

/** The first one signs, all verify. */
export type Keys = readonly [KeyObject, ...KeyObject[]];

/** How many keys are remembered, for apps whose tenants have a client secret each. */
const MAX_REMEMBERED = 32;
const remembered = new Map<string, KeyObject>();

/** Beside the metadata and not in it, since stores of the app's own see those, and may log them. */
const clientSecrets = new WeakMap<StateMetadata, string>();

/** Lets a `CookieStateStore` without a secret of its own sign with the client secret of this request. */
export function setClientSecret(meta: StateMetadata, clientSecret: string): void {
  clientSecrets.set(meta, clientSecret);
}

/** The key from the client secret of the request with this metadata. */
export function clientKeyFor(meta: StateMetadata): KeyObject {
  const secret = clientSecrets.get(meta);
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
