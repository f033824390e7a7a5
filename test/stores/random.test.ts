// The random bytes of `state` parameters, which come from a stock.
import crypto from 'node:crypto';
import { expect } from 'chai';
import { StoreClient } from '../support/stores';

describe('random bytes of state', () => {
  it('are each used once, and none stays in memory', async () => {
    const { randomFillSync } = crypto;
    const stocks: { given: Buffer; left: Buffer }[] = [];
    const fill = (left: Buffer) => {
      randomFillSync(left);
      stocks.push({ given: Buffer.from(left), left });
      return left;
    };
    const used: Buffer[] = [];
    try {
      Object.assign(crypto, { randomFillSync: fill });
      while (stocks.length < 2) {
        const { handle } = await StoreClient.of('SessionStateStore').begin();
        if (stocks.length === 1) used.push(Buffer.from(String(handle), 'base64url'));
      }
    } finally {
      Object.assign(crypto, { randomFillSync });
    }
    const [first, second] = stocks;
    expect(Buffer.concat(used).equals(first?.given ?? Buffer.alloc(0))).to.equal(true);
    expect(second?.left.subarray(0, 32).every((byte) => byte === 0)).to.equal(true);
  });
});
