// Pipedrive's server says that a user has uninstalled the app: `DELETE {callback URL}`, with the app's own credentials.
import express, { type Request, Router } from 'express';
import { PipedriveStrategy, type PipedriveUninstall } from 'passport-pipedrive-oauth2';
import type { Accounts } from '../account';
import { maskedExchange } from '../exchange';
import type { Credentials, DemoOptions } from '../options';

function noteUninstall({ companyId, userId }: PipedriveUninstall, req: Request, accounts: Accounts, url: string): void {
  const { authorization, 'content-type': type } = req.headers;
  const headers = { authorization, 'content-type': type };
  const exchange = maskedExchange({
    method: 'DELETE',
    url,
    headers,
    body: JSON.stringify(req.body),
    answer: { status: 204, body: '' },
    isIncoming: true,
  });
  const text =
    "The user has uninstalled the app on Pipedrive's side. Pipedrive told this app's server, which forgot the tokens.";
  accounts.get(`${companyId}:${userId}`)?.end({ title: 'Uninstalled', text, exchanges: [exchange] });
}

/** For the apps that the demo was started with: Pipedrive reaches no others on this machine. */
export function uninstallRoute({ callbackURL, sandbox, credentials }: DemoOptions, accounts: Accounts) {
  const middlewareOf = ({ clientID, clientSecret }: Credentials) =>
    new PipedriveStrategy({ clientID, clientSecret, callbackURL }, () => false).uninstall((notice, req) =>
      noteUninstall(notice, req, accounts, callbackURL),
    );
  const ofSandbox = middlewareOf(sandbox);
  const ofPipedrive = credentials && middlewareOf(credentials);
  return Router().delete(new URL(callbackURL).pathname, express.json({ limit: '16kb' }), (req, res, next) => {
    const isPipedrive = ofPipedrive && req.body?.client_id === credentials.clientID;
    return (isPipedrive ? ofPipedrive : ofSandbox)(req, res, next);
  });
}
