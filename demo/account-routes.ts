// What a signed-in user can do: sign out, refresh the token, revoke it. Each ends in a redirect to the page with a note.
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { type PipedriveStrategy, TokenError } from 'passport-pipedrive-oauth2';
import { Account, type Accounts, type Note } from './account';

function goHome(req: Request, res: Response, note: Note): void {
  req.session.note = note;
  res.redirect(303, '/');
}

/** Runs an action for the user who is signed in; everybody else is sent to the page where they can sign in. */
const forAccount =
  (action: (account: Account, req: Request, res: Response) => Promise<void>): RequestHandler =>
  async (req, res) =>
    req.user instanceof Account ? action(req.user, req, res) : res.redirect(303, '/');

/** The session ends, and the note goes into the new one. */
async function signOut(req: Request, res: Response, note: Note): Promise<void> {
  await new Promise<void>((resolve, reject) => req.logout((error) => (error ? reject(error) : resolve())));
  goHome(req, res, note);
}

export function accountRoutes(pipedrive: PipedriveStrategy, accounts: Accounts): Router {
  const refresh = forAccount(async (account, req, res) => {
    try {
      account.tokens = await pipedrive.refresh(account.tokens.refresh_token);
    } catch (error) {
      // The one error that another attempt cannot cure: the user has to install the app again.
      if (!(error instanceof TokenError && error.code === 'invalid_grant')) throw error;
      accounts.delete(account.id);
      return signOut(req, res, 'uninstalled');
    }
    return goHome(req, res, 'refreshed');
  });

  const revoke = forAccount(async (account, req, res) => {
    await pipedrive.revoke(account.tokens.refresh_token, 'refresh_token');
    accounts.delete(account.id);
    return signOut(req, res, 'revoked');
  });

  return Router()
    .post(
      '/sign-out',
      forAccount((_account, req, res) => signOut(req, res, 'signedOut')),
    )
    .post('/refresh', refresh)
    .post('/revoke', revoke);
}
