// The program that the playground shows, as it is, against the command with the environment that it prints.
import { expect } from 'chai';
import { previewOf } from '../../../demo/preview';
import { Browser } from '../../../test/support/browser';
import { freePort, Project } from '../../../test/support/project';
import { startCommand } from './command';

it("the playground's program signs in against pipedrive-sandbox", async () => {
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const callbackURL = `${origin}/auth/pipedrive/callback`;
  const settings = { target: 'sandbox', clientID: 'demo', callbackURL, state: '/deals', pauses: false } as const;
  const { snippet } = previewOf(settings, { callbackURL, sandbox: { clientID: '', clientSecret: '', origin: '' } });
  const project = await Project.create(['express', 'passport', '@types/express', '@types/passport', '@types/node']);
  const sandbox = await startCommand(['--port', '0', '--callback', callbackURL]);
  const stops: (() => Promise<unknown>)[] = [() => sandbox.stop()];
  try {
    await project.write('program.ts', snippet);
    await project.compile();
    const program = await project.start('program.js', { PORT: String(port), ...sandbox.env });
    stops.push(() => program.stop());
    const browser = new Browser();
    await browser.open(`${origin}/auth/pipedrive`);
    expect(browser.page.url.origin).to.equal(sandbox.origin);
    await browser.press('Allow and install', { user: 'cleo' });
    expect(JSON.parse(browser.page.html)).to.deep.equal({
      user: { id: '1002:912', name: 'Cleo Muster' },
      state: '/deals',
    });
  } finally {
    for (const stop of stops) await stop();
    await project.remove();
  }
}).timeout(60_000);
