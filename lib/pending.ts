// What is kept only during a sign-in or a refresh, in private fields: a printed strategy shows none of it.
import type { PipedriveTokens } from './tokens';

/** Token responses of the pending sign-ins, since `_loadUserProfile` and `userProfile` get the access token alone. */
export class PendingTokens {
  readonly #byAccessToken = new Map<string, PipedriveTokens[]>();

  /** Keeps a token response until the function that it returns is called. */
  add(tokens: PipedriveTokens): () => void {
    const { access_token: key } = tokens;
    this.#byAccessToken.set(key, [...(this.#byAccessToken.get(key) ?? []), tokens]);
    return () => {
      const others = this.#byAccessToken.get(key)?.filter((other) => other !== tokens) ?? [];
      if (others.length > 0) this.#byAccessToken.set(key, others);
      else this.#byAccessToken.delete(key);
    };
  }

  /** The token response with this access token. */
  get(accessToken: string): PipedriveTokens | undefined {
    return this.#byAccessToken.get(accessToken)?.at(-1);
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
