// The response to a request, where the framework tells it: Express, Nest and Koa do, as `req.res`.
import type { ServerResponse } from 'node:http';
import type { Request } from 'express';
import { isRecord } from './values';

/** The response, or `undefined` where it is unknown or has no headers to set. */
export function responseOf(req: Request): ServerResponse | undefined {
  const res: unknown = req.res;
  return isResponse(res) ? res : undefined;
}

function isResponse(value: unknown): value is ServerResponse {
  return isRecord(value) && typeof value.getHeader === 'function' && typeof value.setHeader === 'function';
}
