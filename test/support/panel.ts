// The panel of docs/extensions.md as it stands there, in a project of its own, beside a sandbox.
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from 'pipedrive-sandbox';
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

/** A Pipedrive with the app. */
export const startSandboxFor = (callbackURL: string) =>
  startSandbox({ apps: [{ clientId: clientID, clientSecret, callbackURL }] });

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
  const sandbox = await startSandboxFor(callbackURL);
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
