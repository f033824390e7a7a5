// Calls functions that take a callback of Node.js's style.
import { types } from 'node:util';

/**
 * What a function passes to its callback, the first time. Rejects with the callback's error, with what the function
 * throws, and with the rejection of a promise that it returns, which nobody else would handle.
 */
export function fromCallback<T extends unknown[]>(
  call: (done: (error?: unknown, ...results: Partial<T>) => void) => unknown,
): Promise<Partial<T>> {
  return new Promise((resolve, reject) => {
    const returned = call((error, ...results) => (error ? reject(error) : resolve(results)));
    if (isPromise(returned)) returned.then(undefined, reject);
  });
}

/** Whether a value is a real promise, of any realm. To look at a lazy one, such as a Mongoose query, would run it. */
export function isPromise(value: unknown): value is Promise<unknown> {
  return types.isPromise(value);
}
