// Checks of types, for the other files here. Nothing of this is run.
type IsAny<T> = 0 extends 1 & T ? true : false;

export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles only where a value can be used as `T`, and is not `any`. */
export const is =
  <T>() =>
  <V>(_value: V, ..._checks: IsAny<V> extends true ? ['is any'] : V extends T ? [] : ['is something else']) => {};

export const options = { clientID: 'id', clientSecret: 'secret', callbackURL: '/callback' };
export const optionsWithRequest = { ...options, passReqToCallback: true } as const;
