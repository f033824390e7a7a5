// The first look at foreign data.

/** Whether a value is an object whose keys can be read. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
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
