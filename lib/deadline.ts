// The deadline of a request to Pipedrive.
import type { Agent, ClientRequest } from 'node:http';
import { setImmediate } from './set-immediate';

/** The deadline passed. */
export class DeadlineError extends Error {}

/**
 * The time for a request and all its attempts, from its start. Where all sockets that its agent may open are in use, the
 * time starts when the request gets one: ten thousand refreshes over fifty sockets must not time out before they are sent.
 * A queue that has not moved for the whole time is stuck: then the requests in it time out as well.
 */
export class Deadline {
  /** Ends the attempt that is under way. */
  onPassed: (error: DeadlineError) => void = () => {};
  private timer: NodeJS.Timeout | undefined;
  /** The agent's queue while the request is in it, otherwise an empty one; and the request that was first in it. */
  private queue: readonly unknown[] = [];
  private first: unknown;

  /** @param timeout in ms */
  constructor(private readonly timeout: number) {
    this.start();
  }

  /** Starts the time later if a request that has just been made waits for a socket of its agent. */
  watch(request: ClientRequest, agent: Agent): void {
    const queue = queueOf(request, agent);
    if (!queue) return;
    this.lookAt(queue);
    request.once('socket', () => {
      this.lookAt([]);
      this.start();
    });
  }

  clear(): void {
    clearTimeout(this.timer);
  }

  private start(): void {
    this.clear();
    this.timer = setTimeout(() => this.expire(), this.timeout); // under jsdom a number, which cannot be refreshed
  }

  private lookAt(queue: readonly unknown[]): void {
    this.queue = queue;
    [this.first] = queue;
  }

  private expire(): void {
    // Also if there is no queue: then neither has a request.
    if (this.queue[0] === this.first) {
      return runInTurn(() => this.onPassed(new DeadlineError(`No answer within ${this.timeout} ms`)));
    }
    this.lookAt(this.queue);
    this.start();
  }
}

/** The agent's queue that a new request is in. An agent of another kind than Node.js's may have none. */
function queueOf(request: ClientRequest, { requests }: { requests?: object }): readonly unknown[] | undefined {
  return Object.values(requests ?? {}).find((queue) => Array.isArray(queue) && queue.at(-1) === request);
}

const turns: (() => void)[] = [];

/** Calls one function in each turn of the event loop, so that a thousand deadlines at once do not block it. */
function runInTurn(action: () => void): void {
  turns.push(action);
  if (turns.length === 1) setImmediate(runNext);
}

function runNext(): void {
  turns.shift()?.();
  if (turns.length > 0) setImmediate(runNext);
}
