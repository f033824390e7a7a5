// A few made-up deals, as the first and the second version of the API list them.

const deals = [
  { id: 1, title: 'Ten city bikes', value: 7_900, currency: 'EUR', status: 'open', stage_id: 2 },
  { id: 2, title: 'Cargo bike lease', value: 2_400, currency: 'EUR', status: 'won', stage_id: 5 },
  { id: 3, title: 'Winter service', value: 650, currency: 'EUR', status: 'open', stage_id: 1 },
];

type Query = Record<string, unknown>;

/** A number of the query that is not negative, or the default. */
function numberOf(value: unknown, byDefault: number): number {
  const number = Number(value ?? byDefault);
  return Number.isInteger(number) && number >= 0 ? number : byDefault;
}

/** `GET /api/v1/deals`: pages by `start` and `limit`. */
export function dealsV1({ start, limit }: Query) {
  const [from, size] = [numberOf(start, 0), numberOf(limit, 100)];
  const data = deals.slice(from, from + size);
  const more = from + data.length < deals.length;
  const next = more ? { next_start: from + data.length } : {};
  const pagination = { start: from, limit: size, more_items_in_collection: more, ...next };
  return { success: true, data: data.length > 0 ? data : null, additional_data: { pagination } };
}

/** `GET /api/v2/deals`: pages by `cursor`, which is opaque to clients, and `limit`. */
export function dealsV2({ cursor, limit }: Query) {
  const from = typeof cursor === 'string' ? numberOf(Buffer.from(cursor, 'base64url').toString(), 0) : 0;
  const data = deals.slice(from, from + numberOf(limit, 100));
  const end = from + data.length;
  const next = data.length > 0 && end < deals.length ? Buffer.from(String(end)).toString('base64url') : null;
  return { success: true, data, additional_data: { next_cursor: next } };
}
