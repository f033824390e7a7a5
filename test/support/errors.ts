// What no error may show, and no test may leave behind.
import { inspect } from 'node:util';
import { expect } from 'chai';
import { clientID, clientSecret } from './app';
import { accessToken, refreshToken } from './pipedrive';

export const basic = Buffer.from(`${clientID}:${clientSecret}`).toString('base64');

/** Expects no secret, token or code in whatever a log or an error page could show of an error. */
export function expectNoSecrets(error: unknown, ...codes: string[]): void {
  if (!(error instanceof Error)) throw new Error('That is no Error');
  const serialised = [error, error.cause].map((each) => JSON.stringify(each) + inspect(each, { depth: 10 }));
  const texts = [error.message, error.stack, String(error), ...serialised].join('\n');
  for (const secret of [clientSecret, basic, accessToken, refreshToken, ...codes]) expect(texts).not.to.include(secret);
}

/** Expects that no test of a suite leaves a rejection to nobody: it would crash the process. */
export function expectNoUnhandledRejections(): void {
  const unhandled: unknown[] = [];
  const remember = (reason: unknown) => unhandled.push(reason);
  before(() => process.on('unhandledRejection', remember));
  afterEach(() => expect(unhandled.splice(0), 'rejections that nobody handled').to.deep.equal([]));
  after(() => process.off('unhandledRejection', remember));
}
