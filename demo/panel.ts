// A panel of the app's in Pipedrive: an iframe without cookies, in which only a signed token says who is looking.
import { type ErrorRequestHandler, type RequestHandler, Router } from 'express';
import type { Authenticator } from 'passport';
import { PipedriveExtensionStrategy } from 'passport-pipedrive-oauth2/extensions';
import { type Sandbox, users } from 'pipedrive-sandbox';
import type { Connection } from './connection';
import { accountOf, page } from './pages';

/** Who is looking, and until when the token says so. */
class Viewer {
  constructor(
    readonly id: string,
    readonly expires: Date,
  ) {}
}

/** As the sandbox names its users. */
const names: Partial<Record<number, string>> = {
  [users.ada.id]: 'ada',
  [users.ben.id]: 'ben',
  [users.cleo.id]: 'cleo',
};

/** By default an extension's tokens are signed with the client secret. */
export const panelStrategy = (secret: string[]) =>
  new PipedriveExtensionStrategy({ secret }, ({ id, expiresAt }) => new Viewer(id, new Date(expiresAt * 1000)));

export function panelRoutes(
  passport: Pick<Authenticator, 'authenticate'>,
  sandbox: Sandbox,
  connections: Connection[],
  origin: string,
) {
  const show: RequestHandler = (req, res, next) => {
    if (!(req.user instanceof Viewer)) return next();
    const { id, expires } = req.user;
    const account = connections.map(({ accounts }) => accounts.get(id)).find((one) => one?.isInstalled);
    const { resource, selectedIds } = req.query;
    return res.send(page('panel', { id, expires, installed: account?.profile, resource, selectedIds }));
  };
  const refuse: ErrorRequestHandler = (error, { authInfo }, res, next) =>
    authInfo && 'message' in authInfo
      ? res.status(error.status).send(page('panel', { problem: authInfo.message }))
      : next(error);

  /** The sandbox frames the panel as Pipedrive does. */
  const frame: RequestHandler = (req, res) => {
    const account = accountOf(req);
    const user = names[account?.profile.userId ?? 0];
    const { clientID } = account?.connection.options ?? {};
    if (!account || !user || !clientID) return res.redirect('/account');
    const who = { user, companyId: account.profile.companyId };
    const selected = { resource: 'deal', view: 'details', selectedIds: [1] };
    return res.redirect(sandbox.extensionPage(clientID, `${origin}/panel`, who, selected));
  };

  const identify = passport.authenticate('pipedrive-extension', { session: false, failWithError: true });
  return Router().get('/panel/frame', frame).get('/panel', identify, show).use('/panel', refuse);
}
