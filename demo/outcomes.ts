// Everything that a sign-in can end in, as a script, and the small browser that plays it with the sandbox as Pipedrive.
import { parseSetCookie } from 'cookie';
import type { Endpoint, Fault, Sandbox } from 'pipedrive-sandbox';

/** Where an app is that plays an outcome, and as whom it is registered in the sandbox. */
export interface Place {
  clientID: string;
  callbackURL: string;
}

/** Who records the outcome. */
interface Recorder {
  /** After the click on the consent page that this state led to. */
  onConsent(state: string | undefined, callback: string): void;
  /** Exchanges a code on the app's server, in front of the callback that has it. */
  exchange(callback: string): Promise<void>;
}

/** Milliseconds after which the browser is closed. A real one waits for minutes. */
export const patience = 2_000;

export class Player {
  /** What the browser shows in the end; no status where no response came. */
  page: { status?: number; text: string } = { text: '' };
  readonly #cookies = new Map<string, string>();

  constructor(
    readonly sandbox: Sandbox,
    readonly place: Place,
    readonly recorder?: Recorder,
  ) {}

  /** Begins the sign-in. Resolves to the authorize URL that the app redirects to. */
  start(): Promise<string> {
    return this.open(new URL('/auth/pipedrive', this.place.callbackURL).href);
  }

  async approve(authorizeURL: string): Promise<string> {
    return this.#decided(authorizeURL, await this.sandbox.approve(authorizeURL));
  }

  async cancel(authorizeURL: string): Promise<string> {
    return this.#decided(authorizeURL, await this.sandbox.cancel(authorizeURL));
  }

  async install(): Promise<string> {
    return this.#decided(this.sandbox.origin, await this.sandbox.install(this.place.clientID));
  }

  /** Opens an address of the app, and follows its redirects there. Resolves to where the last one leads, if elsewhere. */
  async open(address: string): Promise<string> {
    let url = new URL(address);
    while (url.origin === new URL(this.place.callbackURL).origin) {
      const response = await this.#get(url);
      const location = response?.headers.get('location');
      if (!location) {
        this.page = { status: response?.status, text: (await response?.text()) ?? '' };
        return url.href;
      }
      url = new URL(location, url);
    }
    return url.href;
  }

  async #get(url: URL): Promise<Response | undefined> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const signal = AbortSignal.timeout(patience);
    const options = { redirect: 'manual', headers: { cookie, accept: 'text/html' }, signal } as const;
    const response = await fetch(url, options).catch(() => undefined);
    for (const line of response?.headers.getSetCookie() ?? []) {
      const { name, value = '', maxAge, expires } = parseSetCookie(line, { decode: String });
      const hasExpired = maxAge !== undefined ? maxAge <= 0 : expires !== undefined && expires.getTime() <= Date.now();
      if (hasExpired) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return response;
  }

  #decided(authorizeURL: string, callback: string): string {
    this.recorder?.onConsent(new URL(authorizeURL).searchParams.get('state') ?? undefined, callback);
    return callback;
  }
}

interface Script {
  title: string;
  /** What happens, for who is about to click. */
  text: string;
  /** What goes wrong at Pipedrive meanwhile. */
  fault?: [Endpoint, Fault];
  /** An app on bare passport-oauth2 gets the same click. */
  isCompared?: boolean;
  /** @default the user allows */
  play?(player: Player): Promise<unknown>;
}

/** A sign-in that the user allows, with what happens between that click and the callback. */
const allowed =
  (between?: (player: Player, callback: string) => unknown) =>
  async (player: Player): Promise<string> => {
    const callback = await player.approve(await player.start());
    await between?.(player, callback);
    return player.open(callback);
  };

/** Milliseconds. */
const afterCodeExpired = 5 * 60_000 + 1;

const scripts: Record<string, Script> = {
  allow: { title: 'Allow', text: 'The user allows and installs the app.' },
  cancel: {
    title: 'Cancel',
    text: 'The user presses Cancel at Pipedrive.',
    isCompared: true,
    play: async (player) => player.open(await player.cancel(await player.start())),
  },
  reload: {
    title: 'Reload the callback',
    text: 'After the sign-in the callback page is loaded again.',
    isCompared: true,
    play: allowed((player, callback) => player.open(callback)),
  },
  'used-code': {
    title: 'Used code',
    text: 'The code was exchanged before; it works once.',
    play: allowed((player, callback) => player.recorder?.exchange(callback)),
  },
  'expired-code': {
    title: 'Expired code',
    text: 'The callback comes after the 5 minutes of the code.',
    play: allowed((player) => player.sandbox.advance(afterCodeExpired)),
  },
  'forged-state': {
    title: 'Forged state',
    text: 'Another site sends the browser here, with its own code and state.',
    play: (player) =>
      player.open(`${player.place.callbackURL}?code=code-of-somebody-else&state=state-of-somebody-else`),
  },
  marketplace: {
    title: 'Marketplace install',
    text: 'Pipedrive starts the flow, so that the code has no state.',
    play: async (player) => player.open(await player.approve(await player.open(await player.install()))),
  },
  down: {
    title: 'Pipedrive down',
    text: 'The token endpoint answers 503, with a page of HTML.',
    fault: ['token', 'outage'],
  },
  slow: {
    title: 'Slow Pipedrive',
    text: 'The token endpoint stays silent. The timeout is 1 s here, by default 10 s.',
    isCompared: true,
    fault: ['token', 'silence'],
  },
  budget: {
    title: 'Spent budget',
    text: "The company's API budget of the day is spent.",
    fault: ['users/me', 'budget'],
  },
};

export const outcomes = Object.entries(scripts).map(([id, script]) => ({ id, play: allowed(), ...script }));
export type Outcome = (typeof outcomes)[number];
