// What Pipedrive's server sends to an app's callback URL: once, whatever the response, and here to loopback hosts only.
import { sharingNotice, uninstallNotice } from './bodies';
import { isLoopback } from './loopback';
import type { App } from './options';
import { send } from './send';
import type { Install } from './store';
import type { SandboxUser } from './users';

/** Milliseconds that an app has for its response. */
const patience = 5_000;

async function notify({ callbackURL }: App, method: string, body: object, headers = {}): Promise<number | undefined> {
  const target = new URL(callbackURL);
  if (!isLoopback(target)) return undefined;
  const sent = { method, headers: { ...headers, 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
  try {
    return (await send(target, { ...sent, timeout: patience })).status;
  } catch {
    return undefined;
  }
}

/** Tells the app that it was uninstalled. Resolves to the status of the app's response, if there is one. */
export function sendUninstall({ app, user }: Install, now: number): Promise<number | undefined> {
  const { clientId, clientSecret } = app;
  const timestamp = new Date(now).toISOString();
  const credentials = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
  const body = uninstallNotice({ clientId, companyId: user.company_id, userId: user.id, timestamp });
  return notify(app, 'DELETE', body, { Authorization: `Basic ${credentials}` });
}

/** Tells the app that somebody shares it with their company, or no longer does. No authentication is documented. */
export function sendSharing(app: App, user: SandboxUser, isShared: boolean): Promise<number | undefined> {
  return notify(app, 'POST', sharingNotice({ companyId: user.company_id, userId: user.id, isShared }));
}
