// nginx with its default buffers in front of an app.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from './project';

export interface Nginx {
  origin: string;
  stop(): Promise<void>;
}

const configuration = (directory: string, port: number, upstream: string) => `
  daemon off;
  pid ${directory}/nginx.pid;
  error_log stderr;
  events { worker_connections 4096; }
  http {
    access_log off;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${directory}/${each};`).join(' ')}
    server {
      listen 127.0.0.1:${port};
      location / { proxy_pass ${upstream}; proxy_set_header Host $http_host; }
    }
  }`;

/** Starts nginx. Yields nothing where the system has none; that is an error with `CI` in the environment. */
export async function startNginx(upstream: string): Promise<Nginx | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'nginx-'));
  const port = await freePort();
  await writeFile(join(directory, 'nginx.conf'), configuration(directory, port, upstream));
  const PATH = `${process.env.PATH}:/usr/sbin`;
  const child = spawn('nginx', ['-p', directory, '-c', 'nginx.conf'], {
    env: { ...process.env, PATH },
    stdio: 'ignore',
  });
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    await once(child, 'spawn');
  } catch (error) {
    remove();
    if (process.env.CI) throw error;
    return undefined;
  }
  const exited = once(child, 'exit');
  await Promise.race([listening(port), exited.then(() => Promise.reject(new Error('nginx did not start')))]);
  return {
    origin: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill();
      await exited;
      remove();
    },
  };
}

/** Resolves as soon as somebody listens on the port. */
async function listening(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
  } catch {
    await setTimeout(20);
    return listening(port);
  } finally {
    socket.destroy();
  }
}
