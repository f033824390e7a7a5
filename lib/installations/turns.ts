// Spreads many calls at once over turns of the event loop, so that it has no long pause.
import { setImmediate } from '../set-immediate';

/** How many calls go on in one turn: a few milliseconds' worth. */
const CALLS_PER_TURN = 200;

export class Turns {
  #left = CALLS_PER_TURN;
  readonly #waiting: (() => void)[] = [];

  /** Yields a promise to wait for when this turn has had its calls. */
  begin(): Promise<void> | undefined {
    if (this.#left === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#take(1);
    return undefined;
  }

  #take(count: number): void {
    this.#left -= count;
    if (this.#left === 0) setImmediate(() => this.#next());
  }

  #next(): void {
    const next = this.#waiting.splice(0, CALLS_PER_TURN);
    this.#left = CALLS_PER_TURN;
    this.#take(next.length);
    for (const resume of next) resume();
  }
}
