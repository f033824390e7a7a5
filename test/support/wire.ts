// Faults and oddities of connections and of HTTP itself, as tables: what a server does with a request.
import type { Socket } from 'node:net';
import { type Answerer, answerOf, bodyFor } from './servers';

/** An answer may be given as it is on the wire. */
export type Row = readonly [what: string, answer: Answerer | string, cause?: string];

/** Sends what is made of the JSON that Pipedrive would send. */
export const well =
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

function inPieces(socket: Socket, answer: string): void {
  socket.setNoDelay();
  socket.write(answer.slice(0, 20));
  if (answer.length > 20) setImmediate(() => inPieces(socket, answer.slice(20)));
}

export const late: readonly Row[] = [
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

export const broken: readonly Row[] = [
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
];

export const tooLong: readonly Row[] = [
  ['sends a body over 1 MiB', well((json) => answerOf(json.padEnd(1_048_577))), '1048576 bytes'],
  ['sends a body of 50 MB', (socket) => pour(socket, ok('Content-Length: 50000000\r\n\r\n')), '1048576 bytes'],
  ['sends a body without end', (socket) => pour(socket, ok('\r\n')), '1048576 bytes'],
];

export function sendBytes(socket: Socket, body: Buffer, status = 200, headers = ''): void {
  socket.write(`HTTP/1.1 ${status} X\r\n${headers}Content-Length: ${body.length}\r\n\r\n`);
  socket.write(body);
}

export const odd: readonly Row[] = [
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
  ['sends pieces of 20 bytes', (socket, { text }) => inPieces(socket, answerOf(bodyFor(text)))],
  ['sends a second answer', well((json) => answerOf(json) + answerOf('null', 500))],
  ['sends a body of 1 MiB', well((json) => answerOf(json.padEnd(1_048_576)))],
];
