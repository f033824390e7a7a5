// Proof Key for Code Exchange (RFC 7636).
import { createHash, randomBytes } from 'node:crypto';

/**
 * A code verifier of 256 random bits (RFC 7636 §4.1), and what the authorization request carries of it (§4.2, §4.3).
 * `undefined` where no method is set. Throws for a method that RFC 7636 does not have.
 */
export function createProofKey(method: unknown) {
  if (!method) return undefined;
  if (method !== 'S256' && method !== 'plain') {
    throw new TypeError("The code challenge method must be 'S256' or 'plain'");
  }
  const codeVerifier = randomBytes(32).toString('base64url');
  const challenge = { code_challenge: transform(codeVerifier, method), code_challenge_method: method };
  return { codeVerifier, challenge };
}

function transform(codeVerifier: string, method: 'S256' | 'plain'): string {
  return method === 'plain' ? codeVerifier : createHash('sha256').update(codeVerifier).digest('base64url');
}
