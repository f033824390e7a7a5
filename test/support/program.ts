// A program of the documents, run in a project of its own with the packed package, and with a sandbox for Pipedrive.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Sandbox, startSandbox } from 'pipedrive-sandbox';
import { freePort, Project, programsOf, type Running, repository } from './project';

/** A page whose programs are run. */
export interface Stack {
  /** Its path in docs/, without `.md`. */
  page: string;
  /** Which of the page's programs is run, as app.ts. @default 0 */
  app?: number;
  /** More files of the program: one of the page's programs, by its number, or a text. */
  files?: Record<string, number | string>;
  /** Packages besides those that the page installs. */
  packages?: string[];
  /** Other versions of packages. */
  aliases?: Record<string, string>;
  compilerOptions?: Record<string, unknown>;
  /** Keeps the flows in the session, in place of the default. */
  sessionStateStore?: boolean;
  /** Changes the program before it is compiled. */
  edit?: (program: string) => string;
}

export const client = { clientId: 'id-of-the-app', clientSecret: 'secret-of-the-app', name: 'App' };

/** The options.ts of docs/frameworks/README.md, with the sandbox in place of Pipedrive. */
const optionsFor = (sandbox: string, sessionStateStore = false) => {
  const [options = ''] = programsOf('docs/frameworks/README.md');
  const store = sessionStateStore ? 'store: new SessionStateStore(),' : '';
  return `
    import { SessionStateStore } from 'passport-pipedrive-oauth2';
    ${options.replace(/^};$/m, `authorizationServer: '${sandbox}', ${store} };`)}`;
};

/** The packages that a page's `npm install` lines name; the one under test is in every project. */
function packagesOf(page: string): string[] {
  const text = readFileSync(join(repository, 'docs', `${page}.md`), 'utf8');
  const lines = text.matchAll(/^ {4}npm install (?:--save-dev )?(.*)$/gm);
  return [...lines].flatMap(([, names = '']) => names.split(' '));
}

/** The compiler's settings that a page asks for. */
function settingsOf(page: string): Record<string, unknown> {
  const [settings] = programsOf(`docs/${page}.md`, 'json');
  return settings ? JSON.parse(settings).compilerOptions : {};
}

/** A running program, with a Pipedrive of its own. */
export class Program {
  private constructor(
    readonly origin: string,
    readonly sandbox: Sandbox,
    private readonly project: Project,
    private readonly env: { PORT: string } & NodeJS.ProcessEnv,
    private running: Running,
  ) {}

  static async start(stack: Stack, env: Record<string, string> = {}): Promise<Program> {
    const port = await freePort();
    const origin = `http://localhost:${port}`;
    const project = await Project.create([...packagesOf(stack.page), ...(stack.packages ?? [])], stack.aliases);
    const programs = programsOf(`docs/${stack.page}.md`);
    const { edit = (program) => program } = stack;
    await project.write('app.ts', edit(programs[stack.app ?? 0] ?? ''));
    for (const [name, file] of Object.entries(stack.files ?? {})) {
      await project.write(name, typeof file === 'number' ? edit(programs[file] ?? '') : file);
    }
    const apps = [{ ...client, callbackURL: `${origin}/auth/pipedrive/callback` }];
    const sandbox = await startSandbox({ apps });
    try {
      await project.write('options.ts', optionsFor(sandbox.origin, stack.sessionStateStore));
      await project.compile({ ...settingsOf(stack.page), ...stack.compilerOptions });
      const credentials = { PIPEDRIVE_CLIENT_ID: client.clientId, PIPEDRIVE_CLIENT_SECRET: client.clientSecret };
      const all = { PORT: String(port), ...credentials, ...env };
      return new Program(origin, sandbox, project, all, await project.start('app.js', all));
    } catch (error) {
      await sandbox.close();
      throw error;
    }
  }

  /** What the program has printed since its start. */
  get printed(): string {
    return this.running.printed();
  }

  /** Resolves when the program has printed these. */
  async prints(...texts: string[]): Promise<void> {
    for (const text of texts) await this.running.prints(text);
  }

  async restart(env: Record<string, string> = {}): Promise<void> {
    await this.running.stop();
    this.running = await this.project.start('app.js', { ...this.env, ...env });
  }

  async end(): Promise<void> {
    await this.running.stop();
    await this.sandbox.close();
    await this.project.remove();
  }
}
