/**
 * Tracks the values that a client has certainly received. A write does not prove receipt: a broken connection loses it, and
 * the server may notice that only a minute later. So a ping requests a receipt as soon as a value waits for one, one ping
 * at a time.
 */
import type { Pings } from "./pings.ts";

export class Receipts {
  readonly #pings: Pick<Pings, "ask">;
  readonly #received: (key: string, value: number) => void;
  /** Values sent before the ping that is under way. */
  #asked: Map<string, number> | undefined;
  /** Values sent after that ping. */
  #unasked = new Map<string, number>();
  #isScheduled = false;

  constructor(pings: Pick<Pings, "ask">, received: (key: string, value: number) => void) {
    this.#pings = pings;
    this.#received = received;
  }

  /** Records that `value` was sent under `key`. A newer value replaces it. */
  expect(key: string, value: number): void {
    this.#unasked.set(key, value);
    this.#schedule();
  }

  /** Drops the pending value of `key`. */
  forget(key: string): void {
    this.#unasked.delete(key);
    this.#asked?.delete(key);
  }

  #schedule(): void {
    const isAsking = this.#isScheduled || this.#asked !== undefined;
    if (isAsking || this.#unasked.size === 0) return;
    this.#isScheduled = true;
    // One ping for all values of a tick.
    setImmediate(() => this.#ask());
  }

  #ask(): void {
    this.#isScheduled = false;
    if (this.#unasked.size === 0) return;
    this.#asked = this.#unasked;
    this.#unasked = new Map();
    this.#pings.ask(() => this.#onAnswer());
  }

  #onAnswer(): void {
    const values = this.#asked ?? [];
    this.#asked = undefined;
    for (const [key, value] of values) this.#received(key, value);
    this.#schedule();
  }
}
