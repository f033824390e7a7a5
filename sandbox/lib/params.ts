// Parameters of a query or a form, as OAuth has them.
import type { ErrorRequestHandler } from 'express';

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

/** Responds to a form that is too large, or in an unknown charset. Express itself would print the form, secrets and all. */
export const unreadableForm: ErrorRequestHandler = ({ status }, _req, res, _next) => {
  res.status(status).json({ success: false, message: 'Invalid request: unreadable form', error: 'invalid_request' });
};
