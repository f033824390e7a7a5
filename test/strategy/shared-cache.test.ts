// A shared cache in front of the app, the real nginx: it must hand nobody another user's state or page.
import { expect } from 'chai';
import { anybody, appsForEach, Visitor } from '../support/app';
import { type Nginx, sharedCache, startNginx } from '../support/nginx';
import { letSignIn, stubPipedrive } from '../support/pipedrive';

describe('behind a shared cache', function () {
  this.timeout(20_000);
  stubPipedrive();
  const start = appsForEach();
  let nginx: Nginx | undefined;

  beforeEach(async function () {
    const app = await start({
      verify: anybody,
      routes: (express) => express.get('/cached', (_req, res) => res.redirect('/anywhere')),
    });
    nginx = await startNginx(app.origin, sharedCache);
    if (!nginx) this.skip();
  });
  afterEach(async () => {
    await nginx?.stop();
    nginx = undefined;
  });
  const visitor = () => new Visitor(nginx?.origin ?? '');

  it('that keeps a redirect of the app', async () => {
    await visitor().send('/cached');
    expect((await visitor().send('/cached')).headers.get('x-cache')).to.equal('HIT');
  });

  for (const path of ['/auth', '/callback', '/callback?code=from-the-marketplace']) {
    it(`gives each user a state of its own at ${path}`, async () => {
      const states = [await visitor().start(path), await visitor().start(path)];
      expect(states[0])
        .to.match(/^[\w-]{43}$/)
        .and.not.equal(states[1]);
    });
  }

  it('shows nobody the page of a callback that another user came back to', async () => {
    letSignIn();
    const user = visitor();
    const query = { code: 'the-code-of-the-user', state: await user.start() };
    expect((await user.callback(query)).outcome).to.equal('success');
    expect((await visitor().callback(query)).outcome).to.equal('failure');
  });
});
