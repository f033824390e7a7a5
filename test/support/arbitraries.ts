// What property tests draw from: text that parsers stumble over, queries, cookies, and answers that Pipedrive never sent.
import fc from 'fast-check';

/** Text of any kind, and the pieces that a guess finds too seldom. */
export const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom(
    '',
    '__proto__',
    'constructor',
    'toString',
    '%',
    '\0',
    '\r\n',
    ' ',
    ';',
    '=',
    '"',
    '..',
    '-1',
    'null',
  ),
  fc.integer({ min: 4095, max: 4098 }).map((length) => 'x'.repeat(length)),
);

/** Printable characters, and those over ASCII that a header can carry as bytes. */
export const headerText = fc.string({
  unit: fc
    .oneof(fc.integer({ min: 0x20, max: 0x7e }), fc.integer({ min: 0x80, max: 0xff }))
    .map((code) => String.fromCharCode(code)),
  maxLength: 60,
});

const names = ['code', 'state', 'error', 'error_description', 'error_uri'];
const nested = ['[]', '[a]', '[a][b]', '[__proto__]', '[0]', '.a', '%5B%5D', '%00', '[', ']'];

/** A name or a value as it stands on the wire: escaped well, or not at all. */
const wire = fc.oneof(
  text.map((value) => encodeURIComponent(value)),
  headerText,
  fc.constantFrom('%', '%E0%A4%A', '%C0%80', '%u0041', '+', '%2B', '%26', '%00', '%0d%0a', '&&', '=='),
);

/** One parameter of a callback's query, such as a browser may send. */
export const parameter = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('code', 'state') },
      { weight: 2, arbitrary: fc.constantFrom(...names) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constantFrom(...names), fc.constantFrom(...nested)).map((parts) => parts.join('')),
      },
      { weight: 1, arbitrary: wire },
    ),
    fc.oneof(
      {
        weight: 2,
        arbitrary: fc.constantFrom('abc', 'user_denied', 'server_error', 'temporarily_unavailable', '', 'A'.repeat(43)),
      },
      { weight: 1, arbitrary: wire },
    ),
  )
  .map((pair) => pair.join('='));

/** A whole query, as it stands on the wire. */
export const query = fc.array(parameter, { maxLength: 5 }).map((parameters) => parameters.join('&').slice(0, 8_000));

const place = fc.oneof(fc.stringMatching(/^[\w-]{6}\.[\da-f]$/), text.map(encodeURIComponent));
const flowCookie = fc
  .tuple(fc.constantFrom('', '__Host-'), place, headerText)
  .map(([prefix, name, value]) => `${prefix}pipedrive-flow.${name}=${value}`);

/** A `Cookie` header: flows that were never started, and whatever else. */
export const cookies = fc
  .array(fc.oneof(flowCookie, headerText, fc.constantFrom('__proto__=1', '=', ';', 'connect.sid=s%3Ax.y')), {
    maxLength: 15,
  })
  .map((parts) => parts.join('; ').slice(0, 4_000));

/** JSON of a size that a flow can carry. */
export const appState = fc.option(fc.jsonValue({ maxDepth: 2, stringUnit: 'binary' }), { nil: undefined });
