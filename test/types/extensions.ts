// What TypeScript users see of passport-pipedrive-oauth2/extensions, and what must not compile. Nothing of this is run.
import type { Request } from 'express';
import * as passport from 'passport';
import {
  ExtensionTokenError,
  type ExtensionVerifyContext,
  type PipedriveExtensionFailure,
  PipedriveExtensionStrategy,
  type PipedriveExtensionStrategyOptions,
  type PipedriveExtensionUser,
  readExtensionToken,
} from 'passport-pipedrive-oauth2/extensions';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_Check extends true>() => {};

passport.use(
  new PipedriveExtensionStrategy({ secret: 'secret' }, ({ id, companyId, userId, issuedAt, expiresAt, req }) => {
    is<Equal<typeof id, string>>();
    is<Equal<typeof companyId, number>>();
    is<Equal<typeof userId, number>>();
    is<Equal<typeof issuedAt, number | undefined>>();
    is<Equal<typeof expiresAt, number>>();
    is<Equal<typeof req, Request>>();
    return { id };
  }),
);
passport.use('panel', new PipedriveExtensionStrategy({ secret: ['new', 'old'] as const }, async () => false));
passport.authenticate(new PipedriveExtensionStrategy({ secret: ['new', 'old'] }, ({ id }) => ({ id })));

export class Panel extends PipedriveExtensionStrategy {
  override name = 'panel';

  constructor(options: PipedriveExtensionStrategyOptions) {
    super(options, ({ id }: ExtensionVerifyContext) => ({ id }));
  }

  override authenticate(req: Request): void {
    super.authenticate(req, { session: false });
  }
}

// @ts-expect-error secret is required
new PipedriveExtensionStrategy({}, () => false);
// @ts-expect-error a secret is text
new PipedriveExtensionStrategy({ secret: 1 }, () => false);
// @ts-expect-error verify is required
new PipedriveExtensionStrategy({ secret: 'secret' });
// @ts-expect-error verify has one parameter
new PipedriveExtensionStrategy({ secret: 'secret' }, (_context, _done) => false);

export async function read(token: string | null): Promise<PipedriveExtensionFailure | PipedriveExtensionUser> {
  try {
    const user = await readExtensionToken(token, ['new', 'old']);
    is<Equal<typeof user, PipedriveExtensionUser>>();
    return user;
  } catch (error) {
    if (!(error instanceof ExtensionTokenError)) throw error;
    const { code, message, status, headers } = error;
    is<Equal<typeof status, number>>();
    is<Equal<typeof headers, Record<string, string>>>();
    switch (code) {
      case 'token_missing':
      case 'token_expired':
      case 'token_invalid':
      case 'token_mismatch':
      case 'invalid_request':
        return { code, message };
      default: {
        const none: never = code;
        return none;
      }
    }
  }
}
