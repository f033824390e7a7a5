// A time that passes while the process runs: one that was stopped has answers to read first.

/** How much later than wanted a timer of a process that runs may come, in ms. */
const STALL = 500;

export class Deadline {
  readonly passed: Promise<void>;
  #timer: NodeJS.Timeout | undefined;

  /** @param time in ms */
  constructor(time: number) {
    this.passed = new Promise((resolve) => {
      const begun = performance.now();
      this.#timer = setTimeout(() => {
        const wasStopped = performance.now() - begun > time + STALL;
        if (wasStopped) this.#timer = setTimeout(resolve, time);
        else resolve();
      }, time);
    });
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}
