// "The account": the gateway, and the life of the tokens. Each action ends on the page, which says what happened.
import { type Request, type RequestHandler, type Response, Router } from 'express';
import { InternalOAuthError, TokenError } from 'passport-pipedrive-oauth2';
import { Account } from '../account';
import { callPipedrive, calls, isCall } from '../gateway';
import type { DemoOptions } from '../options';
import { accountOf, page } from '../pages';
import { meanings } from '../words';

/** Runs an action for the user who is signed in; everybody else is sent to the page where they can sign in. */
const forAccount =
  (action: (account: Account, req: Request) => Promise<void>): RequestHandler =>
  async (req, res) => {
    const account = accountOf(req);
    if (account) await action(account, req);
    res.redirect(303, '/account#happened');
  };

/** Notes why Pipedrive was not reached or did not answer well. Throws other errors. */
function noteTrouble(account: Account, error: unknown): void {
  if (!(error instanceof TokenError || error instanceof InternalOAuthError)) throw error;
  const exchanges = account.client.recorder.take();
  account.happening = { title: 'That did not work', text: `${error.name}: ${error.message}`, isBad: true, exchanges };
}

async function refresh(account: Account): Promise<void> {
  const { strategy, recorder } = account.client;
  try {
    account.tokens = await strategy.refresh(account.tokens.refresh_token);
    const text = 'There is a new access token. The refresh token is the same, and good for another 60 days.';
    account.happening = { title: 'Refreshed', text, exchanges: recorder.take() };
  } catch (error) {
    noteTrouble(account, error);
    // The one error that another attempt cannot cure: the user has to install the app again.
    account.hasEnded = error instanceof TokenError && error.code === 'invalid_grant';
  }
}

async function revoke(account: Account): Promise<void> {
  const { strategy, recorder } = account.client;
  try {
    await strategy.revoke(account.tokens.refresh_token, 'refresh_token');
    const text = 'The refresh token has ended, and the access token with it: the app is no longer installed.';
    account.end({ title: 'Revoked', text, exchanges: recorder.take() });
  } catch (error) {
    noteTrouble(account, error);
  }
}

async function callGateway(account: Account, req: Request): Promise<void> {
  const path: unknown = req.body?.path;
  if (!isCall(path)) return;
  const exchange = await callPipedrive(path, account.tokens);
  const text = 'The page asked this app, the app asked Pipedrive, and put the token in on the way.';
  account.happening = { title: `GET ${path}`, text, isBad: exchange.answer?.status !== 200, exchanges: [exchange] };
}

export function accountRoutes({ sandbox }: DemoOptions) {
  const show = (req: Request, res: Response) => {
    const account = accountOf(req);
    const ended = !account && req.user instanceof Account ? req.user : undefined;
    const isSandbox = account?.tokens.api_domain === sandbox.origin;
    res.send(page('account', { account, ended, calls, meanings, isSandbox, sandbox: sandbox.origin }));
  };

  const signOut = (req: Request) =>
    new Promise<void>((resolve, reject) =>
      req.logout({ keepSessionInfo: true }, (error) => (error ? reject(error) : resolve())),
    );

  return Router()
    .get('/account', show)
    .post('/refresh', forAccount(refresh))
    .post('/revoke', forAccount(revoke))
    .post('/gateway', forAccount(callGateway))
    .post(
      '/sign-out',
      forAccount((_account, req) => signOut(req)),
    );
}
