// Every way in which a sign-in can end, as something to click: which Pipedrive it meets, and where it begins.

export interface Outcome {
  id: string;
  title: string;
  /** What happens, for who is about to click. */
  text: string;
  /** Scenario of the sandbox whose authorize endpoint is asked. */
  consent?: 'allow' | 'cancel';
  /** Scenario of the sandbox whose token endpoint is asked. */
  token?: 'used-code' | 'expired-code' | 'down' | 'slow';
  /** Milliseconds for a request to Pipedrive; the strategy's default otherwise. */
  timeout?: number;
  /** @default 'sign-in' */
  begins?: 'sign-in' | 'forged callback' | 'Marketplace';
  /** The callback is loaded once more after it has succeeded. */
  reloads?: boolean;
  /** Pipedrive itself cannot be made to behave like this. */
  needsSandbox?: boolean;
}

export const outcomes: readonly Outcome[] = [
  {
    id: 'allow',
    title: 'Allow',
    text: 'The user lets the app in.',
    consent: 'allow',
  },
  {
    id: 'cancel',
    title: 'Cancel',
    text: "The user says no on Pipedrive's page.",
    consent: 'cancel',
  },
  {
    id: 'reload',
    title: 'Reload the callback',
    text: 'The callback is loaded twice. Its state was used up the first time, and its code too.',
    consent: 'allow',
    reloads: true,
  },
  {
    id: 'used-code',
    title: 'Used code',
    text: 'A code works once. This one has been exchanged before.',
    consent: 'allow',
    token: 'used-code',
    needsSandbox: true,
  },
  {
    id: 'expired-code',
    title: 'Expired code',
    text: 'A code lives for 5 minutes. The sandbox lets this one grow old at once.',
    consent: 'allow',
    token: 'expired-code',
    needsSandbox: true,
  },
  {
    id: 'forged-state',
    title: 'Forged state',
    text: 'Another site sends the browser to the callback, with a code and a state of its own.',
    begins: 'forged callback',
  },
  {
    id: 'marketplace',
    title: 'Marketplace install',
    text: 'Pipedrive starts the flow, so the code has no state. It is dropped, and the flow starts again with one.',
    consent: 'allow',
    begins: 'Marketplace',
    needsSandbox: true,
  },
  {
    id: 'down',
    title: 'Pipedrive down',
    text: 'The token endpoint answers 503, with a page for humans.',
    consent: 'allow',
    token: 'down',
    needsSandbox: true,
  },
  {
    id: 'slow',
    title: 'Slow Pipedrive',
    text: 'The token endpoint does not answer. The timeout is 1 second here, and 10 by default.',
    consent: 'allow',
    token: 'slow',
    timeout: 1_000,
    needsSandbox: true,
  },
];
