// `pipedrive-sandbox` in a process of its own.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

const folder = join(__dirname, '..', '..');

export interface Command {
  child: ChildProcess;
  origin: string;
  /** The environment that it prints, for an app. */
  env: Record<string, string>;
  printed: string;
  /** Sends the signal, and yields the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

const run = (args: string[], command: string[]) => {
  const [file = '', ...before] = command;
  const child = spawn(file, [...before, ...args]);
  return { child, exited: once(child, 'exit') };
};

/** As everything else in a run: on the build, or on the sources. */
const fromRepository = process.env.TEST_BUILT_PACKAGE
  ? [process.execPath, join(folder, 'dist', 'cli.js')]
  : [process.execPath, '--import', 'tsx', join(folder, 'lib', 'cli.ts')];

/** Runs the command to its end. */
export async function outputOf(args: string[], command = fromRepository) {
  const { child, exited } = run(args, command);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), exited]);
  return { stdout, stderr, code };
}

/** Starts the command, and waits until it has printed everything. */
export async function startCommand(args: string[], command = fromRepository): Promise<Command> {
  const { child, exited } = run(args, command);
  let printed = '';
  child.stderr.on('data', (data) => {
    printed += data;
  });
  for await (const data of child.stdout) {
    printed += data;
    if (printed.includes('Ctrl+C')) break;
  }
  const origin = /http:\/\/127\.0\.0\.1:\d+/.exec(printed)?.[0];
  if (!origin) throw new Error(printed);
  const lines = [...printed.matchAll(/^(PIPEDRIVE_\w+)=(.*)$/gm)];
  return {
    child,
    origin,
    printed,
    env: Object.fromEntries(lines.map(([, name = '', value = '']) => [name, value])),
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}
