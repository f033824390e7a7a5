// Predicates and readers of values that come from elsewhere.
import { types } from 'node:util';

/** Whether a value is an object whose keys can be read. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a value is a string that is not empty. */
export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

/** A string that is not empty; `undefined` when the value is none. */
export function readText(value: unknown): string | undefined {
  return isText(value) ? value : undefined;
}

/** Whether a value is an id of Pipedrive's. */
export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) > 0;
}

const DIGITS = /^[1-9]\d*$/;

/** An id of Pipedrive's as a number, from a number or from its digits; `undefined` when it is neither. */
export function readId(value: unknown): number | undefined {
  const id = typeof value === 'string' && DIGITS.test(value) ? Number(value) : value;
  return isId(id) ? id : undefined;
}

/** The bytes in a buffer or a view of one, or `undefined` when a value is neither. Not copied. */
export function readBytes(value: unknown): Buffer | undefined {
  // `instanceof` would miss those of another realm, such as Jest's jsdom environment.
  if (types.isAnyArrayBuffer(value)) return Buffer.from(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return undefined;
}

/**
 * The values of a header whose name is given in lower case. Headers are those of Node.js, of any `fetch`, a `Map`, or an
 * object with names in any letter case and strings or arrays as values, as in an event of AWS Lambda.
 */
export function readHeader(headers: unknown, name: string): string[] {
  if (typeof headers !== 'object' || headers === null) return [];
  const entries: Iterable<unknown> = isIterable(headers) ? headers : Object.entries(headers);
  const values: unknown[] = [];
  for (const entry of entries) {
    if (!Array.isArray(entry)) continue;
    const [key, value]: unknown[] = entry;
    if (typeof key === 'string' && key.toLowerCase() === name) values.push(value);
  }
  return values.flat().filter((value) => typeof value === 'string');
}

function isIterable(value: object): value is Iterable<unknown> {
  return Symbol.iterator in value && typeof value[Symbol.iterator] === 'function';
}

/** RFC 6749 appendix A.12: the characters of a token. */
const TOKEN = /^[\x20-\x7e]+$/;

/** Whether a value is an access or refresh token. */
export function isToken(value: unknown): value is string {
  return typeof value === 'string' && TOKEN.test(value);
}

/** RFC 6749 §4.1.2.1: the characters of an error code. */
const ERROR_CODE = /^[\x20\x21\x23-\x5b\x5d-\x7e]{1,64}$/;

/** Whether a value can be an error code of OAuth 2.0: RFC 6749's characters, up to 64 of them. */
export function isErrorCode(value: unknown): value is string {
  return typeof value === 'string' && ERROR_CODE.test(value);
}

/** No control characters, as `\P{Cc}` says as well, whose tables make the package slower to load. */
const PRINTABLE = /^[\x20-\x7e\xa0-\uffff]*$/;

/** Whether a text has no control characters, so that it stays on its line. */
export function isPrintable(text: string): boolean {
  return PRINTABLE.test(text);
}

/** The value in a text of JSON, or `undefined` when it is none. */
export function readJSON(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error repeats a part of the text, which may hold a token.
  }
  return undefined;
}

/** The JSON object in a text, or `undefined` when it is none. */
export function readJSONObject(text: string): Record<string, unknown> | undefined {
  const value = readJSON(text);
  return isRecord(value) ? value : undefined;
}

/** A copy without the keys that have no value. */
export function withoutUndefined<T extends object>(object: T): T {
  const copy: Partial<T> = {};
  for (const key of Object.keys(object) as (keyof T)[]) if (object[key] !== undefined) copy[key] = object[key];
  return copy as T;
}
