// The programs that the playground shows, as they are: copied from its page, and the example.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'chai';
import { programFor } from '../../demo/reference';
import { Browser } from '../support/browser';
import { startDemo } from '../support/demo';
import { freePort, Project } from '../support/project';

const packages = ['express', 'passport', 'pipedrive-sandbox'];
const types = ['@types/express', '@types/passport', '@types/node'];

const unescaped = (html: string) =>
  html
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&#x27;', "'")
    .replaceAll('&quot;', '"')
    .replaceAll('&amp;', '&');

/** The program on the page of a playground. */
async function copiedProgram(): Promise<string> {
  const demo = await startDemo();
  try {
    const { html } = await new Browser().open(demo.origin);
    return unescaped(/<pre class="code" id="program"[^>]*>(.*?)<\/pre>/s.exec(html)?.[1] ?? '');
  } finally {
    await demo.close();
  }
}

describe('the program of the playground', function () {
  this.timeout(60_000);

  it('signs in as it is copied, beside the playground', async () => {
    const port = await freePort();
    const project = await Project.create(packages);
    try {
      await project.write('program.mjs', await copiedProgram());
      const program = await project.start('program.mjs', { PORT: String(port) });
      const browser = new Browser();
      await browser.open(`http://localhost:${port}/auth/pipedrive`);
      await browser.press('Allow and install', { user: 'cleo' });
      const user = { id: '1002:912', name: 'Cleo Muster' };
      expect(JSON.parse(browser.page.html)).to.deep.equal({ user, state: '/deals' });
      await program.stop();
    } finally {
      await project.remove();
    }
  });

  it('compiles whatever is typed, for the sandbox and for live Pipedrive', async () => {
    const project = await Project.create([...packages, ...types]);
    const typed = { client_id: `it's "odd" \\ \${x}`, redirect_uri: `http://localhost/it's`, return_state: "'" };
    try {
      for (const target of ['sandbox', 'pipedrive'] as const)
        await project.write(`${target}.ts`, programFor({ ...typed, target, pauses: false }));
      await project.compile();
    } finally {
      await project.remove();
    }
  });
});

describe('npm run example', () => {
  it('signs in, tells a Cancel from an error, and hears of the uninstall', async () => {
    const port = await freePort();
    const env = { PATH: process.env.PATH, PORT: String(port) };
    const example = spawn(process.execPath, ['--import', 'tsx', 'examples/express.ts'], { env });
    let printed = '';
    example.stdout.on('data', (data) => {
      printed += data;
    });
    const says = async (text: string) => {
      while (!printed.includes(text)) await once(example.stdout, 'data');
    };
    try {
      await says('Using the local Pipedrive sandbox');
      const browser = new Browser();
      await browser.open(`http://localhost:${port}`);
      await browser.press('Sign in with Pipedrive');
      await browser.press('Cancel');
      expect([browser.page.status, JSON.parse(browser.page.html).code]).to.deep.equal([403, 'user_denied']);
      await browser.open(`http://localhost:${port}/auth/pipedrive`);
      const { origin } = browser.page.url;
      await browser.press('Allow and install');
      expect(JSON.parse(browser.page.html)).to.deep.equal({
        user: { id: '1001:777', name: 'Ada Example', company: origin },
        returnTo: '/deals',
      });
      await browser.open(origin);
      await browser.press('Uninstall');
      await says('Uninstalled by 1001:777');
    } finally {
      example.kill();
    }
  }).timeout(30_000);
});
