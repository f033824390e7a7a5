// The strategy for the iframes in which Pipedrive shows an app's extensions: who is looking, by the token alone.
import type { Request } from 'express';
import type { AuthenticateOptions } from 'passport';
import { Strategy } from 'passport-strategy';
import { applyOutcome, type Outcome, verdictOutcome } from '../outcome';
import { resolveContextVerify, type Verdict, type VerifyCallback } from '../verify';
import { ExtensionTokenError, type PipedriveExtensionFailure } from './errors';
import { checkIds, tokenOf } from './request';
import { type PipedriveExtensionUser, readSecrets, readToken } from './token';

/** Options of `PipedriveExtensionStrategy`. */
export interface PipedriveExtensionStrategyOptions {
  /**
   * The JWT secret of the extension, from Developer Hub; the client secret, where none was set there. Any text that is not
   * empty. Several serve several extensions, or a change of the secret: a token signed with any of them counts.
   */
  secret: string | readonly string[];
}

/** What the verify function gets: who is looking, and the request. */
export interface ExtensionVerifyContext extends PipedriveExtensionUser {
  req: Request;
}

/**
 * A verify function: `({ id, companyId, userId, issuedAt, expiresAt, req })`. It returns or resolves to the user; `false`
 * or `null` fails the request with 401. `undefined`, a throw or a rejection is an error.
 */
export type ExtensionVerifyFunction = (context: ExtensionVerifyContext) => unknown;

/**
 * Tells who is looking at a panel, a modal or a floating window of the app's in Pipedrive, by the token in `?token=` or in
 * a Bearer header. The ids beside it in the query are only compared with it. A failure has a `PipedriveExtensionFailure`
 * as its `info`. Needs no session: the frame has no cookies.
 *
 * @see Pipedrive, custom-ui-extensions
 */
export class PipedriveExtensionStrategy extends Strategy {
  name = 'pipedrive-extension';

  // In a function, since a printed strategy shows its fields, and Passport's copies have no private ones.
  private readonly readUser: (req: Request) => Promise<PipedriveExtensionUser>;
  private readonly verify: (context: ExtensionVerifyContext) => Promise<Verdict>;

  /** Throws a `TypeError` that names the option when one is missing or not what it must be. */
  constructor(options: PipedriveExtensionStrategyOptions, verify: ExtensionVerifyFunction) {
    super();
    const secrets = readSecrets(options?.secret, 'secret');
    this.readUser = async (req) => {
      const user = await readToken(tokenOf(req), secrets);
      checkIds(req, user);
      return user;
    };
    this.verify = resolveExtensionVerify(verify);
  }

  /** Passport calls it for each request. */
  override authenticate(req: Request, options: AuthenticateOptions = {}): void {
    applyOutcome(this, req, this.decide(req), options);
  }

  private async decide(req: Request): Promise<Outcome> {
    let user: PipedriveExtensionUser;
    try {
      user = await this.readUser(req);
    } catch (error) {
      if (error instanceof ExtensionTokenError) return failure(error);
      throw error;
    }
    return verdictOutcome(await this.verify({ ...user, req }));
  }
}

function failure({ code, message, status, headers, reason }: ExtensionTokenError): Outcome {
  const info: PipedriveExtensionFailure = { code, message };
  return { action: 'fail', info, status, headers, reason };
}

function resolveExtensionVerify(verify: ExtensionVerifyFunction) {
  if (typeof verify !== 'function') throw new TypeError('verify is required and must be a function');
  if (verify.length > 1) {
    throw new TypeError('verify must take one argument: ({ id, companyId, userId, issuedAt, expiresAt, req })');
  }
  // With a second argument a parameter that has a default would be filled.
  if (verify.length === 1) return resolveContextVerify(verify);
  // A framework's `(...args)`, such as Nest's, expects a `done` at the end.
  return (context: ExtensionVerifyContext): Promise<Verdict> =>
    new Promise((resolve, reject) => {
      const done: VerifyCallback = (error, user, info) => (error ? reject(error) : resolve({ user, info }));
      const call = resolveContextVerify(() => Reflect.apply(verify, undefined, [context, done]));
      call(context).then(resolve, reject);
    });
}
