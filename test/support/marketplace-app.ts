// examples/marketplace-app/ on two processes behind a proxy, with a sandbox for Pipedrive.
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Sandbox, type SandboxApp, startSandbox } from 'pipedrive-sandbox';
import { Browser, type Page } from './browser';
import { freePort, repository } from './project';
import { type RoundRobin, startRoundRobin } from './round-robin';

const client = { clientId: 'id-of-the-app', clientSecret: 'secret-of-the-app' };

/** A process of the app. */
export class Instance {
  #child: ChildProcess | undefined;

  /** `log` gets what it prints. */
  constructor(
    readonly port: number,
    private readonly log = (_text: string) => {},
  ) {}

  /** Rejects with what it has printed if it ends. */
  async start(env: NodeJS.ProcessEnv): Promise<void> {
    const child = fork(join(repository, 'examples', 'marketplace-app', 'app.mts'), {
      cwd: repository,
      execArgv: [...process.execArgv, '--require', join(__dirname, 'report-listening.cjs')],
      env: { ...process.env, ...env, PORT: String(this.port) },
      silent: true,
    });
    let printed = '';
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text) => {
        printed += text;
        this.log(text);
      });
    this.#child = child;
    const failed = once(child, 'close').then(() => Promise.reject(new Error(printed)));
    failed.catch(() => {}); // it is killed in the end
    await Promise.race([once(child, 'message'), failed]);
  }

  /** Without a chance to put anything in order. */
  async kill(): Promise<void> {
    const child = this.#child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
}

export class MarketplaceApp {
  readonly instances: [Instance, Instance];
  readonly clientId = client.clientId;
  /** What the processes have printed. */
  logged = '';
  readonly #printed = new EventEmitter();

  private constructor(
    readonly sandbox: Sandbox,
    readonly proxy: RoundRobin,
    ports: [number, number],
    private readonly env: NodeJS.ProcessEnv,
    private readonly directory: string,
    /** Where the tokens are, unless `env` names a database. */
    readonly sqliteFile = join(directory, 'tokens.sqlite'),
  ) {
    const log = (text: string) => {
      this.logged += text;
      this.#printed.emit('text');
    };
    this.instances = [new Instance(ports[0], log), new Instance(ports[1], log)];
  }

  /** `registered` changes what Developer Hub knows of the app, `env` the environment of its processes. */
  static async start(registered: Partial<SandboxApp> = {}, env: NodeJS.ProcessEnv = {}): Promise<MarketplaceApp> {
    const [port, ...ports] = [await freePort(), await freePort(), await freePort()];
    const proxy = await startRoundRobin(port, ports);
    const installationURL = `${proxy.origin}/auth/pipedrive`;
    const urls = { callbackURL: `${installationURL}/callback`, installationURL };
    const sandbox = await startSandbox({ apps: [{ ...client, ...urls, ...registered }] });
    const directory = mkdtempSync(join(tmpdir(), 'marketplace-app-'));
    const app = new MarketplaceApp(sandbox, proxy, [ports[0] ?? 0, ports[1] ?? 0], env, directory);
    try {
      await app.restart();
    } catch (error) {
      await app.close();
      throw error;
    }
    return app;
  }

  /** Starts these processes anew, by default all, with the sandbox's credentials as they are now. */
  async restart(...instances: Instance[]): Promise<void> {
    const start = async (instance: Instance) => {
      await instance.kill();
      const own = { SQLITE_FILE: this.sqliteFile, SESSION_SECRET: 'x'.repeat(32) };
      await instance.start({ ...own, ...this.env, ...this.sandbox.env });
    };
    await Promise.all((instances.length > 0 ? instances : this.instances).map(start));
  }

  /** Resolves to what is printed from now on, as soon as this text is in it. */
  async logs(text: string): Promise<string> {
    const start = this.logged.length;
    while (!this.logged.includes(text, start)) await once(this.#printed, 'text');
    return this.logged.slice(start);
  }

  /** How many refreshes Pipedrive was asked for. */
  get refreshes(): number {
    return this.sandbox.requests.filter(({ form }) => form.grant_type === 'refresh_token').length;
  }

  /** Signs a user in from the Marketplace, in a new browser. */
  async install(who: string): Promise<Browser> {
    const browser = new Browser();
    await browser.open(await this.sandbox.install(this.clientId, who));
    await this.allow(browser, who);
    return browser;
  }

  /** Presses "Allow and install" for a user, on the consent page that the browser shows. */
  async allow(browser: Browser, who: string): Promise<void> {
    await browser.open(await this.sandbox.approve(browser.page.url, { as: who }));
  }

  /** The page of the app that shows the deals. */
  home(browser: Browser): Promise<Page> {
    return browser.open(`${this.proxy.origin}/`);
  }

  /** What the panel's page asks for. */
  deals(token: string | null): Promise<Response> {
    return fetch(`${this.proxy.origin}/api/deals`, { headers: { Authorization: `Bearer ${token}` } });
  }

  panelURL(who: string): URL {
    return new URL(this.sandbox.extensionURL(this.clientId, `${this.proxy.origin}/panel`, who));
  }

  tokenFor(who: string): string | null {
    return this.panelURL(who).searchParams.get('token');
  }

  async close(): Promise<void> {
    for (const instance of this.instances) await instance.kill();
    await this.proxy.close();
    await this.sandbox.close();
    rmSync(this.directory, { recursive: true });
  }
}
