// Node.js's own globals, for jose: in Jest's environments some are missing, and others are of another realm, which Node.js
// and jose do not recognise.
import { Buffer } from 'node:buffer';

export { webcrypto as crypto } from 'node:crypto';
export { TextDecoder, TextEncoder } from 'node:util';

const Bytes = Object.getPrototypeOf(Buffer);

export { Bytes as Uint8Array };
