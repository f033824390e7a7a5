// Calls of Pipedrive's API with the official SDK.
import { setTimeout } from 'node:timers/promises';
import type { Installations, Who } from 'passport-pipedrive-oauth2/installations';
import { Configuration, DealsApi } from 'pipedrive/v2';

/** Throws errors with the status, and with the pause that a 429 asks for: the SDK's own have neither. */
function transformResponse(body: string, headers: Record<string, string>, received: number) {
  if (received === 200) return JSON.parse(body);
  const pause = headers['retry-after'] ?? headers['x-ratelimit-reset'] ?? '60';
  const response = { status: received === 429 ? 503 : 502, headers: { 'Retry-After': pause } };
  throw Object.assign(new Error(`Pipedrive's API answered ${received}`), { received, pause: +pause, ...response });
}

/** Lists deals. Tries again after a 401, with a new token, and after a 429 when its pause is over, if that is short. */
export async function listDeals(installations: Installations, who: Who) {
  for (let rejected: string | undefined, isRetry = false; ; isRetry = true) {
    const { access_token: accessToken, api_domain } = await installations.tokens(who, { rejected });
    const configuration = new Configuration({ accessToken, basePath: `${api_domain}/api/v2` });
    configuration.baseOptions = { timeout: 10_000, transformResponse };
    try {
      return (await new DealsApi(configuration).getDeals()).data ?? [];
    } catch (error) {
      const { received, pause = 0, code } = error as { received?: number; pause?: number; code?: string };
      if (received === 401 && !isRetry) rejected = accessToken;
      else if (received === 429 && !isRetry && pause <= 5) await setTimeout(pause * 1000);
      // Axios's error of a broken connection contains the access token, which would get into the log.
      else throw received ? error : Object.assign(new Error(`Pipedrive's API has failed: ${code}`), { status: 502 });
    }
  }
}
