// The option `skipUserProfile` in all its forms.
import { fromCallback } from './from-callback';

export type SkipUserProfile =
  | boolean
  | (() => boolean | Promise<boolean>)
  | ((accessToken: string, done: (error: unknown, skip?: boolean) => void) => void);

/**
 * Whether to skip the profile. A function of two parameters answers by callback, any other by what it returns or resolves
 * to; passport-oauth2 treats each promise as "skip".
 */
export async function skipsUserProfile(
  strategy: { readonly _skipUserProfile: unknown },
  accessToken: string,
): Promise<boolean> {
  const { _skipUserProfile: skip } = strategy;
  if (typeof skip !== 'function') return Boolean(skip);
  const call = (...args: unknown[]): unknown => Reflect.apply(skip, strategy, args);
  if (skip.length < 2) return Boolean(await call());
  const [skips] = await fromCallback<[unknown]>((done) => call(accessToken, done));
  return Boolean(skips);
}
