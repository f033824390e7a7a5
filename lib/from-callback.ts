// Calls functions of the app's that answer by callback.

/**
 * What a function passes to its callback, the first time. A throw is an error, and so is the rejection of a promise
 * that it returns, which would otherwise be nobody's.
 */
export function fromCallback<T extends unknown[]>(
  call: (callback: (error?: unknown, ...results: Partial<T>) => void) => unknown,
): Promise<Partial<T>> {
  return new Promise((resolve, reject) => {
    const returned = call((error, ...results) => (error ? reject(error) : resolve(results)));
    if (isPromise(returned)) returned.then(undefined, reject);
  });
}

export function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
