// What TypeScript users see of passport-pipedrive-oauth2/installations, and what must not compile. Nothing of this is run.
import type {
  PipedriveProfile,
  PipedriveStrategy,
  PipedriveTokens,
  PipedriveUninstall,
} from 'passport-pipedrive-oauth2';
import {
  Installations,
  type InstallationsOptions,
  NotInstalledError,
  sealed,
  type TokenStore,
} from 'passport-pipedrive-oauth2/installations';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const is = <_Check extends true>() => {};

const store: TokenStore = {
  get: async (id) => (id === '1:777' ? { access_token: 'token' } : undefined),
  set: async (id, value) => {
    is<Equal<typeof id, string>>();
    is<Equal<typeof value, object>>();
  },
  delete: (_id) => true,
  claim: async (_key, ms) => ms > 0,
};
const options: InstallationsOptions = { store, refreshAhead: undefined, onError: (_error, { id }) => id.length };

export async function useInstallations(strategy: PipedriveStrategy, profile: PipedriveProfile): Promise<void> {
  const installations = new Installations(strategy, options);
  new Installations(strategy, { store: new Map<string, PipedriveTokens>(), storeTimeout: 500, concurrency: 10 });
  new Installations(strategy, { store: { ...store, claim: undefined } });
  new Installations(strategy, { store: sealed(store, [new Uint8Array(32), 'key'], { acceptPlain: true }) });
  strategy.uninstall((notice: PipedriveUninstall) => installations.remove(notice));

  const tokens = await installations.tokens({ companyId: 1, userId: '777' }, { rejected: undefined });
  is<Equal<typeof tokens, PipedriveTokens>>();
  const { expires_at: _expiry, ...response } = tokens;
  await installations.save(profile, response);
  await installations.uninstall('1:777').catch((error: unknown) => {
    if (!(error instanceof NotInstalledError)) throw error;
    is<Equal<typeof error.code, 'not_installed'>>();
    is<Equal<typeof error.status, 401>>();
  });

  // @ts-expect-error a store has get, set and delete
  new Installations(strategy, { store: { get: () => undefined } });
  // @ts-expect-error a store is required
  new Installations(strategy, {});
  // @ts-expect-error a claim answers true or false
  new Installations(strategy, { store: { ...store, claim: async () => 'OK' } });
  // @ts-expect-error whose tokens?
  await installations.tokens({ companyId: 1 });
  // @ts-expect-error a token response has a refresh token
  await installations.save('1:777', { access_token: 'token', expires_in: 3600 });
}
