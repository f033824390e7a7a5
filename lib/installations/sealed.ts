// A store over a store that keeps the tokens encrypted: JWE, RFC 7516.
import { isUint8Array } from 'node:util/types';
import { CompactEncrypt, compactDecrypt } from 'jose';
import { isRecord, isText, readJSONObject } from '../values';
import { checkStore } from './options';
import type { TokenStore } from './store';

/** 32 bytes, or the same as base64url. */
export type SealingKey = Uint8Array | string;

export interface SealedOptions {
  /**
   * Weakens the protection when `true`: rows that are not sealed count as well, so whoever can write to the database can
   * put tokens there. It is for the time until each row of an earlier, open store has been saved again.
   *
   * @default false
   */
  acceptPlain?: boolean | undefined;
}

const ALGORITHMS = { alg: 'dir', enc: 'A256GCM' };

/** 32 bytes as base64url. */
const KEY = /^[\w-]{43}=?$/;

/**
 * A store that encrypts the tokens, and keeps `{ sealed: '<JWE>' }` in the given one. Each is bound to its id: copied to
 * another one it does not open. A row that does not open, or is not sealed, is an error of `get`. `claim` is there where
 * the given store has it.
 *
 * Throws a `TypeError` for something that is not a store, for a key that is not 32 bytes, and for a wrong option.
 *
 * @param keys one or several: the first seals, all open. So a new key is put in front of the old one; when the old one is
 * gone, rows that were not saved since do not open.
 * @see RFC 7516 §3.1; RFC 7518 §4.5 (`dir`) and §5.3 (`A256GCM`)
 */
export function sealed(
  store: TokenStore,
  keys: SealingKey | readonly SealingKey[],
  { acceptPlain = false }: SealedOptions = {},
): TokenStore {
  checkStore(store);
  if (typeof acceptPlain !== 'boolean') throw new TypeError('acceptPlain must be true or false');
  const allKeys = readKeys(keys);
  const [firstKey] = allKeys;
  const { claim } = store;
  return {
    async get(id) {
      const row: unknown = await store.get(id);
      if (row === undefined || row === null) return undefined;
      if (isRecord(row) && isText(row.sealed)) return await open(id, row.sealed, allKeys);
      if (acceptPlain) return row;
      throw new Error(`The row of ${id} is not sealed`);
    },
    async set(id, value) {
      await store.set(id, { sealed: await seal(id, value, firstKey) });
    },
    delete: (id) => store.delete(id),
    ...(claim && { claim: (key, ms) => Reflect.apply(claim, store, [key, ms]) }),
  };
}

function seal(id: string, value: object, key: Uint8Array): Promise<string> {
  const plaintext = new TextEncoder().encode(JSON.stringify(value));
  // The header is authenticated with the content, and a private parameter of it names the row (RFC 7516 §4.3).
  return new CompactEncrypt(plaintext).setProtectedHeader({ ...ALGORITHMS, id }).encrypt(key);
}

async function open(id: string, jwe: string, keys: readonly Uint8Array[]): Promise<unknown> {
  for (const key of keys) {
    const opened = await openWith(key, jwe);
    if (!opened) continue;
    if (opened.protectedHeader.id !== id) throw new Error(`The row of ${id} was sealed for another id`);
    const tokens = readJSONObject(new TextDecoder().decode(opened.plaintext));
    if (!tokens) throw new Error(`The row of ${id} holds no tokens`);
    return tokens;
  }
  throw new Error(`The row of ${id} does not open with any of the keys`);
}

function openWith(key: Uint8Array, jwe: string) {
  const allowed = { keyManagementAlgorithms: [ALGORITHMS.alg], contentEncryptionAlgorithms: [ALGORITHMS.enc] };
  return compactDecrypt(jwe, key, allowed).catch(() => undefined);
}

function readKeys(keys: SealingKey | readonly SealingKey[]): [Uint8Array, ...Uint8Array[]] {
  const [first, ...rest] = (Array.isArray(keys) ? keys : [keys]).map(readKey);
  if (!first) throw new TypeError('keys must have at least one key');
  return [first, ...rest];
}

function readKey(key: unknown): Uint8Array {
  const bytes = typeof key === 'string' && KEY.test(key) ? Buffer.from(key, 'base64url') : key;
  if (!isUint8Array(bytes) || bytes.length !== 32)
    throw new TypeError('keys must be 32 bytes each, or their base64url');
  return Uint8Array.from(bytes);
}
