/**
 * Spreads the calls of a user over turns of the event loop. A user may make the calls of ten seconds at once; without turns, they
 * would run in a row, and the deliveries to all others would wait for them.
 */

/** Calls of a user that begin in one turn. */
export const MAX_CALLS_A_TURN = 4;

export class CallTurns {
  /** Calls that began in this turn, by user. */
  readonly #begun = new Map<string, number>();
  /** What lets the next calls begin, by user, in the order of their arrival. */
  readonly #waiting = new Map<string, (() => void)[]>();
  #isScheduled = false;

  /** Returns a promise of the turn in which the call may begin, or `undefined` if that is now. */
  of(user: string): Promise<undefined> | undefined {
    const waiting = this.#waiting.get(user);
    if (waiting !== undefined)
      return new Promise((resolve) => waiting.push(() => resolve(undefined)));
    const begun = this.#begun.get(user) ?? 0;
    this.#schedule();
    if (begun < MAX_CALLS_A_TURN) return void this.#begun.set(user, begun + 1);
    return new Promise((resolve) => this.#waiting.set(user, [() => resolve(undefined)]));
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#next());
  }

  #next(): void {
    this.#isScheduled = false;
    this.#begun.clear();
    for (const [user, waiting] of this.#waiting) {
      const turn = waiting.splice(0, MAX_CALLS_A_TURN);
      if (waiting.length === 0) this.#waiting.delete(user);
      this.#begun.set(user, turn.length);
      for (const begin of turn) begin();
    }
    if (this.#begun.size > 0) this.#schedule();
  }
}
