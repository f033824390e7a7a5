// Reads what a request to an extension brings: the token, and the ids beside it, which anybody can have written.
import { parse } from 'node:querystring';
import type { Request } from 'express';
import { queryOf } from '../callback';
import { ExtensionTokenError } from './errors';
import type { PipedriveExtensionUser } from './token';

type Query = Record<string, unknown>;

const NAMES = ['token', 'companyId', 'userId'] as const;

const BEARER = /^Bearer(?: +|$)/i;

const isPresent = (value: unknown) => value !== undefined && value !== null && value !== '';

/** Whether a parameter is nested, as a query parser that does not nest leaves it: `token[a]=b`. */
const isNested = (query: Query, name: string) => Object.keys(query).some((key) => key.startsWith(`${name}[`));

/** The query as the framework has parsed it, or parsed here where that has none of the parameters. */
function readQuery(req: Request): Query {
  const query = queryOf(req);
  if (NAMES.some((name) => isPresent(query[name]) || isNested(query, name))) return query;
  const [, ...search] = req.url.split('?');
  return parse(search.join('?'));
}

/** The token in the query or in a Bearer header (RFC 6750 §2.1), not checked; `undefined` when there is none. */
export function tokenOf(req: Request): unknown {
  const query = readQuery(req);
  const bearer = bearerOf(req);
  if (isNested(query, 'token')) throw new ExtensionTokenError('invalid_request', 'the parameter token is nested');
  if (!isPresent(query.token)) return bearer;
  if (isPresent(bearer)) throw new ExtensionTokenError('invalid_request', 'a token is in the query and in a header');
  return query.token;
}

function bearerOf({ headers, headersDistinct }: Request): string | undefined {
  // Node.js keeps the first of several in `headers`. Not every framework's request has `headersDistinct`.
  const repeated = headersDistinct?.authorization ?? [];
  if (repeated.length > 1) throw new ExtensionTokenError('invalid_request', 'the header Authorization is repeated');
  const { authorization } = headers;
  return authorization !== undefined && BEARER.test(authorization) ? authorization.replace(BEARER, '') : undefined;
}

/** Throws where the ids in the query, if there are any, are not those of the token. */
export function checkIds(req: Request, user: PipedriveExtensionUser): void {
  const query = readQuery(req);
  for (const name of ['companyId', 'userId'] as const) {
    const given = query[name];
    // A framework may have made a number of it. A list is not one id, whatever is in it.
    const isSame = (typeof given === 'string' || typeof given === 'number') && `${given}` === `${user[name]}`;
    if ((isPresent(given) && !isSame) || isNested(query, name)) {
      throw new ExtensionTokenError('token_mismatch', `${name} in the query is not the token's`);
    }
  }
}
