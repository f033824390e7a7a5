// Calls Pipedrive's API for the browser, which never sees the token.
import type { PipedriveTokens } from 'passport-pipedrive-oauth2';
import { type Exchange, maskedExchange, type RawExchange } from './exchange';

/** What may be asked for: nothing that changes anything. */
export const calls = ['/api/v1/users/me', '/api/v1/deals?limit=3'] as const;

export const isCall = (path: unknown): path is (typeof calls)[number] => calls.some((call) => call === path);

/** Milliseconds. */
const patience = 10_000;

/** The strategy has checked that `api_domain` is Pipedrive's, or the sandbox's. */
export async function callPipedrive(path: (typeof calls)[number], tokens: PipedriveTokens): Promise<Exchange> {
  const url = tokens.api_domain.replace(/\/$/, '') + path;
  const headers = { authorization: `Bearer ${tokens.access_token}` };
  const answer = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(patience) }).then(
    async (response): Promise<RawExchange['answer']> => ({ status: response.status, body: await response.text() }),
    () => undefined,
  );
  return maskedExchange({ method: 'GET', url, headers, body: '', answer });
}
