// A small browser for tests, over fetch: keeps cookies, follows redirects, presses the buttons of the page it shows.
import { parseSetCookie, type SetCookie } from 'cookie';

/** A page as the user sees it, with the address that the redirects ended at. */
export interface Page {
  url: URL;
  status: number;
  headers: Headers;
  html: string;
}

interface Sent {
  method?: string;
  body?: URLSearchParams;
  headers?: Record<string, string>;
}

const unescaped = (text: string) =>
  text.replace(
    /&(amp|lt|gt|quot|#39);/g,
    (_, name) => ({ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'" })[String(name)] ?? '',
  );

/** The attributes of a tag; one without a value is empty. */
function attributesOf(tag: string): Map<string, string> {
  const found = tag.matchAll(/\s([\w-]+)(?:="([^"]*)")?/g);
  return new Map([...found].map(([, name = '', value = '']) => [name, unescaped(value)]));
}

const tagsOf = (html: string, name: string) =>
  html.match(new RegExp(`<${name}\\b[^>]*>`, 'g'))?.map(attributesOf) ?? [];

export class Browser {
  /** Every page that was shown, the current one last. */
  readonly history: Page[] = [];
  /** Cookies know no port, so all servers of a host share them. */
  readonly #cookies = new Map<string, SetCookie>();

  get page(): Page {
    const page = this.history.at(-1);
    if (!page) throw new Error('No page is open.');
    return page;
  }

  /** Goes to an address, as if it had been typed, and follows redirects. */
  async open(address: string | URL, sent: Sent = {}): Promise<Page> {
    let url = new URL(address);
    let response = await this.send(url, sent);
    for (let location = response.headers.get('location'); location; location = response.headers.get('location')) {
      url = new URL(location, url);
      response = await this.send(url);
    }
    this.history.push({ url, status: response.status, headers: response.headers, html: await response.text() });
    return this.page;
  }

  /** Presses the button or link with this label, with `choices` in place of what its form has. */
  async press(label: string, choices: Record<string, string> = {}): Promise<Page> {
    const { url, html } = this.page;
    const start = `<(?:a|button)\\b[^>]*>`;
    const link = html.match(new RegExp(`(<a\\b[^>]*>)${label}<`));
    if (link?.[1]) return this.open(new URL(attributesOf(link[1]).get('href') ?? '', url));

    const form = html.match(/<form\b.*?<\/form>/gs)?.find((one) => new RegExp(`${start}${label}<`).test(one));
    if (!form) throw new Error(`There is no "${label}" at ${url.href}`);
    const [attributes] = tagsOf(form, 'form');
    const inputs = tagsOf(form, 'input').filter((input) => input.get('type') !== 'radio' || input.has('checked'));
    const button = attributesOf(form.match(new RegExp(`(<button\\b[^>]*>)${label}<`))?.[1] ?? '');
    const body = new URLSearchParams();
    for (const field of [...inputs, button])
      if (field.has('name')) body.set(field.get('name') ?? '', field.get('value') ?? '');
    for (const [name, value] of Object.entries(choices)) body.set(name, value);
    const headers = { 'Sec-Fetch-Site': 'same-origin', Origin: url.origin };
    return this.open(new URL(attributes?.get('action') ?? '', url), { method: 'POST', body, headers });
  }

  /** One request with the cookies that belong to it. Redirects are not followed. */
  async send(url: string | URL, { headers, ...sent }: Sent = {}): Promise<Response> {
    const { hostname } = new URL(url);
    const cookie = this.cookieHeader(url);
    const response = await fetch(url, {
      ...sent,
      headers: { ...(cookie && { cookie }), ...headers },
      redirect: 'manual',
      // A request that nobody answers must fail its test, also where mocha has no timeout, as under Stryker.
      signal: AbortSignal.timeout(5_000),
    });
    for (const line of response.headers.getSetCookie()) this.#keep(hostname, parseSetCookie(line, { decode: String }));
    return response;
  }

  /** What the browser would send as `Cookie` to an address. */
  cookieHeader(url: string | URL): string {
    const { hostname, pathname } = new URL(url);
    return this.#cookiesFor(hostname, pathname);
  }

  #keep(hostname: string, cookie: SetCookie): void {
    const ended =
      cookie.maxAge !== undefined ? cookie.maxAge <= 0 : cookie.expires && cookie.expires.getTime() <= Date.now();
    const key = `${hostname} ${cookie.path} ${cookie.name}`;
    if (ended) this.#cookies.delete(key);
    else this.#cookies.set(key, cookie);
  }

  #cookiesFor(hostname: string, pathname: string): string {
    const isFor = ([key, { path = '/' }]: [string, SetCookie]) =>
      key.startsWith(`${hostname} `) && `${pathname}/`.startsWith(path.endsWith('/') ? path : `${path}/`);
    const cookies = [...this.#cookies].filter(isFor).map(([, { name, value }]) => `${name}=${value}`);
    return cookies.join('; ');
  }
}
