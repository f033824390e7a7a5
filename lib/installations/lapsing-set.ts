// A set whose members lapse, each after the same time.

export class LapsingSet {
  readonly #time: number;
  readonly #ends = new Map<string, number>();

  /** @param time in ms */
  constructor(time: number) {
    this.#time = time;
  }

  has(member: string): boolean {
    return (this.#ends.get(member) ?? 0) > Date.now();
  }

  add(member: string): void {
    const now = Date.now();
    this.#ends.delete(member);
    this.#ends.set(member, now + this.#time);
    // The oldest come first.
    for (const [each, end] of this.#ends) {
      if (end > now) break;
      this.#ends.delete(each);
    }
  }
}
