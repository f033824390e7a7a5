// The panel of docs/extensions.md: over HTTP on each Express, and in Chromium, in an iframe on a page of another site.
import { expect } from 'chai';
import nock from 'nock';
import type { BrowserContext, Frame, Page } from 'playwright-core';
import { clientID } from '../support/app';
import { Browser } from '../support/browser';
import { chromiumForSuite } from '../support/chromium';
import { inSeconds } from '../support/extensions';
import { type Panel, panelQuery, panelToken, startPanel, startSandboxFor } from '../support/panel';

const bearer = (token: string) => ({ headers: { Authorization: `Bearer ${token}` } });

const versions: Record<string, Record<string, string>> = { 'Express 5': {}, 'Express 4': { express: 'express4' } };

describe('the panel of docs/extensions.md', function () {
  this.timeout(60_000);
  before(() => nock.restore());

  for (const [title, aliases] of Object.entries(versions)) {
    describe(`on ${title}`, () => {
      let panel: Panel;
      before(async () => {
        panel = await startPanel(aliases);
      });
      after(() => panel?.close());

      it('is shown to who has a token, framed by Pipedrive alone', async () => {
        const { status, headers } = await fetch(`${panel.origin}/panel?${panelQuery()}`);
        expect(status).to.equal(200);
        expect(headers.get('content-security-policy')).to.include('frame-ancestors https://*.pipedrive.com');
        expect(headers.get('referrer-policy')).to.equal('no-referrer');
        expect(headers.get('cache-control')).to.equal('no-store');
      });

      const refused: Record<string, [() => URLSearchParams | string, number, string]> = {
        'without a token': [() => 'userId=777&companyId=1001', 401, 'token_missing'],
        'with an expired token': [() => panelQuery(panelToken({ exp: inSeconds(-1) })), 401, 'token_expired'],
        'with a token of another app': [() => panelQuery('eyJhbGciOiJIUzI1NiJ9.e30.AAAA'), 401, 'token_invalid'],
        "with another user's id": [() => `token=${panelToken()}&userId=1`, 403, 'token_mismatch'],
      };
      for (const [how, [query, status, code]] of Object.entries(refused)) {
        it(`is refused ${how}`, async () => {
          const response = await fetch(`${panel.origin}/panel?${query()}`);
          expect(await response.json()).to.include({ code });
          expect(response.status).to.equal(status);
        });
      }

      it('calls the API for who has signed in with the main strategy, and for nobody else', async () => {
        const api = `${panel.origin}/api/deals`;
        expect(await (await fetch(api, bearer(panelToken()))).json()).to.include({ code: 'not_installed' });
        const browser = new Browser();
        await browser.open(`${panel.origin}/auth/pipedrive`);
        await browser.press('Allow and install');
        expect(browser.page.status).to.equal(200);
        expect(await (await fetch(api, bearer(panelToken()))).json()).to.deep.equal({ deals: 3 });
        const other = await fetch(api, bearer(panelToken({ userId: 778 })));
        expect(await other.json()).to.include({ code: 'not_installed' });
      });
    });
  }

  describe('in Chromium, which withholds cookies from frames of other sites', () => {
    const chromium = chromiumForSuite();
    let panel: Panel;
    let context: BrowserContext;
    let page: Page;
    beforeEach(async () => {
      panel = await startPanel();
      context = await chromium().newContext();
      page = await context.newPage();
    });
    afterEach(async () => {
      await context?.close();
      await panel?.close();
    });

    /** Opens Pipedrive's page, at 127.0.0.1, with the panel of the app, at localhost, in it. */
    async function openDeal(sandbox = panel.sandbox): Promise<Frame> {
      const details = { resource: 'deal', view: 'details', selectedIds: [3] };
      await page.goto(sandbox.extensionPage(clientID, `${panel.origin}/panel`, 'ada', details));
      const frame = await (await page.waitForSelector('iframe')).contentFrame();
      if (!frame) throw new Error('There is no frame');
      return frame;
    }

    it('shows the deals after consent in a popup, by fresh tokens, without cookies', async () => {
      const given: string[] = [];
      const sent: string[] = [];
      const referers: (string | undefined)[] = [];
      context.on('response', async (response) => {
        if (response.url().endsWith('/extension/token')) given.push((await response.json()).token);
      });
      context.on('request', (request) => {
        if (!request.url().startsWith(panel.origin)) return;
        const { authorization, referer } = request.headers();
        if (request.url().endsWith('/api/deals')) sent.push(String(authorization?.replace('Bearer ', '')));
        if (!request.isNavigationRequest()) referers.push(referer);
      });
      const frame = await openDeal();
      const connect = frame.getByRole('button', { name: 'Connect Pipedrive' });
      await connect.waitFor();
      await frame.evaluate("document.cookie = 'tried=1; SameSite=None; Secure'");
      expect(await frame.evaluate('document.cookie')).to.equal('');

      panel.sandbox.advance(60_000); // a token of another minute is another one
      const opened = page.waitForEvent('popup');
      await connect.click();
      const popup = await opened;
      const closed = popup.waitForEvent('close');
      await popup.getByRole('button', { name: 'Allow and install' }).click();
      await closed;
      await frame.getByText('3 deals').waitFor();
      expect(await connect.isVisible()).to.equal(false);

      expect(given).to.include.members(sent);
      expect(new Set(sent).size).to.be.at.least(2);
      expect(referers.filter(Boolean)).to.deep.equal([]);
    });

    it('is not shown in the frame of a page that is not Pipedrive', async () => {
      const stranger = await startSandboxFor(`${panel.origin}/auth/pipedrive/callback`);
      const refused = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
      const frame = await openDeal(stranger);
      await refused;
      expect(await frame.locator('#deals').count()).to.equal(0);
      await stranger.close();
    });
  });
});
