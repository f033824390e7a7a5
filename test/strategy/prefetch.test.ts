// Requests that browsers and client-side routers mark as a prefetch: the state store is told.
import { expect } from 'chai';
import type { StateMetadata, StateStore } from 'passport-pipedrive-oauth2';
import { appsForEach, expectRedirect } from '../support/app';
import { stubPipedrive } from '../support/pipedrive';

describe('prefetch', () => {
  stubPipedrive();
  const start = appsForEach();

  /** What the store is told of a request with these headers. */
  async function isToldOf(path: string, headers: Record<string, string>): Promise<boolean> {
    const told: StateMetadata[] = [];
    const store: StateStore = {
      store: (_req, _codeVerifier, _state, meta, done) => {
        told.push(meta);
        done(null, 'state');
      },
      verify: (_req, _state, _meta, done) => done(null, false),
    };
    const visitor = (await start({ options: { store } })).visitor();
    expectRedirect(await visitor.send(path, { headers }));
    expect(told).to.have.length(1);
    return told[0]?.prefetch === true;
  }

  const prefetches: Record<string, string>[] = [
    { 'Sec-Purpose': 'prefetch' },
    { 'Sec-Purpose': 'prefetch;prerender' },
    { 'Sec-Purpose': 'prefetch;anonymous-client-ip' },
    { 'Sec-Purpose': 'Prefetch' },
    { Purpose: 'prefetch' },
    { Purpose: 'preview' },
    { 'X-Purpose': 'preview' },
    { 'X-Moz': 'prefetch' },
    { 'X-Sec-Purpose': 'prefetch' },
    { 'Next-Router-Prefetch': '1' },
    { 'Next-Router-Segment-Prefetch': '/_tree' },
    { 'X-Middleware-Prefetch': '1' },
  ];
  for (const headers of prefetches) {
    it(`is a request with ${JSON.stringify(headers)}`, async () => {
      expect(await isToldOf('/auth', headers)).to.equal(true);
    });
  }

  const visits: Record<string, string>[] = [
    {},
    { 'Sec-Purpose': '' },
    { 'Sec-Purpose': 'no-prefetch' },
    { Purpose: 'prefetching' },
    { 'Sec-Fetch-Dest': 'document', 'Sec-Fetch-Mode': 'navigate' },
    { RSC: '1' },
  ];
  for (const headers of visits) {
    it(`is no request with ${JSON.stringify(headers)}`, async () => {
      expect(await isToldOf('/auth', headers)).to.equal(false);
    });
  }

  it('is one at the callback without state, too', async () => {
    expect(await isToldOf('/callback?code=a', { 'Sec-Purpose': 'prefetch' })).to.equal(true);
    expect(await isToldOf('/callback', { Purpose: 'prefetch' })).to.equal(true);
  });
});
