// "The account": the gateway to the API, and the token lifecycle. Each action ends on a page that says what happened.
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { InternalOAuthError, type PipedriveTokens, TokenError } from 'passport-pipedrive-oauth2';
import { NotInstalledError } from 'passport-pipedrive-oauth2/installations';
import type { Sandbox } from 'pipedrive-sandbox';
import { type Account, type Connection, type Happening, withTokens } from './connection';
import { secretsOf, shown } from './exchange';
import { accountOf, formerAccountOf, page } from './pages';
import type { Recording } from './recorder';

/** What may be asked for: nothing that changes anything. */
export const calls = ['/api/v1/users/me', '/api/v1/deals?limit=3'] as const;

/** Milliseconds. */
const patience = 10_000;
const hour = 3_600_000;

type Said = Omit<Happening, 'recording'>;

/** Calls the API with the token put in. The strategy has checked that `api_domain` is Pipedrive's, or the sandbox's. */
async function call(path: string, { api_domain, access_token }: PipedriveTokens, recording: Recording) {
  const url = api_domain.replace(/\/$/, '') + path;
  const headers = { authorization: `Bearer ${access_token}` };
  const exchange = recording.request({ from: 'app', to: 'pipedrive', method: 'GET', url, headers, body: '' });
  try {
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(patience) });
    recording.respond(exchange, response.status);
    exchange.response = { status: response.status, body: await response.text() };
    return response.status;
  } catch {
    return undefined;
  }
}

/** With fresh tokens; when Pipedrive rejects them, once more with new ones. */
async function callGateway({ id, connection: { installations } }: Account, path: string, recording: Recording) {
  const tokens = await installations.tokens(id);
  let status = await call(path, tokens, recording);
  const isRejected = status === 401;
  if (isRejected) {
    const renewed = await installations.tokens(id, { rejected: tokens.access_token });
    status = await call(path, renewed, recording);
  }
  const text = isRejected
    ? 'Pipedrive rejected the access token. The app got a new one for the refresh token, and called again.'
    : 'The page asked this app, and the app asked Pipedrive, with the access token put in on the server.';
  return { title: `${status ?? 'No response'} · GET ${path}`, text, isBad: status !== 200 };
}

async function refresh({ id, tokens, connection: { installations } }: Account): Promise<Said> {
  await installations.tokens(id, { rejected: tokens?.access_token });
  const text = 'There is a new access token. The refresh token stays the same, and is good for another 60 days.';
  return { title: 'Refreshed', text };
}

async function revoke({ id, connection: { installations } }: Account): Promise<Said> {
  await installations.uninstall(id);
  const text = 'The refresh token is revoked, and with it the access token: the app is no longer installed.';
  return { title: 'Revoked', text };
}

/** What went wrong between the app and Pipedrive. Throws other errors. */
async function problem(account: Account, error: unknown): Promise<Said> {
  if (error instanceof NotInstalledError) await account.connection.installations.remove(account.id);
  else if (!(error instanceof TokenError || error instanceof InternalOAuthError)) throw error;
  return { title: 'That did not work', text: `${error.name}: ${error.message}`, isBad: true };
}

/** Runs an action for the user who is signed in, and shows on `back` what happened. */
const forAccount =
  (
    action: (account: Account, req: Request, recording: Recording) => Promise<Said>,
    back = '/account',
  ): RequestHandler =>
  async (req, res) => {
    const account = accountOf(req);
    if (account)
      await withTokens(account, (recording) =>
        action(account, req, recording).catch((error: unknown) => problem(account, error)),
      );
    res.redirect(303, `${req.body?.page === 'reference' ? '/' : back}#happened`);
  };

/** What was done with the tokens last, as the pages show it. */
export function happeningView(account: Account | undefined) {
  if (!account?.happening) return undefined;
  const { recording, ...said } = account.happening;
  const secrets = secretsOf(recording, account.connection.options.clientSecret);
  return { ...said, exchanges: recording.exchanges.map((exchange) => shown(exchange, secrets)) };
}

function accountView(req: Request, sandbox: Sandbox) {
  const account = accountOf(req);
  const former = account ? undefined : formerAccountOf(req);
  const happening = happeningView(account ?? former);
  const isSandbox = account?.connection.options.authorizationServer === sandbox.origin;
  const { expires_at = 0 } = account?.tokens ?? {};
  const title = happening ? `${happening.title} · Account` : 'Account';
  return { title, account, former, calls, happening, expires: new Date(expires_at * 1000), isSandbox };
}

/** Pipedrive's server has no session: this goes in front of those. */
export const uninstallRoute =
  (connections: Connection[]): RequestHandler =>
  (req, res, next) => {
    const isOf = ({ options }: Connection) => options.clientID === req.body?.client_id;
    const connection = connections.find(isOf) ?? connections[0];
    return connection ? connection.uninstall(req, res, next) : next();
  };

export function accountRoutes(sandbox: Sandbox) {
  const signOut = (req: Request, res: Response, next: (error: unknown) => void) =>
    req.logout({ keepSessionInfo: true }, (error) => (error ? next(error) : res.redirect(303, '/account')));

  return Router()
    .get('/account', (req, res) => void res.send(page('account', { ...accountView(req, sandbox), sandbox })))
    .post('/refresh', forAccount(refresh))
    .post('/revoke', forAccount(revoke))
    .post(
      '/gateway',
      forAccount(async (account, req, recording) => {
        const path = calls.find((one) => one === req.body?.path);
        if (!path) return { title: 'No such call', text: 'The gateway makes the calls that are listed.', isBad: true };
        return callGateway(account, path, recording);
      }),
    )
    .post(
      '/hour',
      forAccount(async () => {
        sandbox.advance(hour);
        return {
          title: 'An hour has passed',
          text: 'By the clock of the sandbox, so that it rejects the access token. Make a call: the app gets a new one.',
        };
      }),
    )
    .post('/sign-out', signOut);
}
