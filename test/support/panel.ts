// The panel of docs/extensions.md as it stands there, in a project of its own, and Pipedrive's page around it.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from 'pipedrive-sandbox';
import type { BrowserContext } from 'playwright-core';
import { clientID, clientSecret } from './app';
import { adaClaims, adaToken } from './extensions';
import { freePort, Project, programsOf, type Running } from './project';

const document = 'docs/extensions.md';
const packages = ['express', 'passport', '@pipedrive/app-extensions-sdk'];

export interface Panel {
  /** Of the app, such as `http://localhost:20001`. */
  origin: string;
  sandbox: Sandbox;
  close(): Promise<void>;
}

/** Starts the panel, on the versions of its packages that are given. */
export async function startPanel(aliases: Record<string, string> = {}): Promise<Panel> {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const [program = ''] = programsOf(document);
  const [script = ''] = programsOf(document, 'javascript');
  const project = await Project.create(packages, aliases);
  await project.write('app.ts', program.replace('listen(3000)', 'listen(process.env.PORT)'));
  await mkdir(join(project.directory, 'public'));
  await project.write('public/panel.js', script);
  await project.compile();
  const callbackURL = `${origin}/auth/pipedrive/callback`;
  const sandbox = await startSandbox({ apps: [{ clientId: clientID, clientSecret, callbackURL }] });
  let running: Running | undefined;
  const close = async () => {
    await running?.stop();
    await sandbox.close();
    await project.remove();
  };
  try {
    running = await project.start('app.js', {
      PORT: String(port),
      PIPEDRIVE_CLIENT_ID: clientID,
      PIPEDRIVE_CLIENT_SECRET: clientSecret,
      PIPEDRIVE_AUTHORIZATION_SERVER: sandbox.origin,
    });
  } catch (error) {
    await close();
    throw error;
  }
  return { origin, sandbox, close };
}

/** The token that Pipedrive gives to the page for Ada: signed with the client secret, which it does by default. */
export const panelToken = (changes?: object) => adaToken(changes, { secret: clientSecret });

/** What Pipedrive adds to the address of a page that Ada looks at. */
export function panelQuery(token = panelToken()): URLSearchParams {
  const { userId, companyId } = adaClaims();
  const where = { resource: 'deal', view: 'details', selectedIds: '3' };
  return new URLSearchParams({ ...where, userId: `${userId}`, companyId: `${companyId}`, id: 'of-the-frame', token });
}

/** Answers the SDK's commands as Pipedrive's page does, by the port that comes with each message. */
const frameScript = `
  addEventListener('message', async ({ data, ports: [port], source }) => {
    if (source !== frames[0] || data.id !== 'of-the-frame' || data.payload.type !== 'command') return;
    const answers = {
      initialize: () => undefined,
      get_signed_token: () => fetch('/signed-token').then((response) => response.json()),
    };
    port.postMessage({ data: await answers[data.payload.command]() });
  });`;

/** Plays Pipedrive's page at `{origin}/deal/3`, which frames the given address. Yields the tokens that the SDK gets. */
export async function playPipedrive(context: BrowserContext, origin: string, framed: string): Promise<string[]> {
  const signed: string[] = [];
  await context.route(`${origin}/deal/3`, (route) =>
    route.fulfill({
      contentType: 'text/html',
      body: `<!doctype html><title>Deal</title><script>${frameScript}</script><iframe src="${framed.replaceAll('&', '&amp;')}"></iframe>`,
    }),
  );
  await context.route(`${origin}/signed-token`, (route) => {
    // Another one each time, as those of Pipedrive are.
    signed.push(panelToken({ iat: 1_700_000_000 + signed.length }));
    return route.fulfill({ json: { token: signed.at(-1) } });
  });
  return signed;
}
