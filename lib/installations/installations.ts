// The tokens of each user and company, fresh whenever the app wants them.
import type { PipedriveTokens } from '../tokens';
import { NotInstalledError } from './errors';
import { type InstallationsOptions, type RefreshingStrategy, resolveOptions } from './options';
import { Refresher } from './refresher';
import { TimedStore } from './store';
import { copyOf, type UnsavedTokens, withExpiry } from './stored-tokens';
import { Turns } from './turns';
import { readWho, type Who } from './who';

/**
 * Keeps the tokens of each installation in the app's store, and refreshes them: one request for each access token in a
 * process, and one among all processes where the store can `claim`.
 *
 * Every method rejects with a `TypeError`, before the store is asked, when `who` is not an installation; with an error
 * whose `code` is `'store_timeout'` when the store is late; and with the store's own error when it fails.
 */
export class Installations {
  // Private to the runtime, too: printing must show no token.
  readonly #strategy: RefreshingStrategy;
  readonly #store: TimedStore;
  readonly #refresher: Refresher;
  readonly #refreshAhead: number;
  readonly #turns = new Turns();

  /**
   * Throws a `TypeError` that names the option when one is not what it must be.
   *
   * @param strategy the strategy whose users these are
   */
  constructor(strategy: RefreshingStrategy, options: InstallationsOptions) {
    const resolved = resolveOptions(strategy, options);
    this.#strategy = strategy;
    this.#store = new TimedStore(resolved.store, resolved.storeTimeout);
    this.#refresher = new Refresher(strategy, this.#store, resolved);
    this.#refreshAhead = resolved.refreshAhead;
  }

  /**
   * Yields tokens to call the API with. They come from the store while they are fresh. `refreshAhead` before their end
   * one caller starts a refresh in the background, which nobody waits for. When they have expired, the callers wait for
   * one refresh.
   *
   * Rejects with `NotInstalledError` when there are none, or Pipedrive refuses them (`invalid_grant`); their row stays.
   * An outage of Pipedrive's is the error of `strategy.refresh`: 502, 503 or 504 in its `status`.
   *
   * @param options.rejected an access token that Pipedrive has answered 401 to: if it is still the stored one, it is
   * refreshed
   */
  async tokens(who: Who, options: { rejected?: string | undefined } = {}): Promise<PipedriveTokens> {
    const id = readWho(who);
    const { rejected } = options;
    if (rejected !== undefined && typeof rejected !== 'string') throw new TypeError('rejected must be a string');

    const turn = this.#turns.begin();
    if (turn) await turn;
    const stored = await this.#store.load(id);
    if (!stored) throw new NotInstalledError();
    const left = stored.expires_at * 1000 - Date.now();
    if (left <= 0 || stored.access_token === rejected) return copyOf(await this.#refresher.refresh(id, stored));
    if (left <= this.#refreshAhead) this.#refresher.refreshInBackground(id, stored);
    return stored;
  }

  /**
   * Keeps the tokens of a sign-in. They replace earlier ones, and a refresh of those that is under way does not undo it.
   * Rejects with a `TypeError` when they are no token response.
   *
   * @param tokens without `expires_at` it is computed from `expires_in`, which counts from now on
   */
  async save(who: Who, tokens: UnsavedTokens): Promise<void> {
    await this.#store.save(readWho(who), withExpiry(tokens));
  }

  /** Forgets an installation, as when Pipedrive tells that the user has uninstalled the app. Of nothing, it resolves. */
  async remove(who: Who): Promise<void> {
    await this.#store.delete(readWho(who));
  }

  /**
   * Uninstalls the app for this user: revokes the refresh token at Pipedrive, then forgets the installation. The tokens of
   * a sign-in that comes meanwhile are revoked as well. When revoking fails, the installation stays, and the rejection is
   * that of `strategy.revoke`. Rejects with `NotInstalledError` when there is none.
   *
   * @see Pipedrive, app-uninstallation
   */
  async uninstall(who: Who): Promise<void> {
    const id = readWho(who);
    let stored = await this.#store.load(id);
    if (!stored) throw new NotInstalledError();
    while (stored) {
      await this.#strategy.revoke(stored.refresh_token, 'refresh_token');
      stored = await this.#store.deleteRevoked(id, stored.refresh_token);
    }
  }
}
