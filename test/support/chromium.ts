// A real browser: the system's Chromium, headless, and what must hold for every page that it shows.
/// <reference lib="dom" />
// (the types of Playwright and axe are made of it)
import { existsSync, readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import type axe from 'axe-core';
import { expect } from 'chai';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { repository } from './project';

const executable = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((directory) => ['chromium', 'chromium-browser', 'google-chrome'].map((name) => join(directory, name)))
  .find((path) => existsSync(path));

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-features=LocalNetworkAccessChecks', // pages that tests make up are of no network
];

/** Yields nothing: the browser would send it back. */
const axeScript = `${readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')}; undefined`;

/** Git ignores it. */
const screenshots = join(repository, 'screenshots');

/** Starts Chromium for a suite. Where there is none the suite is skipped, but not in CI. */
export function chromiumForSuite(): () => Browser {
  let browser: Browser | undefined;
  before(async function () {
    if (!executable && process.env.CI) throw new Error('There is no Chromium: install the package chromium');
    if (!executable) {
      console.log('Skipped, since there is no Chromium on this machine: install the package chromium');
      this.skip();
    }
    browser = await chromium.launch({ executablePath: executable, args: flags });
    await mkdir(screenshots, { recursive: true });
  });
  after(() => browser?.close());
  return () => {
    if (!browser) throw new Error('Chromium is not running');
    return browser;
  };
}

/** In dark everything is where it is in light: the colours are left to look at. */
const schemes = [
  ['light', { resultTypes: ['violations'] }],
  ['dark', { resultTypes: ['violations'], runOnly: ['color-contrast'] }],
] as const;

/** A page in a window of its own, with all that it complains about or asks for elsewhere. */
export class Tab {
  readonly complaints: string[] = [];

  private constructor(
    readonly page: Page,
    readonly name: string,
  ) {}

  /** Requests may go to the given origins. Pages are named after `name` in the screenshots. */
  static async open(browser: Browser, origins: string[], name: string, options: BrowserContextOptions): Promise<Tab> {
    const context = await browser.newContext(options);
    const tab = new Tab(await context.newPage(), name);
    tab.page.on('console', (message) => tab.complaints.push(`${message.type()}: ${message.text()}`));
    tab.page.on('pageerror', (error) => tab.complaints.push(String(error)));
    tab.page.on('request', (request) => {
      if (!origins.includes(new URL(request.url()).origin)) tab.complaints.push(`request to ${request.url()}`);
    });
    return tab;
  }

  close(): Promise<void> {
    return this.page.context().close();
  }

  /** Presses the button or link with this name, which leads to another page. */
  async press(name: string): Promise<void> {
    const target = this.page.getByRole('button', { name }).or(this.page.getByRole('link', { name }));
    await Promise.all([this.page.waitForEvent('load'), target.first().click()]);
  }

  /** In light and in dark: nothing overflows, nothing complains, and axe finds nothing, WCAG's contrast included. */
  async expectSound(title: string): Promise<void> {
    const { page } = this;
    await page.evaluate(axeScript); // not a script of the page, so that the page's policy holds
    for (const [colorScheme, options] of schemes) {
      await page.emulateMedia({ colorScheme });
      const name = [this.name, colorScheme, title].join(' ').replace(/\W+/g, '-');
      await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage: true });
      const run = `axe.run(${JSON.stringify(options)}).then(({ violations }) => violations)`;
      const violations = await page.evaluate<axe.Result[]>(run);
      const found = violations.flatMap(({ id, nodes }) => nodes.map((node) => [id, node.html, node.failureSummary]));
      expect(found, name).to.deep.equal([]);
    }
    const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth] as const);
    expect(inner, `width of ${title}`).to.be.at.most(outer);
    expect(this.complaints, title).to.deep.equal([]);
  }

  /** Tab leads to everything that can be used, and each place shows that it has the focus. */
  async expectReachable(): Promise<void> {
    const { page } = this;
    const usable =
      'a[href], summary, button:not(:disabled, [hidden]), input:not([type=radio]), [type=radio]:checked, [tabindex="0"]';
    const targets = page.locator(usable).and(page.locator(':visible'));
    for (let left = (await targets.count()) + 1; left > 0; left -= 1) {
      await page.keyboard.press('Tab');
      await page.evaluate(() => {
        const focused = document.activeElement;
        if (focused && getComputedStyle(focused).outlineStyle !== 'none') focused.setAttribute('data-reached', '');
      });
    }
    const missed = targets.and(page.locator(':not([data-reached])'));
    expect(await missed.evaluateAll((elements) => elements.map(({ outerHTML }) => outerHTML))).to.deep.equal([]);
  }
}
