/** Calls back after a delay that is the same for all: one timer for however many wait. */
import type { Clock } from "#shared/clock.ts";

interface Waiting {
  /** On the steady clock. */
  at: number;
  callback(): void;
}

export class DelayQueue {
  readonly #clock: Pick<Clock, "steady" | "after">;
  readonly #ms: number;
  /** In the order in which they are due. */
  readonly #waiting = new Map<string, Waiting>();
  #cancelTimer: (() => void) | undefined;

  constructor(clock: Pick<Clock, "steady" | "after">, ms: number) {
    this.#clock = clock;
    this.#ms = ms;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** The key that is due next. */
  get first(): string | undefined {
    return this.#waiting.keys().next().value;
  }

  /** In place of what waits under the same key. */
  add(key: string, callback: () => void): void {
    this.#waiting.delete(key);
    this.#waiting.set(key, { at: this.#clock.steady() + this.#ms, callback });
    this.#cancelTimer ??= this.#clock.after(this.#ms, () => this.#onTimer());
  }

  /** It is not called back. */
  delete(key: string): void {
    this.#waiting.delete(key);
  }

  /** It is called back now. */
  flush(key: string): void {
    const waiting = this.#waiting.get(key);
    this.#waiting.delete(key);
    waiting?.callback();
  }

  clear(): void {
    this.#waiting.clear();
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
  }

  #onTimer(): void {
    this.#cancelTimer = undefined;
    for (const [key, { at }] of this.#waiting) {
      const waitMs = at - this.#clock.steady();
      if (waitMs > 0) {
        this.#cancelTimer = this.#clock.after(waitMs, () => this.#onTimer());
        return;
      }
      this.flush(key);
    }
  }
}
