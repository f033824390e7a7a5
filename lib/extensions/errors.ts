// Why a request does not tell who is looking: the codes with their statuses, and the error that has them.

interface Failure {
  status: number;
  message: string;
}

const FAILURES = {
  token_missing: { status: 401, message: 'This page works inside Pipedrive only. Open it there.' },
  token_expired: { status: 401, message: 'This page has been open for too long. Reload Pipedrive, and try again.' },
  token_invalid: { status: 401, message: 'We could not verify who you are. Reload Pipedrive, and try again.' },
  token_mismatch: { status: 403, message: 'This page was opened for another user. Reload Pipedrive, and try again.' },
  invalid_request: { status: 400, message: 'The request is not valid. Reload Pipedrive, and try again.' },
} satisfies Record<string, Failure>;

export type FailureCode = keyof typeof FAILURES;

/** Why a request to the extension strategy failed: the `info` of the failure, and `req.authInfo` after it. */
export interface PipedriveExtensionFailure {
  /** Stable name of the failure. */
  code: FailureCode;
  /** A fixed sentence, safe to show to the user. */
  message: string;
}

/**
 * A token that does not tell who is looking. `status`, `statusCode`, `expose` and `headers` are in the form of
 * http-errors, so that Express, Nest, Koa and Fastify answer it by themselves. Neither the token nor a secret is in it.
 */
export class ExtensionTokenError extends Error {
  override readonly name = 'ExtensionTokenError';
  readonly status: number;
  readonly statusCode: number;
  readonly expose = true;
  readonly headers: Record<string, string>;

  constructor(
    readonly code: FailureCode,
    /** Why, for the developer. The user need not see it. */
    readonly reason: string,
  ) {
    const { status, message } = FAILURES[code];
    super(message);
    this.status = status;
    this.statusCode = status;
    // RFC 9110 §11.6.1: a 401 says how to authenticate.
    this.headers = status === 401 ? { 'WWW-Authenticate': 'Bearer' } : {};
  }
}
