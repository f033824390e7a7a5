// What the pages show of a recording, with nothing secret in it: the diagram, and each exchange with its curl command.
import { masked, Secrets } from './masked';
import { highlighted } from './pages';
import type { Exchange, Party, Recording } from './recorder';

const parties: Record<Party, { name: string; x: number }> = {
  browser: { name: 'Browser', x: 56 },
  app: { name: 'Your app', x: 246 },
  pipedrive: { name: 'Pipedrive', x: 436 },
};

/** Parameters of a query or a form, in a few words. */
const meanings: Partial<Record<string, string>> = {
  client_id: 'which app asks',
  code: 'works once, for 5 minutes',
  decision: 'what the user pressed',
  error: 'why there is no code',
  grant_type: 'what is exchanged for tokens',
  redirect_uri: 'where to come back: the registered callback URL',
  refresh_token: 'expires after 60 days without use',
  response_type: 'a code is wanted',
  state: 'ties the callback to this browser',
  token: 'the token to revoke',
  token_type_hint: 'which kind of token that is',
  user: 'who is signed in at Pipedrive',
};

/** Longest text that is shown, in characters. */
const longest = 2_000;

const isForm = ({ headers }: Exchange): boolean =>
  headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;

const credentialsOf = (header = '') => {
  const [scheme = '', credentials = ''] = header.split(' ');
  const [clientID = '', ...secret] = scheme === 'Basic' ? Buffer.from(credentials, 'base64').toString().split(':') : [];
  return { scheme, credentials, clientID, clientSecret: secret.join(':') };
};

/** Every secret that exchanges have, and the given ones. */
export function secretsOf({ exchanges }: Pick<Recording, 'exchanges'>, ...known: (string | undefined)[]): Secrets {
  const secrets = new Secrets(...known);
  for (const { url, body, headers, response } of exchanges) {
    for (const text of [new URL(url).search, body, response?.body ?? '']) secrets.addFrom(text);
    if (response?.location && URL.canParse(response.location)) secrets.addFrom(new URL(response.location).search);
    const { credentials, clientSecret } = credentialsOf(headers.authorization);
    secrets.add(credentials);
    secrets.add(clientSecret);
  }
  return secrets;
}

/** JSON on several lines; any other text as it is, up to a length. As HTML. */
function bodyView(body: string, secrets: Secrets): string {
  try {
    const mask = (name: string, value: unknown) => (typeof value === 'string' ? secrets.maskValue(name, value) : value);
    return highlighted(JSON.stringify(JSON.parse(body, mask), null, 2), 'json');
  } catch {
    const text = secrets.mask(body.trim());
    return highlighted(text.length > longest ? `${text.slice(0, longest)}…` : text, 'xml');
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

/** Where a value is secret, a shell variable in its place. */
const assignment = (name: string, value: string, secrets: Secrets): string =>
  secrets.isSecret(name, value) ? `"${name}=$${name.toUpperCase().replace(/\W/g, '_')}"` : quoted(`${name}=${value}`);

function curlOf(exchange: Exchange, secrets: Secrets): string {
  const { method, headers, body } = exchange;
  const { origin, pathname, searchParams } = new URL(exchange.url);
  const { scheme } = credentialsOf(headers.authorization);
  const params = isForm(exchange) ? new URLSearchParams(body) : searchParams;
  const get = !isForm(exchange) && searchParams.size > 0 ? '--get ' : '';
  const request = method === 'GET' || isForm(exchange) ? '' : `--request ${method} `;
  const json = ["--header 'Content-Type: application/json'", `--data ${quoted(secrets.mask(body))}`];
  const lines = [
    `curl ${get}${request}${quoted(origin + pathname)}`,
    ...(scheme === 'Basic' ? ['--user "$CLIENT_ID:$CLIENT_SECRET"'] : []),
    ...(scheme === 'Bearer' ? ['--header "Authorization: Bearer $ACCESS_TOKEN"'] : []),
    ...[...params].map(([name, value]) => `--data-urlencode ${assignment(name, value, secrets)}`),
    ...(body && !isForm(exchange) ? json : []),
  ];
  return lines.join(' \\\n  ');
}

/** A request and its response. */
export function shown(exchange: Exchange, secrets: Secrets) {
  const { from, to, method, headers, body, response } = exchange;
  const { origin, pathname, searchParams } = new URL(exchange.url);
  const { scheme, credentials, clientID } = credentialsOf(headers.authorization);
  const authorization = scheme === 'Basic' ? `base64(${clientID}:••••••••)` : masked(credentials);
  const params = [...searchParams, ...(isForm(exchange) ? new URLSearchParams(body) : [])];
  const fields = [
    { name: 'Authorization', value: scheme && `${scheme} ${authorization}`, meaning: undefined },
    { name: 'Content-Type', value: headers['content-type'], meaning: undefined },
    ...params.map(([name, value]) => ({ name, value: secrets.maskValue(name, value), meaning: meanings[name] })),
  ];
  return {
    ...{ from: parties[from].name, to: parties[to].name, method, url: secrets.mask(origin + pathname) },
    fields: fields.filter(({ value }, index) => value || index > 1),
    body: body && !isForm(exchange) ? bodyView(body, secrets) : '',
    response: response && {
      status: response.status,
      location: response.location && secrets.maskURL(response.location),
      body: response.body && bodyView(response.body, secrets),
    },
    curl: highlighted(curlOf(exchange, secrets), 'bash'),
  };
}

const shortened = (path: string): string => (path.length <= 19 ? path : `…/${path.split('/').at(-1)}`);

function requestLabel({ method, url }: Exchange): string {
  const { pathname, searchParams } = new URL(url);
  // Of a callback, the names that tell what it is about.
  const names = ['code', 'error', 'state'].filter((name) => pathname.endsWith('/callback') && searchParams.has(name));
  const path = pathname === '/api/v1/users/me' ? '…/users/me' : shortened(pathname);
  return `${method} ${path}${names.length > 0 ? `?${names.join('&')}` : ''}`;
}

function responseLabel({ response }: Exchange): string {
  const { status, location } = response ?? {};
  if (!location || !URL.canParse(location, 'http://app')) return String(status);
  return `${status} → ${shortened(new URL(location, 'http://app').pathname)}`;
}

/** The diagram: the parties as lifelines, and a row with an arrow for each request and each response, in their order. */
export function drawn({ arrows, exchanges }: Recording, secrets: Secrets, isOver: boolean) {
  const rowOf = (index: number) => 66 + index * 34;
  const rows = arrows.map((exchange, index) => {
    const isResponse = arrows.indexOf(exchange) < index;
    const [from, to] = isResponse ? [exchange.to, exchange.from] : [exchange.from, exchange.to];
    const label = secrets.mask(isResponse ? responseLabel(exchange) : requestLabel(exchange));
    return { exchange, y: rowOf(index), from: parties[from].x, to: parties[to].x, label, isResponse };
  });
  const links = exchanges.map((exchange, index) => {
    const lines = rows.filter((row) => row.exchange === exchange);
    const missing = exchange.response ? [] : [isOver ? 'no response' : 'waiting'];
    const name = `${index + 1}. ${[...lines.map(({ label }) => label), ...missing].join(' ')}`;
    return { number: index + 1, name, lines, isLost: isOver && !exchange.response };
  });
  return { parties: Object.values(parties), links, height: rowOf(Math.max(arrows.length, 1)) };
}
