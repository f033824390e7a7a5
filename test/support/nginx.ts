// nginx with its default buffers in front of an app.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { chmod, mkdtemp, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePort } from './project';

export interface Nginx {
  origin: string;
  stop(): Promise<void>;
}

/** Directives of a cache that keeps redirects for everybody, whatever cookies they set. */
export const sharedCache = `
      proxy_cache shared;
      proxy_cache_valid 200 302 10m;
      proxy_ignore_headers Set-Cookie Vary;
      add_header X-Cache $upstream_cache_status always;`;

const configuration = (directory: string, port: number, upstream: string, directives: string) => `
  daemon off;
  pid ${directory}/nginx.pid;
  error_log stderr;
  events { worker_connections 4096; }
  http {
    access_log off;
    ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((each) => `${each}_temp_path ${directory}/${each};`).join(' ')}
    proxy_cache_path ${directory}/cache keys_zone=shared:1m;
    server {
      listen 127.0.0.1:${port};
      ${directives}
      location / { proxy_pass ${upstream}; proxy_set_header Host $http_host; }
    }
  }`;

/** Starts nginx, with more directives if given. Yields nothing where the system has none; that is an error with `CI` in the environment. */
export async function startNginx(upstream: string, directives = ''): Promise<Nginx | undefined> {
  const directory = await mkdtemp(join(tmpdir(), 'nginx-'));
  await chmod(directory, 0o755); // its workers run as another user
  const port = await freePort();
  await writeFile(join(directory, 'nginx.conf'), configuration(directory, port, upstream, directives));
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
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error('nginx did not start');
  }
  return {
    origin: `http://127.0.0.1:${port}`,
    async stop() {
      child.kill();
      await exited;
      remove();
    },
  };
}

/** Whether somebody listens on the port, a moment later if not. */
async function isListening(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    await setTimeout(20);
    return false;
  } finally {
    socket.destroy();
  }
}
