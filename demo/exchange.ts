// One request and its response as the pages show them: masked, and as a curl command with variables for the secrets.
import { masked, Secrets } from './masked';
import { highlighted } from './pages';
import type { Exchange, Recording } from './recorder';

interface Field {
  name: string;
  value: string;
  meaning?: string;
}

/** An exchange with nothing in it that is secret. */
export interface ShownExchange {
  from: string;
  to: string;
  method: string;
  /** Without its query, which is in `fields`. */
  url: string;
  path: string;
  headers: Field[];
  fields: Field[];
  /** Of a request whose body is no form. As HTML. */
  body: string;
  response?: { status: number; location?: string; body: string };
  /** As HTML. */
  curl: string;
}

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

const parties = { browser: 'Browser', app: 'Your app', pipedrive: 'Pipedrive' } as const;

/** Longest text that is shown, in characters. */
const longest = 2_000;

const isForm = ({ headers }: Exchange): boolean =>
  headers['content-type']?.startsWith('application/x-www-form-urlencoded') ?? false;

/** Every secret that the exchanges of a recording have, and the given ones. */
export function secretsOf({ exchanges }: Pick<Recording, 'exchanges'>, ...known: (string | undefined)[]): Secrets {
  const secrets = new Secrets(...known);
  for (const { url, body, headers, response } of exchanges) {
    secrets.addFrom(new URL(url).search);
    secrets.addFrom(body);
    secrets.addFrom(response?.body ?? '');
    if (response?.location && URL.canParse(response.location)) secrets.addFrom(new URL(response.location).search);
    const [scheme, credentials = ''] = (headers.authorization ?? '').split(' ');
    if (scheme === 'Bearer') secrets.add(credentials);
    if (scheme === 'Basic') secrets.add(credentials);
    if (scheme === 'Basic') secrets.add(Buffer.from(credentials, 'base64').toString().split(':').slice(1).join(':'));
  }
  return secrets;
}

function maskedAuthorization(header: string): string {
  const [scheme = '', credentials = ''] = header.split(' ');
  if (scheme !== 'Basic') return `${scheme} ${masked(credentials)}`;
  const [clientID = ''] = Buffer.from(credentials, 'base64').toString().split(':');
  return `Basic base64(${clientID}:••••••••)`;
}

/** JSON on several lines; any other text as it is, up to a length. */
function shownBody(body: string, secrets: Secrets): string {
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
  const [scheme] = (headers.authorization ?? '').split(' ');
  const params = isForm(exchange) ? new URLSearchParams(body) : searchParams;
  const isQuery = params === searchParams && params.size > 0;
  const lines = [
    `curl ${isQuery ? '--get ' : ''}${method === 'GET' || isForm(exchange) ? '' : `--request ${method} `}${quoted(origin + pathname)}`,
    ...(scheme === 'Basic' ? ['--user "$CLIENT_ID:$CLIENT_SECRET"'] : []),
    ...(scheme === 'Bearer' ? ['--header "Authorization: Bearer $ACCESS_TOKEN"'] : []),
    ...[...params].map(([name, value]) => `--data-urlencode ${assignment(name, value, secrets)}`),
    ...(body && !isForm(exchange)
      ? [`--header 'Content-Type: application/json'`, `--data ${quoted(secrets.mask(body))}`]
      : []),
  ];
  return lines.join(' \\\n  ');
}

export function shown(exchange: Exchange, secrets: Secrets): ShownExchange {
  const { from, to, method, headers, body, response } = exchange;
  const { origin, pathname, searchParams } = new URL(exchange.url);
  const { authorization, 'content-type': type } = headers;
  const params = [...searchParams, ...(isForm(exchange) ? new URLSearchParams(body) : [])];
  return {
    ...{ from: parties[from], to: parties[to], method },
    ...{ url: secrets.mask(origin + pathname), path: secrets.mask(pathname) },
    headers: [
      ...(authorization ? [{ name: 'Authorization', value: maskedAuthorization(authorization) }] : []),
      ...(type ? [{ name: 'Content-Type', value: type }] : []),
    ],
    fields: params.map(([name, value]) => ({ name, value: secrets.maskValue(name, value), meaning: meanings[name] })),
    body: body && !isForm(exchange) ? shownBody(body, secrets) : '',
    response: response && {
      status: response.status,
      location: response.location && secrets.maskURL(response.location),
      body: response.body && shownBody(response.body, secrets),
    },
    curl: highlighted(curlOf(exchange, secrets), 'bash'),
  };
}
