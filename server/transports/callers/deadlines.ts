/**
 * Wakes many owners, each at its own time, with one timer for all: a timer for each connection would take more memory than
 * the connection's own state.
 */
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import type { Clock } from "#shared/clock.ts";

/** Between two looks at least: credentials end with a precision of seconds. */
const LOOK_MS = 250;
/** Longer delays make Node's timers fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;

export interface DeadlineOwner {
  /** Its time has come. It has no deadline any more. Must not throw. */
  due(): void;
}

/** The next look. It is only ever moved to an earlier time, so that no owner can put it off. */
interface Look {
  at: number;
  cancel(): void;
}

export class Deadlines {
  readonly #clock: Pick<Clock, "steady" | "after">;
  /** On the steady clock, which no change of the system's time moves. */
  readonly #times = new Map<DeadlineOwner, number>();
  #look: Look | undefined;
  /** No look before this. */
  #earliest = -Infinity;

  constructor(clock: Pick<Clock, "steady" | "after"> = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /** Replaces the owner's earlier deadline. `delete` it if the owner ends first. */
  set(owner: DeadlineOwner, inMs: number): void {
    const at = this.#clock.steady() + inMs;
    this.#times.set(owner, at);
    this.#lookAt(at);
  }

  delete(owner: DeadlineOwner): void {
    this.#times.delete(owner);
  }

  close(): void {
    this.#times.clear();
    this.#look?.cancel();
    this.#look = undefined;
  }

  #lookAt(time: number): void {
    const at = Math.max(time, this.#earliest);
    if (this.#look !== undefined && this.#look.at <= at) return;
    this.#look?.cancel();
    const inMs = Math.min(Math.max(0, at - this.#clock.steady()), MAX_TIMEOUT_MS);
    this.#look = { at, cancel: this.#clock.after(inMs, () => this.#wake()) };
  }

  #wake(): void {
    this.#look = undefined;
    const now = this.#clock.steady();
    this.#earliest = now + LOOK_MS;
    const due = [...this.#times].filter(([, time]) => time <= now);
    for (const [owner] of due) this.delete(owner);
    for (const [owner] of due) owner.due();
    let next = Infinity;
    for (const time of this.#times.values()) next = Math.min(next, time);
    if (next < Infinity) this.#lookAt(next);
  }
}
