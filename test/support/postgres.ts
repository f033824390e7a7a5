// A PostgreSQL server of the tests' own, in a temporary directory.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort } from './project';

const run = promisify(execFile);

export interface Postgres {
  url: string;
  /** Stops the server for good. */
  stop(): Promise<void>;
}

/** Where Debian has the server's programs, which it leaves out of the PATH. */
function programs(): string | undefined {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return undefined;
  const [newest] = readdirSync(root).sort((a, b) => Number(b) - Number(a));
  const folder = join(root, String(newest), 'bin');
  return existsSync(join(folder, 'initdb')) ? folder : undefined;
}

/** Whom to run the server as: it refuses root. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const id = async (flag: string) => Number((await run('id', [flag, 'postgres'])).stdout);
  return { uid: await id('-u'), gid: await id('-g') };
}

/** Starts the server. Yields nothing where the system has none; that is an error with `CI` in the environment. */
export async function startPostgres(): Promise<Postgres | undefined> {
  const folder = programs();
  if (!folder) {
    if (process.env.CI) throw new Error('There is no PostgreSQL');
    return undefined;
  }
  const user = await unprivileged();
  const directory = mkdtempSync(join(tmpdir(), 'postgres-'));
  if (user) chownSync(directory, user.uid, user.gid);
  const options = { ...user, cwd: directory, env: { ...process.env, LC_ALL: 'C', TZ: 'UTC' } };
  const data = join(directory, 'data');
  await run(join(folder, 'initdb'), ['-D', data, '-U', 'tests', '-A', 'trust', '-N'], options);

  const port = await freePort();
  // Nothing of it is to survive: it need not wait for the disk.
  const settings = ['fsync=off', 'listen_addresses=127.0.0.1', `unix_socket_directories=${directory}`];
  const flags = settings.flatMap((setting) => ['-c', setting]);
  const child = spawn(join(folder, 'postgres'), ['-D', data, '-p', String(port), ...flags], options);
  const exited = once(child, 'close');
  await new Promise<void>((resolve, reject) => {
    let printed = '';
    child.stderr.on('data', (text) => {
      printed += text;
      if (printed.includes('ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(printed)));
  });
  return {
    url: `postgres://tests@127.0.0.1:${port}/postgres`,
    async stop() {
      child.kill('SIGQUIT');
      await exited;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
