// The demo in a real browser, as a newcomer meets it: every button and outcome, on a desktop and a phone, light and dark.
import { expect } from 'chai';
import type { BrowserContextOptions } from 'playwright-core';
import { outcomes } from '../../demo/outcomes';
import { chromiumForSuite, Tab } from '../support/chromium';
import { type Demo, startDemo } from '../support/demo';

const desktop = { width: 1280, height: 860 };
const phone = { width: 360, height: 740 };

describe('playground', function () {
  this.timeout(60_000);
  const chromium = chromiumForSuite();
  let demo: Demo;
  let tab: Tab;

  async function open(name: string, options: BrowserContextOptions) {
    demo = await startDemo();
    tab = await Tab.open(chromium(), [demo.origin, demo.sandbox.origin], name, options);
    await tab.page.goto(demo.origin);
  }
  afterEach(async () => {
    await tab?.close();
    await demo?.close();
  });

  const go = (path: string) => tab.page.goto(demo.origin + path);
  const shown = async (selector: string) =>
    ((await tab.page.locator(selector).textContent()) ?? '').replace(/\s+/g, ' ').trim();
  /** What the card with the result says. */
  const result = () => shown('.result');

  for (const [device, viewport] of Object.entries({ desktop, phone }))
    describe(`on a ${device}`, () => {
      beforeEach(() => open(device, { viewport }));

      it('leads from the form to the account, step by step', async () => {
        await tab.expectSound('form');
        await tab.press('Start the sign-in');
        await tab.expectSound('consent');
        await tab.press('Allow and install');
        await tab.expectSound('flow paused');
        await tab.press('Exchange the code');
        expect(await result()).to.include('Ada Example of Example Bikes is signed in.');
        for (const step of ['Redirect', 'Consent', 'Callback', 'Tokens', 'Profile', 'Outcome']) {
          await tab.page.getByRole('navigation', { name: 'Steps' }).getByRole('link', { name: step }).click();
          await tab.page.getByRole('heading', { name: step, exact: true }).waitFor();
          expect(await shown('.diagram .current')).to.equal(step);
          await tab.expectSound(`step ${step}`);
        }
        await tab.press('Use the tokens');
        await tab.expectSound('account');
      });

      it('shows every outcome by one click', async () => {
        await tab.press('Flow');
        await tab.expectSound('flow empty');
        for (const { title } of outcomes) {
          await tab.press(title);
          expect(await shown('h1')).to.equal(`The flow: ${title}`);
          expect(await result()).to.match(/Passport outcome ?(success|failure|error)/);
          await tab.expectSound(`outcome ${title}`);
        }
        expect(await tab.page.locator('.got').allTextContents()).to.deep.equal([
          'success',
          'failure · 403 · user_denied',
          'failure · 403 · state_invalid',
          'failure · 403 · invalid_grant',
          'failure · 403 · invalid_grant',
          'failure · 403 · state_invalid',
          'success',
          'error · 502',
          'error · 504',
        ]);
      });

      it('shows the life of the tokens, to its end', async () => {
        await tab.press('Account');
        await tab.expectSound('account empty');
        await tab.press('Sign in with Pipedrive');
        await tab.press('Allow and install');
        await tab.press('Exchange the code');
        for (const call of ['GET /api/v1/users/me', 'GET /api/v1/deals?limit=3', 'Refresh', 'Revoke']) {
          await tab.press('Account');
          await tab.press(call);
          await tab.expectSound(`account ${call.replaceAll('/', ' ')}`);
        }
        expect(await shown('h1')).to.equal('The app is not installed any more');
      });

      it("shows an uninstall on Pipedrive's side", async () => {
        await tab.press('Flow');
        await tab.press('Allow');
        await tab.press('Account');
        await tab.press('Uninstall');
        await tab.expectSound('marketplace');
        await tab.press('Uninstall');
        await tab.press('Open the app');
        await tab.press('Account');
        expect(await shown('.happening'))
          .to.include('DELETE')
          .and.include('1001');
        await tab.expectSound('account uninstalled');
      });

      it('says what is wrong, and what a real app has to do without', async () => {
        await tab.page.getByLabel('Pipedrive itself').check();
        await tab.press('Start the sign-in');
        expect(await shown('#problem-clientID')).to.include('Needed');
        await tab.expectSound('form problems');
        await tab.page.getByLabel('Client ID').fill('real');
        await tab.page.getByLabel('Client secret').fill('the secret of the app');
        await tab.page.route('https://oauth.pipedrive.com/**', (route) => route.fulfill({ body: 'Pipedrive' }));
        await tab.press('Start the sign-in');
        expect(tab.complaints.splice(0).join()).to.include('request to https://oauth.pipedrive.com/oauth/authorize');
        await go('/flow');
        expect(await tab.page.getByRole('button', { disabled: true }).count()).to.equal(5);
        await tab.expectSound('flow waiting with a real app');
        await tab.press('Forged state');
        expect(await result()).to.include('state_invalid');
        await go('/');
        expect(await tab.page.content()).not.to.include('the secret of the app');
        await tab.expectSound('form with a secret');
        await tab.press('Reset');
        expect(await tab.page.getByLabel('Client ID').inputValue()).to.equal('demo');
      });
    });

  describe('the form', () => {
    beforeEach(() => open('form', { viewport: desktop, permissions: ['clipboard-read', 'clipboard-write'] }));

    it('updates the authorize URL and the code while one types, and copies them', async () => {
      await tab.page.getByLabel('Client ID').fill('a&b');
      await tab.page.getByLabel('State').fill('/leads');
      await tab.page.locator('#snippet', { hasText: "state: '/leads'" }).waitFor();
      expect(await shown('#authorize-url')).to.include('client_id=a%26b');
      for (const [button, id] of [
        ['Copy the authorize URL', '#authorize-url'],
        ['Copy the code', '#snippet'],
      ] as const) {
        await tab.page.getByRole('button', { name: button }).click();
        await tab.page.getByRole('status').getByText('Copied').waitFor();
        expect(await tab.page.evaluate('navigator.clipboard.readText()')).to.equal(await tab.page.textContent(id));
      }
      await tab.page.getByLabel('Callback URL').fill('nowhere');
      await tab.page.getByText('Nobody would come back here').waitFor();
      await tab.page.getByLabel('Callback URL').fill(demo.callbackURL);
      await tab.page.getByText('Nobody would come back here').waitFor({ state: 'detached' });
      await tab.expectSound('typed');
    });

    it('keeps its choices for the next visit, all but the secret', async () => {
      const asked: string[] = [];
      tab.page.on('request', (request) => asked.push(request.url()));
      await tab.page.getByLabel('Pipedrive itself').check();
      await tab.page.getByLabel('Client ID').fill('real');
      await tab.page.getByLabel('Client secret').fill('hidden-secret');
      await tab.page.getByLabel('State').fill('/leads');
      await tab.page.getByLabel('Pause').uncheck();
      await tab.page.locator('#snippet', { hasText: "state: '/leads'" }).waitFor();
      await tab.page.reload();
      expect(await tab.page.getByLabel('State').inputValue()).to.equal('/leads');
      expect(await tab.page.getByLabel('Client ID').inputValue()).to.equal('real');
      expect(await tab.page.getByLabel('Client secret').inputValue()).to.equal('');
      expect(await tab.page.getByLabel('Pause').isChecked()).to.equal(false);
      expect(await tab.page.evaluate('JSON.stringify(localStorage)'))
        .to.include('real')
        .and.not.include('hidden');
      expect(asked.join()).to.include('client').and.not.include('hidden');
      await tab.page.getByLabel('The sandbox').check();
      expect(await tab.page.getByLabel('Client ID').inputValue()).to.equal('demo');
      await tab.page.getByLabel('Pipedrive itself').check();
      expect(await tab.page.getByLabel('Client ID').inputValue()).to.equal('real');
    });
  });

  it('works without script', async () => {
    await open('no script', { viewport: desktop, javaScriptEnabled: false });
    expect(await tab.page.getByRole('button', { name: 'Copy' }).count()).to.equal(0);
    await tab.page.getByLabel('Pause').uncheck();
    await tab.press('Start the sign-in');
    await tab.press('Allow and install');
    expect(await result()).to.include('is signed in.');
  });

  it('can be used with the keyboard alone', async () => {
    await open('keyboard', { viewport: desktop });
    const { keyboard } = tab.page;
    const enter = async (name: string) => {
      const target = tab.page.getByRole('button', { name }).or(tab.page.getByRole('link', { name })).first();
      for (let presses = 0; presses < 40; presses += 1) {
        await keyboard.press('Tab');
        if (await target.evaluate((element) => element === document.activeElement)) break;
      }
      await Promise.all([tab.page.waitForEvent('load'), keyboard.press('Enter')]);
    };
    await tab.expectReachable();
    await enter('Start the sign-in');
    await enter('Allow and install');
    await enter('Exchange the code');
    await tab.expectReachable();
    await enter('Account');
    await enter('GET /api/v1/deals');
    await tab.expectReachable();
    await enter('Revoke');
    expect(await shown('h1')).to.equal('The app is not installed any more');
  });
});
