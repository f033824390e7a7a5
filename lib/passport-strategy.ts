// `Strategy`: `PipedriveStrategy` under passport-oauth2's name, typed for Passport's own verify forms.
import type { PipedriveStrategyOptions, PipedriveStrategyOptionsWithRequest } from './options';
import { PipedriveStrategy } from './strategy';
import type { PassportVerifyFunction, VerifyFunction, VerifyFunctionWithRequest } from './verify';

/** `PipedriveStrategy` as a constructor that infers the parameters of Passport's own verify forms. */
export interface StrategyConstructor {
  /**
   * Throws a `TypeError` that names the option when one is missing or not what it must be. The verify form of one
   * argument needs an annotated parameter here, and none with `PipedriveStrategy`.
   */
  new (options: PipedriveStrategyOptions, verify: PassportVerifyFunction): PipedriveStrategy;
  new (options: PipedriveStrategyOptionsWithRequest, verify: VerifyFunctionWithRequest): PipedriveStrategy;
  new (options: PipedriveStrategyOptions, verify: VerifyFunction): PipedriveStrategy;
  readonly prototype: PipedriveStrategy;
}

/**
 * The same class as `PipedriveStrategy`. TypeScript infers the parameters of a verify function from the first signature
 * only, so Passport's forms need a constructor type of their own.
 */
export const Strategy: StrategyConstructor = PipedriveStrategy;
export type Strategy = PipedriveStrategy;
