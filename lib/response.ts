// The response to a request, where the framework gives it.
import type { ServerResponse } from 'node:http';
import type { Request } from 'express';
import { isRecord } from './values';

/** The response that Express and Nest set as `req.res`; `undefined` where it is unknown. */
export function responseOf(req: Request): ServerResponse | undefined {
  const res: unknown = req.res;
  return isResponse(res) ? res : undefined;
}

/** The same, or Koa's `req.ctx.res`: the `req.res` that koa-passport sets lacks most of a response's methods. */
export function responseOrKoaOf(req: Request): ServerResponse | undefined {
  const response = responseOf(req);
  if (response) return response;
  const ctx: unknown = Reflect.get(req, 'ctx');
  return isRecord(ctx) && isResponse(ctx.res) ? ctx.res : undefined;
}

function isResponse(value: unknown): value is ServerResponse {
  return isRecord(value) && typeof value.getHeader === 'function' && typeof value.setHeader === 'function';
}
