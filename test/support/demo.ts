// The demo on a free port, with its sandbox.

import type { Credentials } from '../../demo/connection';
import { type Demo as Running, startDemo as start } from '../../demo/main';

export interface Demo extends Running {
  /** What the app said in its log. */
  logged: unknown[];
}

/** With `credentials` of a real app, as if the environment had them. */
export async function startDemo(credentials?: Credentials): Promise<Demo> {
  const logged: unknown[] = [];
  const demo = await start({ credentials, log: (error) => logged.push(error) });
  return { ...demo, logged };
}
