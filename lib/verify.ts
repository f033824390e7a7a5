// The app's verify function in all its forms, called once, with one result.
import type { Request } from 'express';
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
 * A verify function. Its number of parameters selects its form:
 *
 * - 1: `({ req, accessToken, refreshToken, tokens, profile })`. It returns or resolves to the user; `false` or `null`
 *   fails the sign-in.
 * - 5: `(accessToken, refreshToken, params, profile, done)`, where `params` is the token response.
 * - else: `(accessToken, refreshToken, profile, done)`.
 *
 * One signature serves all forms, because TypeScript infers no parameters from overloads that differ in length. So a
 * parameter has the types that its position can have, together.
 */
export type VerifyFunction = (
  contextOrAccessToken: VerifyContext & string,
  refreshToken: string,
  profileOrParams: PipedriveProfile & PipedriveTokens,
  doneOrProfile: VerifyCallback & PipedriveProfile,
  done: VerifyCallback,
) => unknown;

/**
 * A verify function with `passReqToCallback`: `(req, accessToken, refreshToken, params, profile, done)` where it has 6
 * parameters, else `(req, accessToken, refreshToken, profile, done)`.
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

/** A verify function of any form behind one signature. `profile` is missing with `skipUserProfile`. */
export type Verify = (context: Omit<VerifyContext, 'profile'> & { profile?: PipedriveProfile }) => Promise<Verdict>;

/** A verify function of one argument: what it returns or resolves to is the user. */
export function resolveContextVerify<Context>(verify: (context: Context) => unknown) {
  return async (context: Context): Promise<Verdict> => ({ user: readUser(await verify(context)) });
}

/** Puts a verify function behind one signature. What it throws or rejects with is the rejection. */
export function resolveVerify(verify: (...args: never[]) => unknown, passReqToCallback: boolean): Verify {
  if (typeof verify !== 'function') throw new TypeError('verify is required and must be a function');
  const { length } = verify;
  const call = (...args: unknown[]): unknown => Reflect.apply(verify, undefined, args);

  // With `passReqToCallback` a length of 1 is `(req, ...args)`, as frameworks wrap verify functions.
  if (length === 1 && !passReqToCallback) return resolveContextVerify(call);
  const takesParams = length === (passReqToCallback ? 6 : 5);
  return ({ req, accessToken, refreshToken, tokens, profile }) =>
    new Promise((resolve, reject) => {
      const done: VerifyCallback = (error, user, info) => (error ? reject(error) : resolve({ user, info }));
      const first = passReqToCallback ? [req] : [];
      const params = takesParams ? [tokens] : [];
      const returned = call(...first, accessToken, refreshToken, ...params, profile, done);
      if (isPromise(returned)) {
        returned.then((user) => user !== undefined && resolve({ user: readUser(user) }), reject);
      }
    });
}

function readUser(value: unknown): Express.User | false | null {
  if (value === undefined) {
    throw new TypeError('The verify function returned undefined: return the user, or false for none');
  }
  return value as Express.User | false | null;
}
