// The errors of this sub-path, and how Pipedrive's refusal of a refresh token is recognised.
import { isRecord } from '../values';

/**
 * There are no tokens for this user and company, or Pipedrive no longer accepts them (`cause` is then its
 * `invalid_grant`): the user must install the app again. Its message may be shown.
 */
export class NotInstalledError extends Error {
  override readonly name = 'NotInstalledError';
  readonly code = 'not_installed';
  readonly status = 401;
  readonly statusCode = 401;
  readonly expose = true;

  constructor(options?: { cause?: unknown }) {
    super('The app is not installed for this Pipedrive user. Please install it again.', options);
  }
}

/** The store did not answer in time. As with an outage of Pipedrive, nobody knows whether there are tokens. */
export class StoreTimeoutError extends Error {
  override readonly name = 'StoreTimeoutError';
  readonly code = 'store_timeout';
  readonly status = 503;
  readonly statusCode = 503;
  readonly expose = false;

  constructor(operation: string, timeout: number) {
    super(`The store's ${operation} took longer than ${timeout} ms`);
  }
}

/**
 * Whether Pipedrive has refused the refresh token. The class is not looked at: the strategy comes from another bundle.
 *
 * @see RFC 6749 §5.2
 */
export function isInvalidGrant(error: unknown): boolean {
  return isRecord(error) && error.code === 'invalid_grant';
}
