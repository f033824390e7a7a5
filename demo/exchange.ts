// One request and its answer as the pages show them, masked.
import { type Field, maskedAuthorization, maskedBody, maskedFields } from './masked';

export interface RawExchange {
  method: string;
  url: string;
  headers: Record<string, string | undefined>;
  body: string;
  /** Without one there was no answer. */
  answer?: { status: number; body: string };
  /** Pipedrive asked, and the app answered. */
  isIncoming?: boolean;
}

export interface Exchange {
  method: string;
  /** Without its query, which is in `fields`. */
  url: string;
  headers: Field[];
  fields: Field[];
  /** Of a request whose body is no form. */
  body?: string;
  answer?: { status: number; body: string };
  isIncoming?: boolean;
}

const form = 'application/x-www-form-urlencoded';

export function maskedExchange({ method, url, headers, body, answer, isIncoming }: RawExchange): Exchange {
  const { origin, pathname, searchParams } = new URL(url);
  const { authorization, 'content-type': type } = headers;
  const isForm = type?.startsWith(form);
  return {
    method,
    url: origin + pathname,
    headers: [
      ...(authorization ? [{ name: 'Authorization', value: maskedAuthorization(authorization) }] : []),
      ...(type ? [{ name: 'Content-Type', value: type }] : []),
    ],
    fields: maskedFields(isForm ? new URLSearchParams(body) : searchParams),
    body: body && !isForm ? maskedBody(body) : undefined,
    answer: answer && { status: answer.status, body: maskedBody(answer.body) },
    isIncoming,
  };
}
