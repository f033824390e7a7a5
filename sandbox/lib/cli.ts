#!/usr/bin/env node
// `pipedrive-sandbox`: starts a sandbox for one app, in whatever language that is written, and says how to reach it.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Sandbox, type SandboxOptions, startSandbox, type Users } from 'pipedrive-sandbox';

const usage = `Usage: pipedrive-sandbox --callback URL [options]

Plays Pipedrive on this machine: consent page, OAuth 2.0 endpoints, Marketplace and a little API.

  --callback URL           the app's callback URL, like http://localhost:3000/auth/pipedrive/callback
  --port PORT              where the sandbox listens on 127.0.0.1 (default 4000; 0 is any free port)
  --client-id ID           default "sandbox-client-id"
  --client-secret SECRET   default "sandbox-client-secret"
  --installation-url URL   where "Install" in the Marketplace leads; without it Pipedrive starts the flow
  --users FILE             JSON: { "name": user or list of users }, one for each company, as "data" of GET /users/me
  --help                   shows this text`;

/** Something that the user can put right: the program ends with this one line. */
class Advice extends Error {}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function readArguments() {
  const text = { type: 'string' } as const;
  const options = {
    ...{ callback: text, port: text, users: text, help: { type: 'boolean', short: 'h' } as const },
    ...{ 'client-id': text, 'client-secret': text, 'installation-url': text },
  };
  try {
    return parseArgs({ options, allowPositionals: false }).values;
  } catch (error) {
    throw new Advice(messageOf(error)); // names the option
  }
}

function readUsers(file: string): Users {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new Advice(`--users: ${messageOf(error)}`);
  }
}

function readOptions(values: ReturnType<typeof readArguments>): SandboxOptions {
  const { callback, port = '4000', users } = values;
  if (callback === undefined) throw new Advice('--callback is required: the callback URL of your app');
  if (!/^\d+$/.test(port)) throw new Advice('--port must be an integer from 0 to 65535');
  const app = {
    clientId: values['client-id'] ?? 'sandbox-client-id',
    clientSecret: values['client-secret'] ?? 'sandbox-client-secret',
    callbackURL: callback,
    installationURL: values['installation-url'],
  };
  return { apps: [app], port: Number(port), ...(users !== undefined && { users: readUsers(users) }) };
}

/** The command line's name for what the sandbox calls otherwise. */
const optionNames = [
  ['apps[0].callbackURL', '--callback'],
  ['apps[0].clientId', '--client-id'],
  ['apps[0].clientSecret', '--client-secret'],
  ['apps[0].installationURL', '--installation-url'],
  ['users', '--users: users'],
  ['port', '--port'],
] as const;

function adviceFor(error: unknown, port: number): unknown {
  if (error instanceof TypeError) {
    const [option, name] = optionNames.find(([start]) => error.message.startsWith(start)) ?? [];
    return option && name ? new Advice(error.message.replace(option, name)) : error;
  }
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE')
    return new Advice(`Port ${port} is in use. Give --port another one, or 0 for any free one.`);
  if (code === 'EACCES') return new Advice(`Port ${port} needs more rights. Give --port one above 1023.`);
  return error;
}

/** A value as a shell reads it, and a .env file as well if there is no quote in it. */
const quoted = (value: string): string => (/^[\w:./-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`);

function greeting({ origin, env }: Sandbox, callback: string): string {
  return `Pipedrive sandbox at ${origin}

  client ID      ${env.PIPEDRIVE_CLIENT_ID}
  client secret  ${env.PIPEDRIVE_CLIENT_SECRET}
  callback URL   ${callback}
  authorize      ${origin}/oauth/authorize
  token          ${origin}/oauth/token
  revoke         ${origin}/oauth/revoke
  API            ${origin}/api/v1
  Marketplace    ${origin}/

The environment for your app:

${Object.entries(env)
  .map(([name, value]) => `${name}=${quoted(value)}`)
  .join('\n')}

Press Ctrl+C to end it.`;
}

async function main(): Promise<void> {
  const values = readArguments();
  if (values.help) return console.log(usage);
  const options = readOptions(values);
  const sandbox = await startSandbox(options).catch((error: unknown) => {
    throw adviceFor(error, options.port ?? 0);
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => sandbox.close());
  console.log(greeting(sandbox, values.callback ?? ''));
}

main().catch((error: unknown) => {
  console.error(error instanceof Advice ? `pipedrive-sandbox: ${error.message}\nTry --help.` : error);
  process.exitCode = 1;
});
