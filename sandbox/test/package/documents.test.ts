// The programs of the sandbox's README, and those of docs/testing.md that are not TypeScript, as they stand there.
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import type { Page } from 'playwright-core';
import { chromiumForSuite } from '../../../test/support/chromium';
import { freePort, Project, programsOf, repository } from '../../../test/support/project';
import { startCommand } from './command';

const run = promisify(execFile);
const page = 'docs/testing.md';

it("the program of the sandbox's README prints what it says", async () => {
  const project = await Project.with(['pipedrive-sandbox', '@types/node']);
  try {
    const [program = ''] = programsOf('sandbox/README.md');
    await project.write('program.ts', program);
    await project.compile({ types: ['node'] });
    const promised = [...program.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => line);
    expect((await project.run('program.js')).trim().split('\n')).to.deep.equal(promised);
  } finally {
    await project.remove();
  }
}).timeout(60_000);

/** The files of the page whose first line names them, by these names. */
const files = new Map(programsOf(page, 'mjs').map((text) => [/^\/\/ (\S+)/.exec(text)?.[1] ?? '', text]));

/** In place of `@playwright/test`: a test that is called with the page of a browser. */
const playwrightTest = `
  export const test = (title, body) => { test.body = body; };
  export const expect = (locator) => ({ toBeVisible: () => locator.waitFor() });`;

interface PlaywrightTest {
  test: { body(fixtures: { page: Page }): Promise<void> };
}

interface WebServer {
  command: string;
  port: number;
  env?: Record<string, string>;
}

interface Configuration {
  webServer: [WebServer, WebServer];
}

describe('docs/testing.md', function () {
  this.timeout(60_000);

  it('has a test that mocha passes', async () => {
    const project = await Project.create(['express', 'passport', 'pipedrive-sandbox']);
    try {
      for (const name of ['app.mjs', 'sign-in.test.mjs']) await project.write(name, files.get(name) ?? '');
      const mocha = join(repository, 'node_modules', 'mocha', 'bin', 'mocha.js');
      const args = ['--preserve-symlinks', mocha, '--no-config', 'sign-in.test.mjs'];
      const { stdout } = await run(process.execPath, args, { cwd: project.directory });
      expect(stdout).to.include('1 passing');
    } finally {
      await project.remove();
    }
  });

  describe('in a browser', () => {
    const chromium = chromiumForSuite();

    it('has a test for Playwright that signs in, with the servers of its configuration', async () => {
      const project = await Project.create(['express', 'passport', 'pipedrive-sandbox']);
      const ports: Record<string, number> = { 3000: await freePort(), 4000: await freePort() };
      const load = (name: string) => import(pathToFileURL(join(project.directory, name)).href);
      await mkdir(join(project.directory, 'node_modules', '@playwright', 'test'), { recursive: true });
      await project.write('node_modules/@playwright/test/index.js', playwrightTest);
      await project.write(
        'node_modules/@playwright/test/package.json',
        '{ "type": "module", "exports": "./index.js" }',
      );
      const onFreePorts = (text: string) => text.replace(/3000|4000/g, (port) => String(ports[port]));
      for (const [name, text] of files) await project.write(name, onFreePorts(text));
      const { default: configuration }: { default: Configuration } = await load('playwright.config.mjs');
      const [pipedrive, app] = configuration.webServer;
      const args = pipedrive.command.split(' ');
      expect(args.splice(0, 2)).to.deep.equal(['npx', 'pipedrive-sandbox']);
      const sandbox = await startCommand([...args, '--port', String(pipedrive.port)]);
      const running = await project.start(app.command.replace('node ', ''), { ...app.env, PORT: String(app.port) });
      try {
        await load('sign-in.spec.mjs');
        const { test }: PlaywrightTest = await load('node_modules/@playwright/test/index.js');
        await test.body({ page: await chromium().newPage() });
      } finally {
        await running.stop();
        await sandbox.stop();
        await project.remove();
      }
    });
  });

  it('has a client in Python that signs in', async function () {
    await run('python3', ['--version']).catch(() => this.skip());
    const callback = 'http://localhost:8000/callback';
    const sandbox = await startCommand(['--port', '0', '--callback', callback]);
    try {
      const query = new URLSearchParams({ client_id: 'sandbox-client-id', redirect_uri: callback });
      const consent = new URLSearchParams({ ...Object.fromEntries(query), user: 'ben', decision: 'allow' });
      const authorize = { method: 'POST', body: consent, redirect: 'manual' } as const;
      const { headers } = await fetch(`${sandbox.origin}/oauth/authorize`, authorize);
      const code = new URL(headers.get('location') ?? '').searchParams.get('code');
      const [program = ''] = programsOf(page, 'python');
      const call = `print(current_user(exchange("${code}", "${callback}"))["name"])`;
      const env = { ...process.env, ...sandbox.env };
      const { stdout } = await run('python3', ['-c', `${program}\n${call}`], { env });
      expect(stdout).to.equal('Ben Sample\n');
    } finally {
      await sandbox.stop();
    }
  });
});
