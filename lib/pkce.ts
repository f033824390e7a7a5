// Proof Key for Code Exchange (RFC 7636).
import { createHash, randomBytes } from 'node:crypto';

/** RFC 7636 §4.1: 256 random bits. */
export function createCodeVerifier(): string {
  return randomBytes(32).toString('base64url');
}

/** RFC 7636 §4.2 and §4.3: what the authorization request carries. */
export function codeChallenge(method: 'S256' | 'plain', codeVerifier: string): Record<string, string> {
  const hashed = () => createHash('sha256').update(codeVerifier).digest('base64url');
  return { code_challenge: method === 'S256' ? hashed() : codeVerifier, code_challenge_method: method };
}
