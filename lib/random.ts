// Random text that nobody can guess: `state` parameters.
import { randomFillSync } from 'node:crypto';

const TOKEN_BYTES = 32;

/**
 * A stock of random bytes, as Node.js's own `randomUUID` keeps one: to ask the system for 4,096 bytes takes hardly longer
 * than for 32. It is empty until the first request, so that processes started from one snapshot do not share it.
 */
const stock = Buffer.alloc(4096);
let used = stock.length;

/** 256 random bits as 43 characters of base64url. No byte is used twice, and none stays in the stock. */
export function randomToken(): string {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  const token = stock.toString('base64url', used, used + TOKEN_BYTES);
  stock.fill(0, used, used + TOKEN_BYTES);
  used += TOKEN_BYTES;
  return token;
}
