// The options of a sandbox: what they mean, and which are refused.
import { defaultUsers, type SandboxUser, type Users } from './users';

/** An app as it is registered in Pipedrive's Developer Hub. */
export interface SandboxApp {
  clientId: string;
  clientSecret: string;
  /** The one callback URL: requests must name exactly this one. */
  callbackURL: string;
  /** Where the Marketplace's install button leads, so that the app starts the flow. Without it Pipedrive starts it. */
  installationURL?: string | undefined;
  /** Signs the tokens of the app's extensions. @default the client secret */
  jwtSecret?: string | undefined;
  /** What the consent page calls the app. @default 'Your app' */
  name?: string | undefined;
  /** `base` is always granted. @default ['base', 'deals:read', 'users:read'] */
  scopes?: readonly string[] | undefined;
}

export interface SandboxOptions {
  /** The apps that are registered: at least one. */
  apps: readonly SandboxApp[];
  /** The users by name, each as `GET /users/me` has them, or a list of these: one for each company. @default ada, ben, cleo */
  users?: Users | undefined;
  /** Port on 127.0.0.1. @default 0, any free one */
  port?: number | undefined;
  /** Whether each refresh yields a new refresh token, and ends the old one. Pipedrive keeps it. @default false */
  rotate?: boolean | undefined;
}

export interface App extends SandboxApp {
  jwtSecret: string;
  name: string;
  scopes: readonly string[];
}

export interface ResolvedOptions {
  apps: readonly App[];
  users: Users;
  port: number;
  rotate: boolean;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

function check(isFine: boolean, option: string, must: string): void {
  if (!isFine) throw new TypeError(`${option} must be ${must}`);
}

const isHttpURL = (value: unknown) => isText(value) && /^https?:\/\//.test(value) && URL.canParse(value);

function resolveApp(app: SandboxApp, index: number): App {
  const option = `apps[${index}]`;
  check(isRecord(app), option, 'an object');
  const { clientId, clientSecret, callbackURL, installationURL, jwtSecret = clientSecret, name = 'Your app' } = app;
  const { scopes = ['deals:read', 'users:read'] } = app;
  for (const [key, value] of Object.entries({ clientId, clientSecret, jwtSecret, name }))
    check(isText(value), `${option}.${key}`, 'text that is not empty');
  check(!clientId.includes(':'), `${option}.clientId`, 'text without a colon, as HTTP Basic wants it');
  const absolute = 'an absolute URL, like http://localhost:3000/auth/pipedrive/callback';
  check(
    isHttpURL(callbackURL) && !callbackURL.includes('#'),
    `${option}.callbackURL`,
    `${absolute}, without a fragment`,
  );
  check(installationURL === undefined || isHttpURL(installationURL), `${option}.installationURL`, absolute);
  check(Array.isArray(scopes) && scopes.every(isText), `${option}.scopes`, 'a list of text');
  return { ...app, jwtSecret, name, scopes: [...new Set(['base', ...scopes])] };
}

const isId = (value: unknown) => Number.isSafeInteger(value) && Number(value) > 0;

function checkUser(user: SandboxUser, option: string): void {
  check(isRecord(user), option, 'an object, as data of /users/me');
  for (const key of ['id', 'company_id']) check(isId(user[key]), `${option}.${key}`, 'a positive integer');
  check(isText(user.name), `${option}.name`, 'text that is not empty');
}

function checkUsers(users: Users): void {
  check(isRecord(users) && Object.keys(users).length > 0, 'users', 'an object with at least one user');
  for (const [name, data] of Object.entries(users)) {
    const records: readonly SandboxUser[] = [data].flat();
    check(records.length > 0, `users.${name}`, 'a user or a list of at least one');
    for (const user of records) checkUser(user, `users.${name}`);
    const companies = new Set(records.map(({ company_id }) => company_id));
    check(companies.size === records.length, `users.${name}`, 'a list of users in a company each of their own');
  }
}

/** Checks the options and fills the defaults in. Throws a `TypeError` that names what is wrong, never its value. */
export function resolveOptions(options: SandboxOptions): ResolvedOptions {
  check(isRecord(options), 'options', 'an object with apps');
  const { apps, users = defaultUsers, port = 0, rotate = false } = options;
  check(Array.isArray(apps) && apps.length > 0, 'apps', 'a list of at least one app');
  const resolved = apps.map(resolveApp);
  const isUnique = new Set(resolved.map(({ clientId }) => clientId)).size === resolved.length;
  check(isUnique, 'apps', 'apps with a clientId each of their own');
  checkUsers(users);
  check(Number.isInteger(port) && port >= 0 && port <= 65_535, 'port', 'an integer from 0 to 65535');
  check(typeof rotate === 'boolean', 'rotate', 'true or false');
  return { apps: resolved, users, port, rotate };
}
