/**
 * Tracks what a client has certainly received. A write proves little: a connection that breaks takes it along, and the
 * server may not notice for a minute. So a ping asks for a receipt as soon as there is something to know, one at a time.
 */
import type { Pings } from "./pings.ts";

export class Receipts {
  readonly #pings: Pick<Pings, "ask">;
  readonly #received: (key: string, value: number) => void;
  /** Sent before the ping that is under way. */
  #asked: Map<string, number> | undefined;
  /** Sent after it. */
  #unasked = new Map<string, number>();
  #isScheduled = false;

  constructor(pings: Pick<Pings, "ask">, received: (key: string, value: number) => void) {
    this.#pings = pings;
    this.#received = received;
  }

  /** `value` was sent under `key`. A newer one replaces it. */
  expect(key: string, value: number): void {
    this.#unasked.set(key, value);
    this.#schedule();
  }

  /** It does not matter any more. */
  forget(key: string): void {
    this.#unasked.delete(key);
    this.#asked?.delete(key);
  }

  #schedule(): void {
    const isAsking = this.#isScheduled || this.#asked !== undefined;
    if (isAsking || this.#unasked.size === 0) return;
    this.#isScheduled = true;
    // One for all of a tick.
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
