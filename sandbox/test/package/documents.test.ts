// The programs of the sandbox's README, and those of docs/testing.md that are not TypeScript, as they stand there.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Project, programsOf, repository } from '../../../test/support/project';
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

describe('docs/testing.md', function () {
  this.timeout(60_000);

  it('has a test that mocha passes', async () => {
    const project = await Project.create(['express', 'passport', 'pipedrive-sandbox']);
    try {
      const files = programsOf(page, 'mjs').slice(0, 2);
      for (const text of files) await project.write(/^\/\/ (\S+)/.exec(text)?.[1] ?? '', text);
      const mocha = join(repository, 'node_modules', 'mocha', 'bin', 'mocha.js');
      const args = ['--preserve-symlinks', mocha, '--no-config', 'sign-in.test.mjs'];
      const { stdout } = await run(process.execPath, args, { cwd: project.directory });
      expect(stdout).to.include('1 passing');
    } finally {
      await project.remove();
    }
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
