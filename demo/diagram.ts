// The picture of a sign-in: browser, app and Pipedrive as lifelines, and an arrow for each request and each response.
import type { Secrets } from './masked';
import type { Exchange, Party, Recording } from './recorder';

const lifelines: Record<Party, number> = { browser: 56, app: 246, pipedrive: 436 };
const rowHeight = 34;
const firstRow = 66;

interface Line {
  y: number;
  from: number;
  to: number;
  label: string;
  isResponse: boolean;
}

/** One exchange: what is clicked together. */
export interface Drawn {
  /** From 1. */
  number: number;
  name: string;
  lines: Line[];
  /** Where the response is missing. */
  missing?: { x: number; y: number };
}

const shortened = (path: string): string => (path.length <= 19 ? path : `…/${path.split('/').slice(-1)}`);

/** Of a query or a form, the names that tell what the request is about. */
const telling = ['code', 'error', 'state'];

function labelOf({ method, url }: Exchange): string {
  const { pathname, searchParams } = new URL(url);
  const names = pathname.endsWith('/callback') ? telling.filter((name) => searchParams.has(name)) : [];
  const path = pathname === '/api/v1/users/me' ? '…/users/me' : shortened(pathname);
  return `${method} ${path}${names.length > 0 ? `?${names.join('&')}` : ''}`;
}

function responseLabel({ response }: Exchange): string {
  const { status, location } = response ?? {};
  if (!location || !URL.canParse(location, 'http://app')) return String(status);
  const { pathname } = new URL(location, 'http://app');
  return `${status} → ${shortened(pathname)}`;
}

export function drawn(recording: Recording, secrets: Secrets, isOver: boolean) {
  const rows = new Map<Exchange, Line[]>();
  for (const [index, { exchange, isResponse }] of recording.arrows.entries()) {
    const [from, to] = isResponse ? [exchange.to, exchange.from] : [exchange.from, exchange.to];
    const label = secrets.mask(isResponse ? responseLabel(exchange) : labelOf(exchange));
    const line = { y: firstRow + index * rowHeight, from: lifelines[from], to: lifelines[to], label, isResponse };
    rows.set(exchange, [...(rows.get(exchange) ?? []), line]);
  }
  const exchanges = recording.exchanges.map((exchange, index): Drawn => {
    const lines = rows.get(exchange) ?? [];
    const [request] = lines;
    const number = index + 1;
    const status = exchange.response ? [] : [isOver ? 'no response' : 'waiting'];
    const name = `${number}. ${[...lines.map(({ label }) => label), ...status].join(' ')}`;
    const isMissing = isOver && !exchange.response && request;
    return { number, name, lines, ...(isMissing && { missing: { x: request.to, y: request.y } }) };
  });
  return { lifelines, exchanges, height: firstRow + Math.max(recording.arrows.length, 1) * rowHeight };
}
