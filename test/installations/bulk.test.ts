// Ten thousand installations whose tokens expire in the same minute, and all are wanted at once.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect } from 'chai';
import nock from 'nock';
import { TokenEndpoint } from '../support/token-endpoint';

describe('ten thousand installations', function () {
  this.timeout(120_000);
  before(() => nock.restore());

  it('are all refreshed at once, over at most 50 connections', async () => {
    const endpoint = await new TokenEndpoint().start();
    const child = fork(join(__dirname, '..', 'support', 'bulk-process.ts'));
    try {
      await once(child, 'message');
      child.send({ origin: endpoint.origin, count: 10_000 });
      const [report] = await once(child, 'message');
      expect(report).to.include({ refreshed: 10_000, failed: 0 });
      expect(endpoint.refreshes).to.equal(10_000);
      expect(endpoint.mostConnections).to.be.at.most(50);
      expect(endpoint.connections).to.be.at.most(50);
    } finally {
      child.kill();
      await endpoint.close();
    }
  });
});
