/**
 * Spreads the calls of a user over turns of the event loop. A user may make the calls of ten seconds at once; without turns, they
 * would run in a row, and the deliveries to all others would wait for them.
 */
import { performance } from "node:perf_hooks";

/** Calls of a user that begin in one turn while none waits: an ordinary client never waits, as a turn costs more than a call. */
export const MAX_CALLS_AT_ONCE = 8;
/** Calls of a user that begin in one turn while others of that user wait. */
export const MAX_CALLS_A_TURN = 2;

export class CallTurns {
  /** The number of the turn that `#begun` is about. */
  #turn = -1;
  /** Calls that began in this turn, by user. */
  readonly #begun = new Map<string, number>();
  /** Callbacks that let the next calls begin, by user, in the order of their arrival. */
  readonly #waiting = new Map<string, (() => void)[]>();

  /** Returns a promise of the turn in which the call may begin, or `undefined` if that is now. */
  of(user: string): Promise<undefined> | undefined {
    const waiting = this.#waiting.get(user) ?? [];
    if (waiting.length === 0 && this.#begin(user, 1) <= MAX_CALLS_AT_ONCE) return undefined;
    if (this.#waiting.size === 0) setImmediate(() => this.#next());
    this.#waiting.set(user, waiting);
    return new Promise((resolve) => waiting.push(() => resolve(undefined)));
  }

  /** Returns how many have begun in this turn. */
  #begin(user: string, calls: number): number {
    const turn = performance.nodeTiming.uvMetricsInfo.loopCount;
    if (turn !== this.#turn) this.#begun.clear();
    this.#turn = turn;
    const begun = (this.#begun.get(user) ?? 0) + calls;
    this.#begun.set(user, begun);
    return begun;
  }

  #next(): void {
    for (const [user, waiting] of this.#waiting) {
      const calls = waiting.splice(0, MAX_CALLS_A_TURN);
      if (waiting.length === 0) this.#waiting.delete(user);
      this.#begin(user, calls.length);
      for (const begin of calls) begin();
    }
    if (this.#waiting.size > 0) setImmediate(() => this.#next());
  }
}
