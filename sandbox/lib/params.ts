// Parameters of a query or a form, as OAuth has them.

export type Params = Record<string, string | undefined>;

/**
 * Reads what Express parsed. A parameter without a value counts as absent.
 * Answers `undefined` when one is repeated.
 *
 * @see RFC 6749 §3.1, §3.2
 */
export function readParams(parsed: unknown): Params | undefined {
  const params: Params = {};
  for (const [name, value] of Object.entries(parsed ?? {})) {
    if (typeof value !== 'string') return undefined;
    if (value !== '') params[name] = value;
  }
  return params;
}
