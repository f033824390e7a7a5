// The playground in a real browser, as a newcomer meets it: every button and outcome, on a desktop and a phone, light and
// dark, in forced colours and on paper, with the keyboard alone and without script.
import { expect } from 'chai';
import type { BrowserContextOptions } from 'playwright-core';
import { outcomes } from '../../demo/outcomes';
import { chromiumForSuite, Tab } from '../support/chromium';
import { type Demo, startDemo } from '../support/demo';

const desktop = { width: 1280, height: 860 };
const phone = { width: 320, height: 640 };

describe('the playground in a browser', function () {
  this.timeout(90_000);
  const chromium = chromiumForSuite();
  let demo: Demo;
  let tab: Tab;

  async function open(name: string, options: BrowserContextOptions, credentials?: Parameters<typeof startDemo>[0]) {
    demo = await startDemo(credentials);
    tab = await Tab.open(chromium(), [demo.origin, demo.sandbox.origin], name, options);
    await tab.page.goto(demo.origin);
  }
  afterEach(async () => {
    await tab?.close();
    await demo?.close();
  });

  const go = (path: string) => tab.page.goto(demo.origin + path);
  const shown = async (selector: string) =>
    ((await tab.page.locator(selector).first().textContent()) ?? '').replace(/\s+/g, ' ').trim();
  const focused = () => tab.page.evaluate(() => document.activeElement?.id);

  for (const [device, viewport] of Object.entries({ desktop, phone }))
    describe(`on a ${device}`, () => {
      beforeEach(() => open(device, { viewport }));

      it('leads from the form to the account, exchange by exchange', async () => {
        await tab.expectSound('form');
        await tab.press('Start the sign-in');
        await tab.expectSound('consent');
        await tab.press('Allow and install');
        await tab.expectSound('flow paused');
        await tab.press('Exchange the code');
        expect(await shown('#result')).to.include('Ada Example of Example Bikes is signed in.');
        const arrows = tab.page.locator('.diagram a');
        const names = await arrows.evaluateAll((links) => links.map((link) => link.getAttribute('aria-label') ?? ''));
        for (const name of names) {
          await Promise.all([
            tab.page.waitForEvent('load'),
            tab.page.getByRole('link', { name }).locator('text').first().click(),
          ]);
          expect(await tab.page.locator('.diagram [aria-current]').getAttribute('aria-label')).to.equal(name);
          expect([await focused(), await shown('#announcement')]).to.deep.equal(['exchange', `Exchange ${name}`]);
          await tab.expectSound(`exchange ${name.split('.')[0]}`);
        }
        await tab.press('Use the tokens');
        await tab.expectSound('account');
      });

      it('shows every outcome by one click, with the focus on the result, which is in the title and announced', async () => {
        await tab.press('Flow');
        await tab.expectSound('flow empty');
        for (const { title } of outcomes) {
          await tab.press(title);
          expect(await focused()).to.equal('result');
          const heading = (await tab.page.title()).replace(' · Pipedrive OAuth playground', '');
          expect(heading).to.match(new RegExp(`^\\d{3} · ${title}$`));
          expect(await shown('#announcement')).to.include(heading);
          await tab.expectSound(`outcome ${title}`);
        }
        expect(await tab.page.locator('.outcomes .tag').allTextContents()).to.deep.equal([
          'success · 302',
          'failure · 403 · user_denied',
          'failure · 403 · state_invalid',
          'failure · 403 · invalid_grant',
          'failure · 403 · invalid_grant',
          'failure · 403 · state_invalid',
          'success · 302',
          'error · 502',
          'error · 504',
          'error · 503',
        ]);
      });

      it('shows the token lifecycle, to its end', async () => {
        await tab.press('Account');
        await tab.expectSound('account empty');
        await tab.press('Sign in with Pipedrive');
        await tab.press('Allow and install');
        await tab.press('Exchange the code');
        for (const call of [
          'GET /api/v1/users/me',
          'Let an hour pass',
          'GET /api/v1/deals?limit=3',
          'Refresh',
          'Revoke',
        ]) {
          await tab.press('Account');
          await tab.press(call);
          expect(await focused()).to.equal('happened');
          await tab.expectSound(`account ${call.replaceAll('/', ' ')}`);
        }
        expect(await shown('h1')).to.equal('The app is no longer installed');
      });

      it("shows an uninstall on Pipedrive's side, and a panel before it", async () => {
        await tab.press('Flow');
        await tab.press('Allow');
        await tab.press('Account');
        await tab.press('Open the panel');
        await tab.page.getByText('The extension has initialized the SDK.').waitFor();
        await tab.page.frameLocator('iframe').getByText('Ada Example').waitFor();
        await go('/account');
        await tab.press('Uninstall');
        await tab.press('Uninstall');
        await go('/account');
        expect(await shown('#happened'))
          .to.include('DELETE')
          .and.include('1001');
        await tab.expectSound('account uninstalled');
      });

      it('says what is wrong at the field and in a summary that has the focus', async () => {
        await tab.page.getByLabel('Live Pipedrive').check();
        await tab.press('Start the sign-in');
        expect(await focused()).to.equal('problems');
        expect(await shown('#problems'))
          .to.include('client_id Required')
          .and.include('client_secret Required');
        const border = await tab.page.locator('#client_id').evaluate((input) => getComputedStyle(input).borderColor);
        const plain = await tab.page.locator('#redirect_uri').evaluate((input) => getComputedStyle(input).borderColor);
        expect(border).not.to.equal(plain);
        await tab.expectSound('form problems');
        await tab.page.getByLabel('client_id').fill('real');
        await tab.page.getByLabel('client_secret').fill('the secret of the app');
        await tab.page.route('https://oauth.pipedrive.com/**', (route) => route.fulfill({ body: 'Pipedrive' }));
        await tab.press('Start the sign-in');
        expect(tab.complaints.splice(0).join()).to.include('request to https://oauth.pipedrive.com/oauth/authorize');
        await go('/flow');
        expect(await shown('main')).to.include('What the browser does at live Pipedrive is not here');
        await tab.expectSound('flow waiting with a real app');
        await go('/');
        expect(await tab.page.content()).not.to.include('the secret of the app');
        await tab.press('Reset');
        expect(await tab.page.getByLabel('client_id').inputValue()).to.equal('demo');
      });
    });

  it('has all outcomes in sight, above what was sent', async () => {
    await open('fold', { viewport: { width: 1280, height: 720 } });
    await go('/flow');
    const boxes = await tab.page
      .locator('.outcomes button')
      .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().bottom));
    expect(boxes).to.have.length(outcomes.length);
    expect(Math.max(...boxes)).to.be.at.most(720);
  });

  for (const media of [{ forcedColors: 'active' }, { media: 'print' }] as const)
    it(`stays whole with ${Object.entries(media).join().replace(',', ' ')}`, async () => {
      await open(Object.values(media).join(), { viewport: { width: 1600, height: 900 } });
      await tab.page.emulateMedia(media);
      await tab.expectSound('form');
      await go('/flow');
      await tab.page.emulateMedia({ media: null, forcedColors: null });
      await tab.press('Cancel');
      await tab.page.emulateMedia(media);
      await tab.expectSound('outcome');
    });

  describe('the form', () => {
    const permissions = ['clipboard-read', 'clipboard-write'];
    beforeEach(() => open('form', { viewport: desktop, permissions }));

    it('updates the authorize URL, the code and the problems while one types, says so, and copies them', async () => {
      await tab.page.getByText('Updates live').waitFor();
      await tab.page.getByLabel('return_state').fill('/leads');
      await tab.page.locator('#program', { hasText: "state: '/leads'" }).waitFor();
      for (const [button, id] of [
        ['Copy the authorize URL', '#authorize-url'],
        ['Copy the code', '#program'],
      ] as const) {
        await tab.page.getByRole('button', { name: button }).click();
        await tab.page.getByRole('status').getByText('Copied').waitFor();
        expect(await tab.page.evaluate('navigator.clipboard.readText()')).to.equal(await tab.page.textContent(id));
      }
      await tab.page.getByLabel('redirect_uri').fill('nowhere');
      await tab.page.locator('#problems').getByText('somewhere else').waitFor();
      await tab.page.getByLabel('redirect_uri').fill(demo.callbackURL);
      await tab.page.locator('#problems').waitFor({ state: 'hidden' });
      await tab.expectSound('typed');
    });

    it('saves its choices for the next visit, says so, and never the secret', async () => {
      const asked: string[] = [];
      tab.page.on('request', (request) => asked.push(request.url()));
      await tab.page.getByText('Saved in this browser (not the secret).').waitFor();
      await tab.page.getByLabel('Live Pipedrive').check();
      await tab.page.getByLabel('client_id').fill('real');
      await tab.page.getByLabel('client_secret').fill('hidden-secret');
      await tab.page.getByLabel('return_state').fill('/leads');
      await tab.page.getByLabel('Pause').uncheck();
      await tab.page.locator('#program', { hasText: "state: '/leads'" }).waitFor();
      await tab.page.reload();
      expect(await tab.page.getByLabel('return_state').inputValue()).to.equal('/leads');
      expect(await tab.page.getByLabel('client_id').inputValue()).to.equal('real');
      expect(await tab.page.getByLabel('client_secret').inputValue()).to.equal('');
      expect(await tab.page.getByLabel('Pause').isChecked()).to.equal(false);
      expect(await tab.page.evaluate('JSON.stringify(localStorage)'))
        .to.include('real')
        .and.not.include('hidden');
      expect(asked.join()).to.include('client').and.not.include('hidden');
      await tab.page.getByLabel('Local sandbox').check();
      expect(await tab.page.getByLabel('client_id').inputValue()).to.equal('demo');
      await tab.page.getByLabel('Live Pipedrive').check();
      expect(await tab.page.getByLabel('client_id').inputValue()).to.equal('real');
    });
  });

  it('lets the environment win over what the browser has saved', async () => {
    await open('environment', { viewport: desktop }, { clientID: 'from-the-environment', clientSecret: 'secret' });
    await tab.page.evaluate("localStorage.setItem('request', 'target=sandbox&client_id=saved&return_state=/saved')");
    await tab.page.reload();
    expect(await tab.page.getByLabel('client_id').inputValue()).to.equal('from-the-environment');
    expect(await tab.page.getByLabel('Live Pipedrive').isChecked()).to.equal(true);
    expect(await tab.page.getByLabel('return_state').inputValue()).to.equal('/saved');
  });

  it('works without script, and claims nothing there that needs one', async () => {
    await open('no script', { viewport: desktop, javaScriptEnabled: false });
    expect(await tab.page.getByRole('button', { name: 'Copy' }).count()).to.equal(0);
    for (const claim of ['Saved in this browser', 'Updates live'])
      expect(await tab.page.getByText(claim).isVisible()).to.equal(false);
    await tab.page.getByLabel('Pause').uncheck();
    await tab.press('Start the sign-in');
    await tab.press('Allow and install');
    expect(await shown('#result')).to.include('is signed in.');
  });

  it('can be used with the keyboard alone', async () => {
    await open('keyboard', { viewport: desktop });
    const { keyboard } = tab.page;
    const enter = async (name: string) => {
      const target = tab.page.getByRole('button', { name }).or(tab.page.getByRole('link', { name })).first();
      for (let presses = 0; presses < 60; presses += 1) {
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
    await enter('4. GET');
    await enter('Account');
    await enter('GET /api/v1/deals');
    await tab.expectReachable();
    await enter('Revoke');
    expect(await shown('h1')).to.equal('The app is no longer installed');
  });
});
