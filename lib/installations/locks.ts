// Lets one task at a time run for each id.

export class Locks {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs a task when all earlier ones for the id have ended, however they did. */
  async run<T>(id: string, task: () => Promise<T>): Promise<T> {
    const before = this.#last.get(id);
    const running = before ? before.then(task, task) : task();
    this.#last.set(id, running);
    try {
      return await running;
    } finally {
      if (this.#last.get(id) === running) this.#last.delete(id);
    }
  }
}
