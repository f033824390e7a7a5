// What an upstream can do at each of the client's four requests, as a table: the status that comes of it, and why.
import type { Socket } from 'node:net';
import { gzipSync } from 'node:zlib';
import { apiErrors, tokenErrors } from '../../sandbox';
import { hostileDomains, tokenLies, userLies } from './lies';
import { type Answerer, answerOf, bodyFor } from './servers';

export const requestNames = ['token', 'profile', 'refresh', 'revoke'] as const;
export type RequestName = (typeof requestNames)[number];

export interface Fault {
  /** Goes on after "when the server". */
  what: string;
  answer: Answerer;
  /** The requests that it is played at. */
  at: readonly RequestName[];
  /** Status of the error that comes of it; none where the request succeeds all the same. */
  status?: 502 | 503 | 504;
  /** The code of the error's cause, or a part of its message. */
  cause?: string;
}

/** An answer may be given as it is on the wire. */
type Row = readonly [what: string, answer: Answerer | string, cause?: string];

/** Sends what is made of the JSON that Pipedrive would send. */
const well =
  (make: (json: string) => string): Answerer =>
  (socket, { text }) =>
    void socket.write(make(JSON.stringify(bodyFor(text))));
/** The same, and closes. */
const wellAndEnd =
  (make: (json: string) => string): Answerer =>
  (socket, { text }) =>
    void socket.end(make(JSON.stringify(bodyFor(text))));
const ok = (headers = '') => `HTTP/1.1 200 OK\r\n${headers}`;
const chunked = ok('Transfer-Encoding: chunked\r\n\r\n');
const half = `${ok('Content-Length: 100\r\n\r\n')}{"access_token":`;
const redirect = (status: number) => `HTTP/1.1 ${status} X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n`;

/** Sends a text now and then, for ever, after a beginning. */
const drip =
  (start: string, text: string): Answerer =>
  (socket) => {
    socket.write(start);
    const timer = setInterval(() => socket.write(text), 5);
    socket.on('close', () => clearInterval(timer));
  };

/** Sends as much as the client takes, after a beginning. */
function pour(socket: Socket, start: string): void {
  socket.write(start);
  const more = () => {
    while (socket.writable && socket.write('x'.repeat(65_536)));
  };
  socket.on('drain', more);
  more();
}

function byteByByte(socket: Socket, answer: string, at = 0): void {
  socket.setNoDelay();
  socket.write(answer.charAt(at));
  if (at + 1 < answer.length) setImmediate(() => byteByByte(socket, answer, at + 1));
}

const late: readonly Row[] = [
  ['never answers', () => {}],
  ['stops in the middle of the status line', 'HTTP/1.1 2'],
  ['stops in the middle of the head', ok('Content-Le')],
  ['stops after the head', ok('Content-Length: 100\r\n\r\n')],
  ['stops in the middle of the body', half],
  ['stops in the middle of a chunk', `${chunked}5\r\n{"a`],
  ['stops before the last chunk', `${chunked}2\r\n{}\r\n`],
  ['promises more than it sends', well((json) => `${ok('Content-Length: 9999\r\n\r\n')}${json}`)],
  ['never ends a body without length', well((json) => `${ok('\r\n')}${json}`)],
  ['sends a byte of the head now and then', drip(ok('X: '), 'x')],
  ['sends a header now and then', drip(ok(), 'X: x\r\n')],
  ['sends a byte of the body now and then', drip(ok('\r\n'), ' ')],
  ['sends nothing but 100 Continue', drip('', 'HTTP/1.1 100 Continue\r\n\r\n')],
];

const broken: readonly Row[] = [
  ['closes at once', (socket) => socket.destroy(), 'ECONNRESET'],
  ['ends at once', (socket) => socket.end(), 'ECONNRESET'],
  ['resets at once', (socket) => socket.resetAndDestroy(), 'ECONNRESET'],
  ['ends in the middle of the head', (socket) => socket.end(ok('Content-Le'))],
  [
    'resets in the middle of the head',
    (socket) => socket.write(ok('Conte'), () => socket.resetAndDestroy()),
    'ECONNRESET',
  ],
  ['ends in the middle of the body', (socket) => socket.end(half), 'ECONNRESET'],
  ['resets in the middle of the body', (socket) => socket.write(half, () => socket.resetAndDestroy()), 'ECONNRESET'],
  ['ends in the middle of a chunk', (socket) => socket.end(`${chunked}5\r\n{"a`), 'ECONNRESET'],
  ['sends more than it promised', well((json) => `${ok('Content-Length: 5\r\n\r\n')}${json}`), 'HPE_'],
  ['sends two lengths', ok('Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}'), 'HPE_'],
  ['sends a length below zero', ok('Content-Length: -1\r\n\r\n'), 'HPE_'],
  [
    'sends a length and chunks',
    ok('Content-Length: 12\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n'),
    'HPE_',
  ],
  ['sends a broken chunk', `${chunked}{"access_token":"a"}\r\n`, 'HPE_'],
  ['sends a header of 20 KB', ok(`X: ${'x'.repeat(20_000)}\r\n\r\n`), 'HPE_HEADER_OVERFLOW'],
  ['sends 5,000 headers', ok(`${'X: xxxx\r\n'.repeat(5_000)}\r\n`), 'HPE_HEADER_OVERFLOW'],
  ['sends trailers of 180 KB', `${chunked}2\r\n{}\r\n0\r\n${'X: xxxx\r\n'.repeat(20_000)}\r\n`, 'HPE_HEADER_OVERFLOW'],
  ['sends a null character in a header', ok('X: \0\r\n\r\n'), 'HPE_'],
  ['speaks HTTP/0.9', wellAndEnd((json) => json), 'HPE_'],
  ['speaks TLS', Buffer.from([0x15, 3, 3, 0, 2, 2, 40]).toString('latin1'), 'HPE_'],
  ['switches protocols', 'HTTP/1.1 101 X\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n', 'switches protocols'],
  ['sends a body over 1 MiB', well((json) => answerOf(json.padEnd(1_048_577))), '1048576 bytes'],
  ['sends a body of 50 MB', (socket) => pour(socket, ok('Content-Length: 50000000\r\n\r\n')), '1048576 bytes'],
  ['sends a body without end', (socket) => pour(socket, ok('\r\n')), '1048576 bytes'],
];

const html = '<!doctype html><h1>Maintenance</h1>';
const refused: readonly Row[] = [
  ...[300, 301, 302, 303, 307, 308].map(
    (status): Row => [`redirects with ${status}`, redirect(status), `HTTP ${status}`],
  ),
  ['answers 304', 'HTTP/1.1 304 X\r\n\r\n', 'HTTP 304'],
  ['answers 101 without an upgrade', 'HTTP/1.1 101 X\r\n\r\n', 'HTTP 101'],
  ['answers 400 with HTML', answerOf(html, 400), 'HTTP 400'],
  ['answers 400 with null', answerOf('null', 400), 'HTTP 400'],
  ['answers 400 with JSON of another shape', answerOf({ error: { code: 'invalid_grant' } }, 400), 'HTTP 400'],
  ['answers 400 with an error that is no code', answerOf({ error: 'quote"' }, 400), 'HTTP 400'],
  ['answers 404 without a body', answerOf('', 404), 'HTTP 404'],
  ['answers 407 with a challenge', answerOf('', 407, 'Proxy-Authenticate: Basic\r\n'), 'HTTP 407'],
  ['answers 500 with a text', answerOf('Internal Server Error', 500), 'HTTP 500'],
  ['answers 500 in the shape of a token error', answerOf(tokenErrors.authorizationCodeInvalid, 500), 'HTTP 500'],
  ['answers 500 with tokens', well((json) => answerOf(json, 500)), 'HTTP 500'],
  ['answers 503 with HTML', answerOf(html, 503, 'Retry-After: 30\r\n'), 'Retry-After: 30'],
  ['answers 999', answerOf('{}', 999), 'HTTP 999'],
];

const limited: readonly Row[] = [
  ['answers 429', answerOf(apiErrors.rateLimited, 429, 'Retry-After: 30\r\n'), 'HTTP 429, Retry-After: 30'],
  ['answers 429 in the shape of a token error', answerOf(tokenErrors.authorizationCodeInvalid, 429), 'HTTP 429'],
  ['answers 429 with HTML', answerOf(html, 429), 'HTTP 429'],
  ['answers 429 with bytes that are not UTF-8', (socket) => sendBytes(socket, Buffer.from([0xff]), 429), 'HTTP 429'],
];

function sendBytes(socket: Socket, body: Buffer, status = 200, headers = ''): void {
  socket.write(`HTTP/1.1 ${status} X\r\n${headers}Content-Length: ${body.length}\r\n\r\n`);
  socket.write(body);
}

const gzip: Answerer = (socket, { text }) =>
  sendBytes(socket, gzipSync(JSON.stringify(bodyFor(text))), 200, 'Content-Encoding: gzip\r\n');

const unreadable: readonly Row[] = [
  ['answers 204', 'HTTP/1.1 204 X\r\n\r\n'],
  ['sends an empty body', answerOf('')],
  ['sends HTML', answerOf(html)],
  ['sends a form', answerOf('access_token=a&token_type=bearer')],
  ['sends null', answerOf('null')],
  ['sends a number', answerOf('7')],
  ['sends a string', answerOf('"access_token"')],
  ['sends a list', well((json) => answerOf(`[${json}]`))],
  ['sends an empty object', answerOf('{}')],
  ['sends JSON that is cut', well((json) => answerOf(json.slice(0, -1)))],
  ['sends JSON twice', well((json) => answerOf(json.repeat(2)))],
  ['sends lists in lists, 100,000 deep', answerOf('['.repeat(100_000))],
  ['sends an error with status 200', answerOf(tokenErrors.authorizationCodeInvalid)],
  ['sends bytes that are not UTF-8', (socket) => sendBytes(socket, Buffer.from([0x7b, 0xff, 0x7d]))],
  ['sends UTF-16', (socket, { text }) => sendBytes(socket, Buffer.from(JSON.stringify(bodyFor(text)), 'utf16le'))],
  ['sends gzip, which nobody asked for', gzip],
];

const odd: readonly Row[] = [
  [
    'sends 100 Continue and 103 Early Hints first',
    well((json) => `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 X\r\nLink: </a>\r\n\r\n${answerOf(json)}`),
  ],
  [
    'sends chunks and trailers',
    well((json) => `${chunked}${json.length.toString(16)};a=b\r\n${json}\r\n0\r\nX: x\r\n\r\n`),
  ],
  ['sends no length, and closes', wellAndEnd((json) => `${ok('\r\n')}${json}`)],
  ['sends a length, and closes', wellAndEnd((json) => answerOf(json))],
  ['speaks HTTP/1.0', wellAndEnd((json) => answerOf(json).replace('1.1', '1.0'))],
  ['sends byte by byte', (socket, { text }) => byteByByte(socket, answerOf(bodyFor(text)))],
  ['sends a second answer', well((json) => answerOf(json) + answerOf('null', 500))],
  ['sends a body of 1 MiB', well((json) => answerOf(json.padEnd(1_048_576)))],
];

const tokenLie = ([what, changed]: readonly [string, object]): Row => [
  `sends ${what}`,
  (socket, { text }) => socket.write(answerOf({ ...bodyFor(text), ...changed })),
];

const lyingTokens: readonly Row[] = [
  ...tokenLies.map(tokenLie),
  ['sends expires_in without end', well((json) => answerOf(json.replace('3600', '1e999')))],
];

const hostile = hostileDomains.map((api_domain): Row => {
  const [what, answer] = tokenLie([`the api_domain ${JSON.stringify(api_domain)}`, { api_domain }]);
  return [what, answer, 'no usable api_domain'];
});

const lyingUsers = userLies.map(([what, body]): Row => [`sends ${what}`, answerOf(body)]);

const rows = (at: readonly RequestName[], status: Fault['status'], table: readonly Row[]): Fault[] =>
  table.map(([what, answer, cause]) => ({
    what,
    at,
    status,
    cause,
    answer: typeof answer === 'string' ? (socket) => void socket.write(answer, 'latin1') : answer,
  }));

export const faults: readonly Fault[] = [
  ...rows(requestNames, undefined, odd),
  ...rows(requestNames, 504, late),
  ...rows(requestNames, 502, broken),
  ...rows(requestNames, 502, refused),
  ...rows(requestNames, 503, limited),
  ...rows(['token', 'profile', 'refresh'], 502, unreadable),
  // Of a revocation only the status counts (RFC 7009 §2.2).
  ...rows(['revoke'], undefined, unreadable),
  ...rows(['token', 'refresh'], 502, [...lyingTokens, ...hostile]),
  // A refresh token stays the same where the answer to a refresh has none (RFC 6749 §6).
  ...rows(['token'], 502, [tokenLie(['no refresh_token', { refresh_token: undefined }])]),
  ...rows(['profile'], 502, lyingUsers),
  ...rows(['profile'], 502, [['answers 400 in the shape of a token error', answerOf(tokenErrors.clientInvalid, 400)]]),
];
