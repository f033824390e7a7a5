// The response to a request, where the framework tells it.
import type { ServerResponse } from 'node:http';
import type { Request } from 'express';
import { isRecord } from './values';

/** The response, as Express and Nest have it: `req.res`. `undefined` where it is unknown. */
export function responseOf(req: Request): ServerResponse | undefined {
  const res: unknown = req.res;
  return isResponse(res) ? res : undefined;
}

/** The same, or Koa's own, which koa-passport's `req.res` stands in for with less than half of its methods. */
export function responseOrKoaOf(req: Request): ServerResponse | undefined {
  const ctx: unknown = Reflect.get(req, 'ctx');
  const res: unknown = isRecord(ctx) ? ctx.res : undefined;
  return responseOf(req) ?? (isResponse(res) ? res : undefined);
}

function isResponse(value: unknown): value is ServerResponse {
  return isRecord(value) && typeof value.getHeader === 'function' && typeof value.setHeader === 'function';
}
