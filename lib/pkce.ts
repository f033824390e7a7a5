// Proof Key for Code Exchange (RFC 7636).
import { createHash, randomBytes } from 'node:crypto';

/** A code verifier of 256 random bits (RFC 7636 §4.1), and what the authorization request carries of it (§4.2, §4.3). */
export function createProofKey(method: 'S256' | 'plain') {
  const codeVerifier = randomBytes(32).toString('base64url');
  const hashed = () => createHash('sha256').update(codeVerifier).digest('base64url');
  const challenge = { code_challenge: method === 'S256' ? hashed() : codeVerifier, code_challenge_method: method };
  return { codeVerifier, challenge };
}
