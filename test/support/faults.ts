// What an upstream can do at each of the client's four requests, as a table: the status that comes of it, and why.
import { gzipSync } from 'node:zlib';
import { apiErrors, tokenErrors } from 'pipedrive-sandbox';
import { hostileDomains, hostileTokens, hostileUsers } from './hostile-bodies';
import { type Answerer, answerOf, bodyFor } from './servers';
import { broken, late, odd, type Row, sendBytes, tooLong, well } from './wire';

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
  /** What the error's message says after the name of the endpoint. */
  message?: string;
  /** The code of the error's cause, or a part of its message. */
  cause?: string;
}

const redirect = (status: number) => `HTTP/1.1 ${status} X\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n`;

const html = '<!doctype html><h1>Maintenance</h1>';
const refused: readonly Row[] = [
  ...[300, 301, 302, 303, 307, 308].map(
    (status): Row => [`redirects with ${status}`, redirect(status), `HTTP ${status}`],
  ),
  ['redirects in the shape of a token error', answerOf(tokenErrors.authorizationCodeInvalid, 302), 'HTTP 302'],
  ['answers 304', 'HTTP/1.1 304 X\r\n\r\n', 'HTTP 304'],
  ['answers 101 without an upgrade', 'HTTP/1.1 101 X\r\n\r\n', 'HTTP 101'],
  ['answers 400 with HTML', answerOf(html, 400), 'HTTP 400'],
  ['answers 400 with null', answerOf('null', 400), 'HTTP 400'],
  ['answers 400 with JSON of another shape', answerOf({ error: { code: 'invalid_grant' } }, 400), 'HTTP 400'],
  ['answers 400 with an error that is no code', answerOf({ error: 'quote"' }, 400), 'HTTP 400'],
  ['answers 400 with an error that is a number', answerOf({ error: 7 }, 400), 'HTTP 400'],
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
  ['sends JSON that is cut', well((json) => answerOf(json.slice(0, -1)))],
  ['sends JSON twice', well((json) => answerOf(json.repeat(2)))],
  ['sends lists in lists, 100,000 deep', answerOf('['.repeat(100_000))],
  ['sends bytes that are not UTF-8', (socket) => sendBytes(socket, Buffer.from([0x7b, 0xff, 0x7d]))],
  ['sends UTF-16', (socket, { text }) => sendBytes(socket, Buffer.from(JSON.stringify(bodyFor(text)), 'utf16le'))],
  ['sends gzip, which nobody asked for', gzip],
];

const wrongObject: readonly Row[] = [
  ['sends an empty object', answerOf('{}')],
  ['sends an error with status 200', answerOf(tokenErrors.authorizationCodeInvalid)],
];

/** A token response with other members; one that is undefined is left out. */
const tokensWith =
  (changed: object): Answerer =>
  (socket, { text }) =>
    void socket.write(answerOf({ ...bodyFor(text), ...changed }));

const unusableTokens = Object.entries(hostileTokens).flatMap(([cause, bodies]) =>
  bodies.map(([what, changed]): Row => [`sends ${what}`, tokensWith(changed), `The token response ${cause}`]),
);

const hostile = hostileDomains.map(
  (api_domain): Row => [
    `sends the api_domain ${JSON.stringify(api_domain)}`,
    tokensWith({ api_domain }),
    'The token response has no usable api_domain',
  ],
);

const unusableUsers = hostileUsers.map(([what, body]): Row => [`sends ${what}`, answerOf(body)]);

type Outcome = Pick<Fault, 'status' | 'message'> & { cause?: string };

/** The faults of a table, with the outcome that they have in common at these requests. */
const playedAt = (at: readonly RequestName[], outcome: Outcome, table: readonly Row[]): Fault[] =>
  table.map(([what, answer, cause = outcome.cause]) => ({
    ...outcome,
    what,
    at,
    cause,
    answer: typeof answer === 'string' ? (socket) => void socket.write(answer, 'latin1') : answer,
  }));

/** The option `timeout` where the fault is that time runs out, in ms: enough for a busy machine to send the request. */
export const deadline = 250;

const fine = {};
const isLate = { status: 504, message: 'did not answer in time', cause: `No answer within ${deadline} ms` } as const;
const isUnreachable = { status: 502, message: 'could not be reached' } as const;
const isRefused = { status: 502, message: 'answered ' } as const;
const isLimited = { status: 503, message: 'answered 429' } as const;
const isForeign = { status: 502, message: 'sent an unusable response' } as const;
const isNoToken = { ...isForeign, cause: 'The token response has no usable access_token' };
const isNoUser = { ...isForeign, cause: 'The response of /users/me has no user id and company id' };

export const faults: readonly Fault[] = [
  ...playedAt(requestNames, fine, odd),
  ...playedAt(requestNames, isLate, late),
  ...playedAt(requestNames, isUnreachable, broken),
  ...playedAt(requestNames, isForeign, tooLong),
  ...playedAt(requestNames, isRefused, refused),
  ...playedAt(requestNames, isLimited, limited),
  ...playedAt(['token', 'refresh'], { ...isForeign, cause: 'The token response is not a JSON object' }, unreadable),
  ...playedAt(['token', 'refresh'], isNoToken, wrongObject),
  ...playedAt(['profile'], isNoUser, [...unreadable, ...wrongObject, ...unusableUsers]),
  // Of a revocation only the status counts (RFC 7009 §2.2).
  ...playedAt(['revoke'], fine, [...unreadable, ...wrongObject]),
  ...playedAt(['token', 'refresh'], isForeign, [...unusableTokens, ...hostile]),
  ...playedAt(['token', 'refresh'], { ...isForeign, cause: 'The token response has no usable expires_in' }, [
    ['sends expires_in without end', well((json) => answerOf(json.replace('3600', '1e999')))],
  ]),
  // A refresh token stays the same where the answer to a refresh has none (RFC 6749 §6).
  ...playedAt(['token'], { ...isForeign, cause: 'The token response has no usable refresh_token' }, [
    ['sends no refresh_token', tokensWith({ refresh_token: undefined })],
  ]),
  ...playedAt(['refresh'], fine, [['sends no refresh_token', tokensWith({ refresh_token: undefined })]]),
];
