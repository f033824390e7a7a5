// The programs of docs/tasks as they stand there, each in a project of its own with the packed package, over HTTP.
import { expect } from 'chai';
import nock from 'nock';
import type { BrowserContext, Page } from 'playwright-core';
import { Browser } from '../support/browser';
import { chromiumForSuite } from '../support/chromium';
import { reportsErrors, signsIn, withThrowingHandler } from '../support/expectations';
import { adaToken } from '../support/extensions';
import { client, Program, type Stack } from '../support/program';

/** Starts a program for the tests of a suite. */
function programOf(stack: Stack): () => Program {
  let program: Program;
  before(async () => {
    program = await Program.start(stack);
  });
  after(() => program?.end());
  return () => program;
}

describe('tasks', function () {
  this.timeout(120_000); // the first to run packs the package
  before(() => nock.restore());

  describe('back to where the user was', () => {
    const program = programOf({ page: 'tasks/return-to' });

    async function signInFrom(returnTo: string): Promise<URL> {
      const browser = new Browser();
      await browser.open(`${program().origin}/auth/pipedrive?returnTo=${encodeURIComponent(returnTo)}`);
      await browser.press('Allow and install');
      return browser.page.url;
    }

    for (const page of ['/deals/42', '/deals?tab=2&q=%C3%A9#top', '/', '/deals//42']) {
      it(`returns to ${page}`, async () => {
        expect((await signInFrom(page)).href).to.equal(`${program().origin}${page}`);
      });
    }

    for (const address of [
      'https://evil.example/',
      '//evil.example/',
      '///evil.example/',
      '/\\evil.example/',
      '\\\\evil.example/',
      '/\t/evil.example/',
      '/.//evil.example/',
      '/..//evil.example/',
      '/%2e//evil.example/',
      'javascript:alert(1)',
      'data:text/html,x',
      'http://[',
      '',
      `/${'x'.repeat(5_000)}`,
    ]) {
      it(`returns to the start page in place of ${JSON.stringify(address).slice(0, 40)}`, async () => {
        expect((await signInFrom(address)).href).to.equal(`${program().origin}/`);
      });
    }

    it('returns to the start page in place of a repeated address', async () => {
      const browser = new Browser();
      await browser.open(`${program().origin}/auth/pipedrive?returnTo=/a&returnTo=/b`);
      await browser.press('Allow and install');
      expect(browser.page.url.pathname).to.equal('/');
    });
  });

  describe('connect an existing account', () => {
    const program = programOf({ page: 'tasks/connect' });
    const at = (path: string) => `${program().origin}${path}`;

    async function signedIn(id: string, browser = new Browser()): Promise<Browser> {
      await browser.open(at(`/login/${id}`), { method: 'POST' });
      expect(JSON.parse(browser.page.html)).to.include({ id });
      return browser;
    }

    it("connects Pipedrive, and keeps the app's own user", async () => {
      const browser = await signedIn('grace');
      await browser.open(at('/connect/pipedrive'), { method: 'POST' });
      await browser.press('Allow and install');
      expect(browser.page.url.href).to.equal(at('/settings'));
      expect(JSON.parse(browser.page.html)).to.deep.equal({ id: 'grace', pipedrive: 'Example Bikes' });
    });

    it('refuses a flow that this user has not asked for, such as an install', async () => {
      const browser = await signedIn('alan');
      await browser.open(at('/auth/pipedrive/callback?code=of-the-marketplace')); // starts over, without the mark
      await browser.press('Allow and install');
      expect(browser.page.status).to.equal(403);
      await browser.open(at('/settings'));
      expect(JSON.parse(browser.page.html)).to.deep.equal({ id: 'alan', pipedrive: 'not connected' });
    });

    it('refuses a flow that another user of this browser began', async () => {
      const browser = await signedIn('grace');
      await browser.open(at('/connect/pipedrive'), { method: 'POST' });
      const consent = browser.page;
      await signedIn('alan', browser);
      browser.history.push(consent);
      await browser.press('Allow and install');
      expect(browser.page.status).to.equal(403);
      await browser.open(at('/settings'));
      expect(JSON.parse(browser.page.html)).to.include({ pipedrive: 'not connected' });
    });

    it('refuses visitors, and a Cancel', async () => {
      const visitor = new Browser();
      expect((await visitor.open(at('/connect/pipedrive'), { method: 'POST' })).status).to.equal(401);
      expect((await visitor.open(at('/auth/pipedrive/callback?code=a'))).status).to.equal(401);
      const browser = await signedIn('alan');
      await browser.open(at('/connect/pipedrive'), { method: 'POST' });
      await browser.press('Cancel');
      expect(JSON.parse(browser.page.html)).to.include({ code: 'user_denied' });
    });
  });

  describe("sign in inside Pipedrive's iframe", () => {
    const program = programOf({ page: 'tasks/iframe' });
    const chromium = chromiumForSuite();
    let context: BrowserContext;
    let page: Page;
    beforeEach(async () => {
      context = await chromium().newContext({ bypassCSP: true }); // the frame is in a page of the test's, not of Pipedrive's
      page = await context.newPage();
      await page.route('https://acme.pipedrive.com/**', (route) =>
        route.fulfill({ contentType: 'text/html', body: `<iframe src="${frame}"></iframe>` }),
      );
    });
    afterEach(() => context?.close());
    let frame: string;
    const token = () => adaToken({}, { secret: client.clientSecret });

    it('connects in a window of its own, and the frame shows it', async () => {
      frame = `${program().origin}/panel?token=${token()}`;
      await page.goto('https://acme.pipedrive.com/deal/1');
      const opened = page.waitForEvent('popup');
      await page.frameLocator('iframe').getByRole('button', { name: 'Connect Pipedrive' }).click();
      await (await opened).getByRole('button', { name: 'Allow and install' }).click();
      await page.frameLocator('iframe').getByText('Your Pipedrive is connected.').waitFor();
    });

    it('shows the panel to nobody without a token', async () => {
      const response = await fetch(`${program().origin}/panel?userId=777&companyId=1001`);
      expect(response.status).to.equal(401);
      expect(await response.json()).to.include({ code: 'token_missing' });
    });
  });

  /** What Next.js adds to the request and response of Node.js, with its types. */
  const next = {
    'next.d.ts': `
      declare module 'next' {
        import type { IncomingMessage, ServerResponse } from 'node:http';
        export interface NextApiRequest extends IncomingMessage {
          query: Partial<Record<string, string | string[]>>;
          body: any;
        }
        export interface NextApiResponse extends ServerResponse {
          status(code: number): NextApiResponse;
          json(body: unknown): void;
        }
      }`,
    'app.ts': `
      import { createServer } from 'node:http';
      import { json } from 'node:stream/consumers';
      import callback from './callback.js';
      import start from './start.js';
      createServer(async (req, res) => {
        const { pathname, searchParams } = new URL(req.url ?? '', 'http://localhost');
        const body = req.method === 'GET' ? undefined : await json(req);
        const request = Object.assign(req, { query: Object.fromEntries(searchParams), body });
        const response = Object.assign(res, {
          status: (code: number) => Object.assign(response, { statusCode: code }),
          json: (value: unknown) => void res.setHeader('Content-Type', 'application/json').end(JSON.stringify(value)),
        }) as typeof res & { status(code: number): any; json(value: unknown): void };
        await (pathname.endsWith('callback') ? callback : start)(request, response);
      }).listen(process.env.PORT);`,
  };

  const stacks: Record<string, Stack> = {
    connect: { page: 'tasks/without-express' },
    Polka: { page: 'tasks/without-express', app: 1 },
    "Next.js's pages/api": {
      page: 'tasks/without-express',
      files: { 'pipedrive.ts': 2, 'start.ts': 3, 'callback.ts': 4, ...next },
    },
    // iron-session's declarations name a type that its cookie does not have.
    'iron-session': { page: 'tasks/without-express', app: 5, compilerOptions: { skipLibCheck: true } },
  };
  for (const [title, stack] of Object.entries(stacks)) {
    describe(`without Express: ${title}`, () => {
      const program = programOf({ ...stack, edit: withThrowingHandler });
      signsIn(program);
      reportsErrors(program);
    });
  }
});
