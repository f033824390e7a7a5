// What the demo is started with.
export interface Credentials {
  clientID: string;
  clientSecret: string;
}

export interface DemoOptions {
  /** Absolute. The app answers at its origin only, and has its callback at its path. */
  callbackURL: string;
  /** The sandbox that stands in for Pipedrive, and what the demo is registered with there. */
  sandbox: Credentials & { origin: string };
  /** Of a real app. With them Pipedrive itself is the first choice, else the sandbox. */
  credentials?: Credentials;
  /** Hears of what went wrong on the server's side. @default console.error */
  log?: (error: unknown) => void;
}
