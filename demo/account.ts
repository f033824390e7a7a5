// "The account": the gateway to the API, the token lifecycle, and a panel in Pipedrive. Each action ends on a page that
// says what happened.
import { type ErrorRequestHandler, type Request, type RequestHandler, Router } from 'express';
import type { Authenticator } from 'passport';
import { InternalOAuthError, type PipedriveTokens, TokenError } from 'passport-pipedrive-oauth2';
import { PipedriveExtensionStrategy } from 'passport-pipedrive-oauth2/extensions';
import { NotInstalledError } from 'passport-pipedrive-oauth2/installations';
import { type Sandbox, users } from 'pipedrive-sandbox';
import { Account, type Connection, type Happening } from './connection';
import { secretsOf, shown } from './exchange';
import { accountOf, page } from './pages';
import { Recording, record } from './recorder';

/** What may be asked for: nothing that changes anything. */
export const calls = ['/api/v1/users/me', '/api/v1/deals?limit=3'] as const;

/** Milliseconds. */
const patience = 10_000;
const hour = 3_600_000;

type Said = Omit<Happening, 'recording'>;
type Action = (account: Account, req: Request, recording: Recording) => Promise<Said>;

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
const callGateway: Action = async ({ id, connection: { installations } }, req, recording) => {
  const path = calls.find((one) => one === req.body?.path);
  if (!path) return { title: 'No such call', text: 'The gateway makes the calls that are listed.', isBad: true };
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
};

const refresh: Action = async ({ id, tokens, connection: { installations } }) => {
  await installations.tokens(id, { rejected: tokens?.access_token });
  const text = 'There is a new access token. The refresh token stays the same, and is good for another 60 days.';
  return { title: 'Refreshed', text };
};

const revoke: Action = async ({ id, connection: { installations } }) => {
  await installations.uninstall(id);
  const text = 'The refresh token is revoked, and with it the access token: the app is no longer installed.';
  return { title: 'Revoked', text };
};

/** What went wrong between the app and Pipedrive. Throws other errors. */
async function problem({ id, connection }: Account, error: unknown): Promise<Said> {
  if (error instanceof NotInstalledError) await connection.installations.remove(id);
  else if (!(error instanceof TokenError || error instanceof InternalOAuthError)) throw error;
  return { title: 'That did not work', text: `${error.name}: ${error.message}`, isBad: true };
}

/** Runs an action for the user who is signed in, and shows what happened on the page that asked for it. */
const forAccount =
  (action: Action): RequestHandler =>
  async (req, res) => {
    const account = accountOf(req);
    if (account) {
      const recording = new Recording();
      const run = () => action(account, req, recording).catch((error: unknown) => problem(account, error));
      account.happening = { ...(await record(recording, run)), recording };
    }
    res.redirect(303, req.body?.page === 'reference' ? '/#happened' : '/account#happened');
  };

/** What was done with the tokens last, as the pages show it. */
export function happeningView(account: Account | undefined) {
  if (!account?.happening) return undefined;
  const { recording, ...said } = account.happening;
  const secrets = secretsOf(recording, account.connection.options.clientSecret);
  return { ...said, exchanges: recording.exchanges.map((exchange) => shown(exchange, secrets)) };
}

/** Pipedrive's server has no session: this goes in front of those. */
export const uninstallRoute =
  (connections: Connection[]): RequestHandler =>
  (req, res, next) => {
    const { client_id, company_id, user_id }: Record<string, unknown> = Object(req.body);
    const ofClient = connections.filter(({ options }) => options.clientID === client_id);
    // A client may have several, with another secret or callback URL: the user is in one of them.
    const ofUser = ofClient.find(({ accounts }) => accounts.has(`${company_id}:${user_id}`));
    const connection = ofUser ?? ofClient.at(-1) ?? connections[0];
    return connection ? connection.uninstall(req, res, next) : next();
  };

export function accountRoutes(sandbox: Sandbox) {
  const show: RequestHandler = (req, res) => {
    const account = accountOf(req);
    const former = !account && req.user instanceof Account ? req.user : undefined; // the app has been uninstalled
    const happening = happeningView(account ?? former);
    const isSandbox = account?.connection.options.authorizationServer === sandbox.origin;
    const expires = new Date((account?.tokens?.expires_at ?? 0) * 1000);
    const title = happening ? `${happening.title} · Account` : 'Account';
    res.send(page('account', { title, account, former, calls, happening, expires, isSandbox, sandbox }));
  };

  const passHour: Action = async () => {
    sandbox.advance(hour);
    const text =
      'By the clock of the sandbox, so that it rejects the access token. Make a call: the app gets a new one.';
    return { title: 'An hour has passed', text };
  };

  const signOut: RequestHandler = (req, res, next) =>
    req.logout({ keepSessionInfo: true }, (error) => (error ? next(error) : res.redirect(303, '/account')));

  return Router()
    .get('/account', show)
    .post('/gateway', forAccount(callGateway))
    .post('/refresh', forAccount(refresh))
    .post('/revoke', forAccount(revoke))
    .post('/hour', forAccount(passHour))
    .post('/sign-out', signOut);
}

/** Who looks at the panel, and until when the token says so. */
class Viewer {
  constructor(
    readonly id: string,
    readonly expires: Date,
  ) {}
}

/** By default an extension's tokens are signed with the client secret. */
export const panelStrategy = (secret: string[]) =>
  new PipedriveExtensionStrategy({ secret }, ({ id, expiresAt }) => new Viewer(id, new Date(expiresAt * 1000)));

/** A panel of the app's in Pipedrive: an iframe without cookies, in which only a signed token says who is looking. */
export function panelRoutes(
  passport: Pick<Authenticator, 'authenticate'>,
  { sandbox, connections, origin }: { sandbox: Sandbox; connections: Connection[]; origin: string },
) {
  const show: RequestHandler = (req, res, next) => {
    if (!(req.user instanceof Viewer)) return next();
    const { id, expires } = req.user;
    const account = connections.map(({ accounts }) => accounts.get(id)).find((one) => one?.isInstalled);
    const { resource, selectedIds } = req.query;
    return res.send(page('panel', { id, expires, installed: account?.profile, resource, selectedIds }));
  };

  const refuse: ErrorRequestHandler = (error, { authInfo }, res, next) =>
    authInfo?.message ? res.status(error.status).send(page('panel', { problem: authInfo.message })) : next(error);

  /** The sandbox frames the panel as Pipedrive does. */
  const frame: RequestHandler = (req, res) => {
    const { profile, connection } = accountOf(req) ?? {};
    const { clientID } = connection?.options ?? {};
    const user = (['ada', 'ben', 'cleo'] as const).find((name) => users[name].id === profile?.userId);
    if (!profile || !user || !clientID) return res.redirect('/account');
    const who = { user, companyId: profile.companyId };
    const selected = { resource: 'deal', view: 'details', selectedIds: [1] };
    return res.redirect(sandbox.extensionPage(clientID, `${origin}/panel`, who, selected));
  };

  const identify = passport.authenticate('pipedrive-extension', { session: false, failWithError: true });
  return Router().get('/panel/frame', frame).get('/panel', identify, show).use('/panel', refuse);
}
