// What an app's panel gets of Pipedrive: its address with a signed token, and in a browser the frame around it.
/// <reference lib="dom" />
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'chai';
import express from 'express';
import { type Sandbox, startSandbox } from 'pipedrive-sandbox';
import { chromiumForSuite, Tab } from '../../test/support/chromium';
import { Driver } from './driver';

const app = { clientId: 'app', clientSecret: 's3cret', callbackURL: 'http://127.0.0.1:9/callback' };
const signedApart = { ...app, clientId: 'apart', jwtSecret: 'the secret of the extension' };
const hmac = (input: string, secret: string) => createHmac('sha256', secret).update(input).digest('base64url');

/** The claims of a token that is signed with this secret. */
function claimsOf(token: string, secret: string): Record<string, number> {
  const [header = '', claims = '', signature] = token.split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  expect(read(header)).to.deep.equal({ alg: 'HS256', typ: 'JWT' });
  expect(signature).to.equal(hmac(`${header}.${claims}`, secret));
  return read(claims);
}

describe('an extension', () => {
  let sandbox: Sandbox;
  beforeEach(async () => {
    sandbox = await startSandbox({ apps: [app, signedApart] });
  });
  afterEach(() => sandbox.close());

  const paramsOf = (url: string) => Object.fromEntries(new URL(url).searchParams);

  it('gets the user, the company, an id and a token that is good for five minutes, beside its own query', () => {
    const url = sandbox.extensionURL('app', 'http://localhost:3000/panel?mine=1', 'cleo');
    expect(url.startsWith('http://localhost:3000/panel?mine=1&')).to.equal(true);
    const { id, token = '', ...rest } = paramsOf(url);
    expect(rest).to.deep.equal({ mine: '1', userId: '912', companyId: '1002' });
    expect(id).to.match(/^[\w-]{36}$/);
    const { iat = 0, exp = 0, ...ids } = claimsOf(token, 's3cret');
    expect(ids).to.deep.equal({ userId: 912, companyId: 1002 });
    expect(exp - iat).to.equal(300);
    expect(iat).to.be.closeTo(Date.now() / 1000, 5);
  });

  it('gets what is selected where', () => {
    const details = { resource: 'deal', view: 'details', selectedIds: [3, 4] };
    const url = sandbox.extensionURL('app', 'http://localhost:3000/', { user: 'ada', companyId: 1002 }, details);
    const shown = { resource: 'deal', view: 'details', selectedIds: '3,4', userId: '777', companyId: '1002' };
    expect(paramsOf(url)).to.include(shown);
  });

  it("gets a token that is signed with the extension's own secret where there is one", () => {
    const { token = '' } = paramsOf(sandbox.extensionURL('apart', 'http://localhost:3000/'));
    expect(claimsOf(token, signedApart.jwtSecret)).to.include({ userId: 777 });
  });

  it("gets a token of the sandbox's time", () => {
    sandbox.advance(3_600_000);
    const { token = '' } = paramsOf(sandbox.extensionURL('app', 'http://localhost:3000/'));
    expect(claimsOf(token, 's3cret').iat).to.be.closeTo(Date.now() / 1000 + 3600, 5);
  });

  it('is framed only on this machine or at the origin of the callback URL, for a known app and user', async () => {
    const status = async (url: string, more = {}) => {
      const query = new URLSearchParams({ client_id: 'app', user: 'ada', url, ...more });
      return (await fetch(`${sandbox.origin}/extension?${query}`)).status;
    };
    expect(await status('http://localhost:3000/panel')).to.equal(200);
    for (const url of ['https://evil.example/', 'http://localhost.evil.example/', 'javascript:alert(1)', 'panel'])
      expect(await status(url), url).to.equal(400);
    expect(await status('http://localhost:3000/', { user: 'eve' })).to.equal(400);
    expect(await status('http://localhost:3000/', { client_id: 'eve' })).to.equal(400);
    const body = new URLSearchParams({ client_id: 'app', user: 'ada' });
    const forged = { method: 'POST', body, headers: { 'Sec-Fetch-Site': 'cross-site' } };
    expect((await fetch(`${sandbox.origin}/extension/token`, forged)).status).to.equal(403);
  });

  describe('in a browser', function () {
    this.timeout(20_000);
    const chromium = chromiumForSuite();
    let server: Server;
    let origin: string;
    let tab: Tab;

    beforeEach(async () => {
      const sdk = require.resolve('@pipedrive/app-extensions-sdk').replace('index.js', 'index.umd.js');
      const panel = express()
        .get('/sdk.js', (_req, res) => void res.type('js').send(readFileSync(sdk, 'utf8')))
        .get('/panel', (_req, res) => {
          res.send(`<!doctype html><html lang="en"><title>Panel</title><script src="/sdk.js"></script><script>
            (async () => {
              const sdk = await new AppExtensionsSDK().initialize({ size: { height: 200 } });
              await sdk.execute('show_snackbar', { message: 'Saved' });
              const metadata = await sdk.execute('get_metadata');
              const refused = await sdk.execute('open_modal', { type: 'deal' }).catch((error) => error.message);
              const { token } = await sdk.execute('get_signed_token');
              console.log(JSON.stringify({ token, metadata, refused }));
            })();
          </script>`);
        });
      server = panel.listen(0, '127.0.0.1');
      await once(server, 'listening');
      origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      tab = await Tab.open(chromium(), [origin, sandbox.origin], 'extension', {
        viewport: { width: 800, height: 800 },
      });
    });
    afterEach(async () => {
      await tab.close();
      server.close();
    });

    it('initializes the official SDK, gets a new token by it, and shows a message in Pipedrive', async () => {
      const { page } = tab;
      const details = { resource: 'deal', selectedIds: [3] };
      const logged = page.waitForEvent('console');
      await page.goto(sandbox.extensionPage('app', `${origin}/panel`, 'cleo', details));
      const { token, metadata, refused } = JSON.parse((await logged).text());
      expect(claimsOf(token, 's3cret')).to.include({ userId: 912, companyId: 1002 });
      expect(metadata).to.deep.equal({ windowWidth: 800, windowHeight: 800 });
      expect(refused).to.include('open_modal');
      expect(await page.locator('#status').textContent()).to.include('has initialized the SDK');
      expect(await page.locator('#snackbar').textContent()).to.equal('Saved');
      expect((await page.locator('iframe').boundingBox())?.height).to.be.closeTo(200, 2);
      expect(page.frames()[1]?.url()).to.include('selectedIds=3').and.include('resource=deal');
      expect(tab.complaints, 'what the panel logged').to.have.length(1);
    });

    it('has sound pages around it: the Marketplace and the consent page', async () => {
      await new Driver(sandbox.origin, app).install();
      const consent = new URLSearchParams({ client_id: 'app', redirect_uri: app.callbackURL });
      for (const path of ['/', `/oauth/authorize?${consent}`]) {
        await tab.page.goto(sandbox.origin + path);
        await tab.expectSound(path.split('?')[0] ?? '');
      }
    });
  });
});
