// The option `skipUserProfile` in all the forms that passport-oauth2 knows.
import { fromCallback } from './from-callback';

export type SkipUserProfile =
  | boolean
  | (() => boolean)
  | ((accessToken: string, done: (error: unknown, skip?: boolean) => void) => void);

/** Puts the option behind one signature. A function of two parameters answers by callback, else by what it returns. */
export function resolveSkip(skip: SkipUserProfile): (accessToken: string) => boolean | Promise<boolean> {
  if (typeof skip !== 'function') return () => skip;
  return async (accessToken) => {
    const [skips] = await fromCallback<[unknown]>((done) => {
      const returned: unknown = skip(accessToken, done);
      if (skip.length < 2) done(null, returned);
      return returned;
    });
    return Boolean(await skips);
  };
}
