// Everything that a sign-in can end in, as a script: what the user, the browser and Pipedrive do.
import type { Endpoint, Fault } from 'pipedrive-sandbox';
import type { Player } from './player';

export interface Outcome {
  id: string;
  title: string;
  /** What happens, for who is about to click. */
  text: string;
  play(player: Player): Promise<unknown>;
  /** What goes wrong at Pipedrive meanwhile. */
  fault?: [Endpoint, Fault];
  /** An app on bare passport-oauth2 gets the same click. */
  isCompared?: boolean;
}

/** Milliseconds. */
const afterCodeExpired = 5 * 60_000 + 1;

const allow = async (player: Player): Promise<string> => player.approve(await player.start());
const signIn = async (player: Player) => player.open(await allow(player));

export const outcomes: readonly Outcome[] = [
  { id: 'allow', title: 'Allow', text: 'The user allows and installs the app.', play: signIn },
  {
    id: 'cancel',
    title: 'Cancel',
    text: 'The user presses Cancel at Pipedrive.',
    play: async (player) => player.open(await player.cancel(await player.start())),
    isCompared: true,
  },
  {
    id: 'reload',
    title: 'Reload the callback',
    text: 'After the sign-in the callback page is loaded again.',
    async play(player) {
      const callback = await allow(player);
      await player.open(callback);
      await player.open(callback);
    },
    isCompared: true,
  },
  {
    id: 'used-code',
    title: 'Used code',
    text: 'The code was exchanged before; it works once.',
    async play(player) {
      const callback = await allow(player);
      await player.exchange(callback);
      await player.open(callback);
    },
  },
  {
    id: 'expired-code',
    title: 'Expired code',
    text: 'The callback comes after the 5 minutes of the code.',
    async play(player) {
      const callback = await allow(player);
      player.sandbox.advance(afterCodeExpired);
      await player.open(callback);
    },
  },
  {
    id: 'forged-state',
    title: 'Forged state',
    text: 'Another site sends the browser here, with its own code and state.',
    play: (player) => player.open(player.callback({ code: 'code-of-somebody-else', state: 'state-of-somebody-else' })),
  },
  {
    id: 'marketplace',
    title: 'Marketplace install',
    text: 'Pipedrive starts the flow, so that the code has no state.',
    play: async (player) => player.open(await player.approve(await player.open(await player.install()))),
  },
  {
    id: 'down',
    title: 'Pipedrive down',
    text: 'The token endpoint answers 503, with a page of HTML.',
    play: signIn,
    fault: ['token', 'outage'],
  },
  {
    id: 'slow',
    title: 'Slow Pipedrive',
    text: 'The token endpoint stays silent. The timeout is 1 s here, by default 10 s.',
    play: signIn,
    fault: ['token', 'silence'],
    isCompared: true,
  },
  {
    id: 'budget',
    title: 'Spent budget',
    text: "The company's API budget of the day is spent.",
    play: signIn,
    fault: ['users/me', 'budget'],
  },
];
