// An empty project outside of the repository with the packed package in it, and nothing that package.json does not name.
import { execFile, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export const repository = join(__dirname, '..', '..');
const modules = join(repository, 'node_modules');
const run = promisify(execFile);

const temporaryDirectory = async () => realpath(await mkdtemp(join(tmpdir(), 'pipedrive-')));
const dependenciesOf = async (directory: string): Promise<string[]> => {
  const { dependencies = {} } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
  return Object.keys(dependencies);
};

/** Links a package of the repository's, under its name or another, and what it depends on. */
async function link(installed: string, into: string, name = installed): Promise<void> {
  const [source, target] = [join(modules, installed), join(into, name)];
  if (existsSync(target) || !existsSync(source)) return;
  await mkdir(dirname(target), { recursive: true });
  await symlink(source, target);
  await linkDependencies(source, into);
}

async function linkDependencies(directory: string, into: string): Promise<void> {
  for (const name of await dependenciesOf(directory)) {
    const own = join(directory, 'node_modules', name);
    await (existsSync(own) ? linkDependencies(own, into) : link(name, into));
  }
}

interface Tarball {
  path: string;
  /** What is in it, in its order. */
  files: string[];
}

/** The repository's own packages, by their folders. */
const ownPackages = { 'passport-pipedrive-oauth2': '.', 'pipedrive-sandbox': 'sandbox' };
type OwnPackage = keyof typeof ownPackages;
const isOwn = (name: string): name is OwnPackage => Object.hasOwn(ownPackages, name);

const shell = process.platform === 'win32';

let building: Promise<unknown> | undefined;
/** In a run on the build that one is packed, otherwise a new one. */
async function build(): Promise<void> {
  if (!process.env.TEST_BUILT_PACKAGE) building ??= run('npm', ['run', 'build'], { cwd: repository, shell });
  await building;
}

async function pack(name: OwnPackage): Promise<Tarball> {
  const directory = await temporaryDirectory();
  process.once('exit', () => rmSync(directory, { recursive: true }));
  await build();
  const options = { cwd: join(repository, ownPackages[name]), shell };
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], options);
  const [{ filename, files }] = JSON.parse(stdout);
  return { path: join(directory, filename), files: files.map(({ path }: { path: string }) => path) };
}

const tarballs = new Map<OwnPackage, Promise<Tarball>>();

/** One of the repository's packages as it is published. */
export function tarball(name: OwnPackage = 'passport-pipedrive-oauth2'): Promise<Tarball> {
  const packing = tarballs.get(name) ?? pack(name);
  tarballs.set(name, packing);
  return packing;
}

/** Installs one of the repository's packages as it is published, and what it depends on. */
async function unpack(name: OwnPackage, into: string): Promise<void> {
  const installed = join(into, name);
  await mkdir(installed, { recursive: true });
  await run('tar', ['-xzf', (await tarball(name)).path, '-C', installed, '--strip-components=1']);
  await linkDependencies(installed, into);
}

let lastPort = 20_000 + (process.pid % 10_000);

/** A port that nobody listens on, below those that the system gives to connections: none of them takes it meanwhile. */
export async function freePort(): Promise<number> {
  lastPort += 1;
  const server = createServer().listen(lastPort);
  try {
    await once(server, 'listening');
  } catch {
    return freePort();
  }
  server.close();
  await once(server, 'close');
  return lastPort;
}

/** The programs of a document that are in this language, in their order. */
export function programsOf(document: string, language = 'ts'): string[] {
  const text = readFileSync(join(repository, document), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'gms'))].map(([, program = '']) => program);
}

/** A program under way. */
export interface Running {
  /** What it has printed so far. */
  printed(): string;
  /** Resolves when it has printed this; rejects when it does not. */
  prints(text: string): Promise<void>;
  stop(): Promise<void>;
}

export class Project {
  private constructor(readonly directory: string) {}

  /** Installs the package and the given ones. One that has a name in `aliases` is the repository's of that name. */
  static create(packages: string[], aliases: Record<string, string> = {}): Promise<Project> {
    return Project.with(['passport-pipedrive-oauth2', ...packages], aliases);
  }

  /** Installs the given packages only. */
  static async with(packages: string[], aliases: Record<string, string> = {}): Promise<Project> {
    const directory = await temporaryDirectory();
    const target = join(directory, 'node_modules');
    for (const [name, alias] of Object.entries(aliases)) await link(alias, target, name);
    for (const name of packages) await (isOwn(name) ? unpack(name, target) : link(name, target));
    const project = new Project(directory);
    await project.write('package.json', '{ "type": "module" }');
    return project;
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.directory, name), text);
  }

  /** Runs a program of the project to its end, and yields what it printed. */
  async run(name: string): Promise<string> {
    const { stdout } = await run(process.execPath, ['--preserve-symlinks', join(this.directory, name)]);
    return stdout;
  }

  /**
   * Starts a program of the project, with scripts loaded in front of it, and waits until it listens on the port that `env`
   * names.
   */
  async start(name: string, env: { PORT: string } & NodeJS.ProcessEnv, scripts: string[] = []): Promise<Running> {
    const required = [join(__dirname, 'report-listening.cjs'), ...scripts].flatMap((script) => ['--require', script]);
    const child = fork(join(this.directory, name), {
      execArgv: ['--preserve-symlinks', ...required],
      env: { ...process.env, ...env },
      silent: true,
    });
    let printed = '';
    const output = new EventEmitter();
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (data) => {
        printed += data;
        output.emit('data');
      });
    }
    const exited = once(child, 'exit');
    const failed = exited.then(() => {
      throw new Error(printed);
    });
    await Promise.race([once(child, 'message'), failed]);
    return {
      printed: () => printed,
      async prints(text) {
        const signal = AbortSignal.timeout(5_000);
        while (!printed.includes(text)) {
          await once(output, 'data', { signal }).catch(() => {
            throw new Error(`"${text}" is not in what was printed: ${printed}`);
          });
        }
      },
      async stop() {
        child.kill();
        await exited;
      },
    };
  }

  /** Compiles every TypeScript file, as strictly as can be. Rejects with what the compiler says. */
  async compile(more: Record<string, unknown> = {}): Promise<void> {
    const compilerOptions = {
      strict: true,
      skipLibCheck: false,
      module: 'nodenext',
      target: 'es2022',
      types: [],
      preserveSymlinks: true,
      ...more,
    };
    await this.write('tsconfig.json', JSON.stringify({ compilerOptions }));
    const program = join(modules, 'typescript', 'bin', 'tsc');
    await run(process.execPath, [program, '-p', this.directory]).catch(({ stdout }) => {
      throw new Error(stdout);
    });
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true });
  }
}
