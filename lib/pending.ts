// What is kept only during a sign-in or a refresh, in private fields: a printed strategy shows none of it.
import type { PipedriveTokens } from './tokens';

/** Token responses of the pending sign-ins, since `_loadUserProfile` and `userProfile` get the access token alone. */
export class PendingTokens {
  readonly #pending = new Set<PipedriveTokens>();

  add(tokens: PipedriveTokens): void {
    this.#pending.add(tokens);
  }

  delete(tokens: PipedriveTokens): void {
    this.#pending.delete(tokens);
  }

  /** The token response with this access token. Few are pending at once: to compare them is quicker than to hash a token. */
  get(accessToken: string): PipedriveTokens | undefined {
    for (const tokens of this.#pending) if (tokens.access_token === accessToken) return tokens;
    return undefined;
  }
}

/** Pending refreshes: calls with the same token at the same time share one request. */
export class PendingRefreshes {
  readonly #byRefreshToken = new Map<string, Promise<PipedriveTokens>>();

  /** The pending refresh of this token, or a new one. */
  join(refreshToken: string, request: () => Promise<PipedriveTokens>): Promise<PipedriveTokens> {
    const pending = this.#byRefreshToken.get(refreshToken);
    if (pending) return pending;
    const refresh = request().finally(() => {
      if (this.#byRefreshToken.get(refreshToken) === refresh) this.#byRefreshToken.delete(refreshToken);
    });
    this.#byRefreshToken.set(refreshToken, refresh);
    return refresh;
  }

  /** Lets no later call join the refreshes that are pending now. */
  clear(): void {
    this.#byRefreshToken.clear();
  }
}
