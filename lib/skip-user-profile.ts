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
export async function skipsUserProfile(skip: unknown, accessToken: string): Promise<boolean> {
  if (typeof skip !== 'function') return Boolean(skip);
  if (skip.length < 2) return Boolean(await skip());
  const [skips] = await fromCallback<[unknown]>((done) => skip(accessToken, done));
  return Boolean(skips);
}
