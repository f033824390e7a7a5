// A sign-in written by hand, with no more than it takes: what the floor and the limit of the benchmark are made of.
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import { stringify } from 'node:querystring';
import type { Request } from 'express';

/** Where a sign-in under way is remembered. Both do what the strategy's stores do: single use, expiry, the client. */
export interface Flows {
  begin(req: Request): string;
  isMine(req: Request, state: string): boolean;
}

const TTL = 1_800_000;
const key = randomBytes(32);
const sign = (value: string) => createHmac('sha256', key).update(value).digest('base64url');

export const cookieFlows: Flows = {
  begin(req) {
    const state = randomBytes(32).toString('base64url');
    const start = Date.now().toString(36);
    const value = `${start}.${sign(`${state}.${start}`)}`;
    req.res?.append('Set-Cookie', `flow.${state}=${value}; Max-Age=1800; Path=/; HttpOnly; SameSite=Lax`);
    return state;
  },
  isMine(req, state) {
    const [, start = '', signature = ''] =
      new RegExp(`(?:^|; )flow\\.${state}=(\\w+)\\.([\\w-]+)`).exec(req.headers.cookie ?? '') ?? [];
    const [given, expected] = [Buffer.from(signature), Buffer.from(sign(`${state}.${start}`))];
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return false;
    req.res?.append('Set-Cookie', `flow.${state}=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax`);
    return Date.now() - Number.parseInt(start, 36) < TTL;
  },
};

interface KeptFlow {
  state: string;
  start: number;
}

const flowsOf = (req: Request) => (Reflect.get(req.session, 'flows') ?? []) as KeptFlow[];

export const sessionFlows: Flows = {
  begin(req) {
    const state = randomBytes(32).toString('base64url');
    Reflect.set(req.session, 'flows', [...flowsOf(req), { state, start: Date.now() }].slice(-10));
    return state;
  },
  isMine(req, state) {
    const flows = flowsOf(req);
    const flow = flows.find((each) => each.state === state);
    if (!flow) return false;
    Reflect.set(
      req.session,
      'flows',
      flows.filter((each) => each !== flow),
    );
    return Date.now() - flow.start < TTL;
  },
};

/** One request to Pipedrive, with a deadline. */
function ask(url: string, method: string, headers: Record<string, string>, body?: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname } = new URL(url);
    const answered = (response: IncomingMessage) => {
      let answer = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        answer += chunk;
      });
      response.on('end', () => {
        clearTimeout(deadline);
        if (response.statusCode === 200) resolve(JSON.parse(answer));
        else reject(new Error(`HTTP ${response.statusCode}`));
      });
    };
    const outgoing = request({ hostname, port, path: pathname, method, headers }, answered);
    const deadline = setTimeout(() => outgoing.destroy(new Error('too late')), 10_000);
    outgoing.on('error', reject).end(body);
  });
}

export interface Client {
  clientID: string;
  clientSecret: string;
  callbackURL: string;
  authorizationURL: string;
  tokenURL: string;
}

export function authorizeURL({ authorizationURL, clientID, callbackURL }: Client, state: string): string {
  const params = { response_type: 'code', client_id: clientID, redirect_uri: callbackURL, state };
  return `${authorizationURL}?${stringify(params)}`;
}

/** The exchange of the code, and the profile. */
export async function signIn({ clientID, clientSecret, callbackURL, tokenURL }: Client, code: string) {
  const body = stringify({ grant_type: 'authorization_code', code, redirect_uri: callbackURL });
  const tokens = (await ask(
    tokenURL,
    'POST',
    {
      Accept: 'application/json',
      Authorization: `Basic ${Buffer.from(`${clientID}:${clientSecret}`).toString('base64')}`,
      'Content-Type': 'application/x-www-form-urlencoded',
      'Content-Length': String(Buffer.byteLength(body)),
    },
    body,
  )) as { access_token: string; api_domain: string };
  const headers = { Accept: 'application/json', Authorization: `Bearer ${tokens.access_token}` };
  const { data } = (await ask(`${tokens.api_domain}/api/v1/users/me`, 'GET', headers)) as {
    data: { company_id: number; id: number; name: string };
  };
  return { id: `${data.company_id}:${data.id}`, displayName: data.name };
}
