// The app's verify function in all its forms, called once, with one result.
import { types } from 'node:util';
import type { Request } from 'express';
import { debug } from './diagnostics';
import { isPromise } from './from-callback';
import type { PipedriveProfile } from './profile';
import type { PipedriveTokens } from './tokens';

/** What a verify function of one argument gets. */
export interface VerifyContext {
  req: Request;
  accessToken: string;
  refreshToken: string;
  tokens: PipedriveTokens;
  /** With `skipUserProfile` it is `undefined` at run time. */
  profile: PipedriveProfile;
}

/** Ends a verify function of Passport's own forms. Only its first call counts. */
export type VerifyCallback = (error?: unknown, user?: Express.User | false | null, info?: object | string) => void;

/**
 * A verify function of any form. Its number of parameters selects the form:
 *
 * - 1: `({ req, accessToken, refreshToken, tokens, profile })`. It returns or resolves to the user; `false` or `null`
 *   fails the sign-in.
 * - 5: `(accessToken, refreshToken, params, profile, done)`, where `params` is the token response.
 * - any other: `(accessToken, refreshToken, profile, done)`.
 *
 * The type of a parameter is the intersection of the types that its position has in these forms.
 */
export type VerifyFunction = (
  contextOrAccessToken: VerifyContext & string,
  refreshToken: string,
  profileOrParams: PipedriveProfile & PipedriveTokens,
  doneOrProfile: VerifyCallback & PipedriveProfile,
  done: VerifyCallback,
) => unknown;

/**
 * A verify function of Passport's own forms: `(accessToken, refreshToken, params, profile, done)` where it has 5
 * parameters, otherwise `(accessToken, refreshToken, profile, done)`.
 *
 * One signature serves both, because TypeScript infers no parameters from overloads that differ in length.
 */
export type PassportVerifyFunction = (
  accessToken: string,
  refreshToken: string,
  profileOrParams: PipedriveProfile & PipedriveTokens,
  doneOrProfile: VerifyCallback & PipedriveProfile,
  done: VerifyCallback,
) => unknown;

/**
 * A verify function with `passReqToCallback`: `(req, accessToken, refreshToken, params, profile, done)` where it has 6
 * parameters, otherwise `(req, accessToken, refreshToken, profile, done)`.
 */
export type VerifyFunctionWithRequest = (
  req: Request,
  accessToken: string,
  refreshToken: string,
  profileOrParams: PipedriveProfile & PipedriveTokens,
  doneOrProfile: VerifyCallback & PipedriveProfile,
  done: VerifyCallback,
) => unknown;

/** What a verify function said: a user, or none and perhaps why. */
export interface Verdict {
  user?: Express.User | false | null;
  info?: object | string;
}

/** What the strategy keeps of its verify function, under passport-oauth2's names. */
export interface VerifyFields {
  readonly _verify: (...args: never[]) => unknown;
  readonly _passReqToCallback?: unknown;
}

/** A verify function of one argument: what it returns or resolves to is the user. */
export function resolveContextVerify<Context>(verify: (context: Context) => unknown) {
  return async (context: Context): Promise<Verdict> => ({ user: readUser(await verify(context)) });
}

/**
 * Calls the verify function in the form that its number of parameters tells. What it throws or rejects with is the
 * rejection. `profile` is missing with `skipUserProfile`.
 */
export async function callVerify(
  strategy: VerifyFields,
  { req, tokens, profile }: { req: Request; tokens: PipedriveTokens; profile: PipedriveProfile | undefined },
): Promise<Verdict> {
  const { _verify: verify, _passReqToCallback: passReqToCallback } = strategy;
  const { access_token: accessToken, refresh_token: refreshToken } = tokens;
  const call = (...args: unknown[]): unknown => Reflect.apply(verify, strategy, args);

  // With `passReqToCallback` a length of 1 is `(req, ...args)`, as frameworks wrap verify functions.
  if (verify.length === 1 && !passReqToCallback) {
    return resolveContextVerify(call)({ req, accessToken, refreshToken, tokens, profile });
  }
  const first = passReqToCallback ? [req] : [];
  const params = verify.length === (passReqToCallback ? 6 : 5) ? [tokens] : [];
  if (debug.enabled) {
    const names = [first[0] && 'req', 'accessToken', 'refreshToken', params[0] && 'params', 'profile', 'done'];
    debug('verify, of length %d, is called with (%s)', verify.length, names.filter(Boolean).join(', '));
  }
  return new Promise((resolve, reject) => {
    let isDone = false;
    const done: VerifyCallback = (error, user, info) => {
      isDone = true;
      return error ? reject(error) : resolve({ user, info });
    };
    const returned = call(...first, accessToken, refreshToken, ...params, profile, done);
    if (isPromise(returned)) {
      returned.then((user) => user !== undefined && resolve({ user: readUser(user) })).catch(reject);
    } else if (!isDone) {
      debug('verify, of length %d, has returned no promise: the sign-in goes on when it calls done', verify.length);
    }
  });
}

function readUser(value: unknown): Express.User | false | null {
  if (value === undefined) {
    throw new TypeError('The verify function returned undefined: return the user, or false for none');
  }
  // Nothing of it has run: to accept this as the user would let everybody in.
  if (types.isGeneratorObject(value)) {
    throw new TypeError('The verify function is a generator: use an async function');
  }
  return value as Express.User | false | null;
}
