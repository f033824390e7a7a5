// An empty project outside of the repository with the packed package in it, and nothing that package.json does not name.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

export const repository = join(__dirname, '..', '..');
const modules = join(repository, 'node_modules');
const run = promisify(execFile);

const packageOf = async (name: string) => JSON.parse(await readFile(join(modules, name, 'package.json'), 'utf8'));

/** Links a package of the repository's, and what it depends on. */
async function link(name: string, into: string): Promise<void> {
  const target = join(into, name);
  if (existsSync(target) || !existsSync(join(modules, name))) return;
  await mkdir(dirname(target), { recursive: true });
  await symlink(join(modules, name), target);
  const { dependencies = {} } = await packageOf(name);
  for (const dependency of Object.keys(dependencies)) await link(dependency, into);
}

export class Project {
  private constructor(
    readonly directory: string,
    /** What the tarball has, in its order. */
    readonly packed: string[],
  ) {}

  /** Packs the package as it is built, and installs it beside the given packages. */
  static async create(packages: string[]): Promise<Project> {
    const directory = await realpath(await mkdtemp(join(tmpdir(), 'pipedrive-')));
    const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', directory];
    const { stdout } = await run('npm', pack, { cwd: repository, shell: process.platform === 'win32' });
    const [{ filename, files }] = JSON.parse(stdout);
    const installed = join(directory, 'node_modules', 'passport-pipedrive-oauth2');
    await mkdir(installed, { recursive: true });
    await run('tar', ['-xzf', join(directory, filename), '-C', installed, '--strip-components=1']);
    const { dependencies } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
    for (const name of [...Object.keys(dependencies), ...packages]) await link(name, join(directory, 'node_modules'));
    return new Project(
      directory,
      files.map(({ path }: { path: string }) => path),
    );
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.directory, name), text);
  }

  /** Runs a program of the project to its end, and yields what it printed. */
  async run(name: string, env: NodeJS.ProcessEnv = {}): Promise<string> {
    const { stdout } = await run(process.execPath, ['--preserve-symlinks', join(this.directory, name)], {
      env: { ...process.env, ...env },
    });
    return stdout;
  }

  /** Compiles every TypeScript file, as strictly as can be. Rejects with what the compiler says. */
  async compile(): Promise<void> {
    await this.write('package.json', '{ "type": "module" }');
    const compilerOptions = {
      strict: true,
      skipLibCheck: false,
      module: 'nodenext',
      target: 'es2022',
      types: [],
      preserveSymlinks: true,
      noUnusedLocals: false,
    };
    await this.write('tsconfig.json', JSON.stringify({ compilerOptions }));
    const compiler = join(modules, 'typescript', 'bin', 'tsc');
    await run(process.execPath, [compiler, '-p', this.directory]).catch(({ stdout }) => {
      throw new Error(stdout);
    });
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true });
  }
}
