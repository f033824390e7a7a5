// Reads what a request to an extension brings: the token, and the ids beside it, which anybody can have written.
import type { Request } from 'express';
import { hasNested, isPresent, readQuery } from '../query';
import { isRecord, readHeader } from '../values';
import { ExtensionTokenError } from './errors';
import type { PipedriveExtensionUser } from './token';

const NAMES = ['token', 'companyId', 'userId'] as const;

const BEARER = /^Bearer +/i;

/** The token in the query or in a Bearer header (RFC 6750 §2.1), not checked; `undefined` when there is none. */
export function tokenOf(req: Request): unknown {
  const query = readQuery(req, NAMES);
  const bearer = bearerOf(req);
  if (hasNested(query, ['token'])) throw new ExtensionTokenError('invalid_request', 'the parameter token is nested');
  if (!isPresent(query.token)) return bearer;
  if (isPresent(bearer)) throw new ExtensionTokenError('invalid_request', 'a token is in the query and in a header');
  return query.token;
}

function bearerOf(req: Request): string | undefined {
  if (headersOf(req).some((headers) => readHeader(headers, 'authorization').length > 1)) {
    throw new ExtensionTokenError('invalid_request', 'the header Authorization is repeated');
  }
  const [given = ''] = readHeader(req.headers, 'authorization');
  return BEARER.test(given) ? given.replace(BEARER, '') : undefined;
}

/** Node.js keeps the first of several in `headers`, and all in `headersDistinct`: of `raw` in Fastify, of `req` in Koa. */
function headersOf(req: Request): unknown[] {
  const requests: unknown[] = [req, Reflect.get(req, 'raw'), Reflect.get(req, 'req')];
  return [req.headers, ...requests.map((each) => (isRecord(each) ? each.headersDistinct : undefined))];
}

/** Throws where the ids in the query, if there are any, are not those of the token. */
export function checkIds(req: Request, user: PipedriveExtensionUser): void {
  const query = readQuery(req, NAMES);
  for (const name of ['companyId', 'userId'] as const) {
    const given = query[name];
    // A framework may have made a number of it. A list is not one id, whatever is in it.
    const isSame = (typeof given === 'string' || typeof given === 'number') && `${given}` === `${user[name]}`;
    if ((isPresent(given) && !isSame) || hasNested(query, [name])) {
      throw new ExtensionTokenError('token_mismatch', `${name} in the query is not the token's`);
    }
  }
}
