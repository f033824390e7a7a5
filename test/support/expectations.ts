// What everybody expects of a program of the documents: that it signs users in, and that nothing goes wrong silently.
import { expect } from 'chai';
import { Browser } from './browser';
import { client, type Program } from './program';

export const ada = { id: '1001:777', name: 'Ada Example' };

/** The program with a line in its callback's handler, which throws when the environment says so. */
export const withThrowingHandler = (program: string) =>
  program.replace(
    /^.*info\??\.state.*$/im,
    "if (process.env.HANDLER_THROWS) throw new Error('The handler fails', { cause: new Error('Its cause') });\n$&",
  );

/** What everybody expects of a stack. */
export function signsIn(program: () => Program): void {
  let browser: Browser;
  beforeEach(() => {
    browser = new Browser();
  });
  const callback = () => `${program().origin}/auth/pipedrive/callback`;
  const expectJSON = (status: number, body: unknown) => {
    expect(JSON.parse(browser.page.html)).to.deep.include(body);
    expect(browser.page.status).to.equal(status);
  };

  it('signs the user in, with the state that the app gave', async () => {
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.press('Allow and install');
    if (browser.page.url.href.startsWith(callback())) {
      expectJSON(200, { user: ada, state: '/deals' });
    } else {
      expect(browser.page.url.href).to.equal(`${program().origin}/deals`);
      expectJSON(200, { user: ada });
    }
  });

  it('keeps the redirect to Pipedrive out of shared caches', async () => {
    const { status, headers } = await browser.send(`${program().origin}/auth/pipedrive`);
    expect([status, headers.get('cache-control')]).to.deep.equal([302, 'no-store']);
  });

  it('responds with 403 user_denied when the user cancels', async () => {
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.press('Cancel');
    expectJSON(403, {
      code: 'user_denied',
      message: 'Access to Pipedrive was not allowed. Start again if you want to allow it.',
      state: '/deals',
    });
  });

  it('responds with 403 state_invalid to a forged link', async () => {
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.open(`${callback()}?code=of-somebody-else&state=forged`);
    expectJSON(403, { code: 'state_invalid' });
  });
}

/** What everybody expects of a program when something goes wrong. */
export function reportsErrors(program: () => Program): void {
  async function signIn(): Promise<Browser> {
    const browser = new Browser();
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.press('Allow and install');
    return browser;
  }

  /** An error's page says nothing of the error, nor of the app's state. */
  function expectError({ page }: Browser, status: number): void {
    expect(page.status).to.equal(status);
    expect(page.html).not.to.match(/deals|Its cause|invalid_client|secret/);
  }

  it('does not log a Cancel', async () => {
    const browser = new Browser();
    await browser.open(`${program().origin}/auth/pipedrive`);
    await browser.press('Cancel');
    expect(browser.page.status).to.equal(403);
    expect(program().printed).not.to.include('Error');
  });

  it('accepts the notice of an uninstall from Pipedrive only', async () => {
    const notice = { client_id: client.clientId, company_id: 1001, user_id: 777, timestamp: '2026-01-01 10:00:00' };
    const send = (headers: Record<string, string>) =>
      fetch(`${program().origin}/auth/pipedrive/callback`, {
        method: 'DELETE',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: JSON.stringify(notice),
      });
    const credentials = Buffer.from(`${client.clientId}:${client.clientSecret}`).toString('base64');
    expect((await send({ Authorization: `Basic ${credentials}` })).status).to.equal(204);
    await program().prints('User 777 of company 1001 has uninstalled the app');
    expect((await send({})).status).to.equal(401);
  });

  it('logs what a handler throws with its cause, and responds with 500', async () => {
    await program().restart({ HANDLER_THROWS: '1' });
    expectError(await signIn(), 500);
    await program().prints('The handler fails', 'Its cause');
  });

  it('logs that Pipedrive refuses a wrong client secret, and responds with 500', async () => {
    await program().restart({ PIPEDRIVE_CLIENT_SECRET: 'a-wrong-one' });
    expectError(await signIn(), 500);
    await program().prints('invalid_client');
    expect(program().printed).not.to.include('a-wrong-one');
  });

  it('logs that Pipedrive cannot be reached with its cause, and responds with 502', async () => {
    await program().restart();
    const browser = new Browser();
    const { url } = await browser.open(`${program().origin}/auth/pipedrive`);
    await program().sandbox.close();
    const state = url.searchParams.get('state');
    await browser.open(`${program().origin}/auth/pipedrive/callback?code=code&state=${state}`);
    expectError(browser, 502);
    await program().prints('[cause]', 'ECONNREFUSED');
  });
}
