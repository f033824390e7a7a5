// A Redis server of the tests' own, in memory.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { freePort } from './project';

export interface Redis {
  url: string;
  /** Stops the process without closing a connection, until it is resumed. */
  pause(): void;
  resume(): void;
  stop(): Promise<void>;
}

/** Starts the server. Yields nothing where the system has none; that is an error with `CI` in the environment. */
export async function startRedis(): Promise<Redis | undefined> {
  const port = await freePort();
  const child = spawn('redis-server', ['--port', String(port), '--bind', '127.0.0.1', '--save', '']);
  const exited = once(child, 'close');
  const ready = new Promise<boolean>((resolve, reject) => {
    let printed = '';
    child.stdout.on('data', (data) => {
      printed += data;
      if (printed.includes('Ready to accept connections')) resolve(true);
    });
    child.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ENOENT' && !process.env.CI ? resolve(false) : reject(error),
    );
    child.once('exit', () => reject(new Error(printed)));
  });
  if (!(await ready)) return undefined;
  return {
    url: `redis://127.0.0.1:${port}`,
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async stop() {
      child.kill();
      await exited;
    },
  };
}
