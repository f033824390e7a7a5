// Calls of Pipedrive's API with the official SDK.
import { setTimeout } from 'node:timers/promises';
import type { Installations, Who } from 'passport-pipedrive-oauth2/installations';
import { Configuration, type ConfigurationParameters, DealsApi } from 'pipedrive/v2';

/** Its errors have the status, and the pause that a 429 asks for, which the SDK's own do not have. */
class Deals extends DealsApi {
  constructor(parameters: ConfigurationParameters) {
    super(new Configuration(parameters));
    this.axios.defaults.transformResponse = (body, headers, received) => {
      if (received === 200) return JSON.parse(body);
      const pause = headers['retry-after'] ?? headers['x-ratelimit-reset'] ?? '60';
      const answer = { status: received === 429 ? 503 : 502, headers: { 'Retry-After': pause } };
      throw Object.assign(new Error(`Pipedrive's API answered ${received}`), {
        received,
        pause: Number(pause),
        ...answer,
      });
    };
  }
}

/** Lists deals. Tries again after a 401, with a new token, and after a 429 when its pause is over, if that is short. */
export async function listDeals(installations: Installations, who: Who) {
  let rejected: string | undefined;
  for (let isRetry = false; ; isRetry = true) {
    const { access_token: accessToken, api_domain } = await installations.tokens(who, { rejected });
    try {
      return (await new Deals({ accessToken, basePath: `${api_domain}/api/v2` }).getDeals()).data ?? [];
    } catch (error) {
      const { received, pause = 0, code } = error as { received?: number; pause?: number; code?: string };
      if (received === 401 && !isRetry) rejected = accessToken;
      else if (received === 429 && !isRetry && pause <= 5) await setTimeout(pause * 1000);
      // Axios's error of a broken connection contains the access token, which would get into the log.
      else throw received ? error : new Error(`Pipedrive's API could not be reached: ${code}`);
    }
  }
}
