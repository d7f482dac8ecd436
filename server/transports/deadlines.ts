/**
 * Wakes many owners, each at its own time, with one timer for all: a timer for each connection would take more memory than
 * the connection's own state.
 */

/** Credentials end with a precision of seconds, so this is often enough. */
const LOOK_MS = 250;

export interface DeadlineOwner {
  /** Its time has come. It has no deadline any more. Must not throw. */
  due(): void;
}

export class Deadlines {
  /** On the clock of `performance.now()`, which no change of the system's time moves. */
  readonly #times = new Map<DeadlineOwner, number>();
  #timer: NodeJS.Timeout | undefined;

  /** Replaces the owner's earlier deadline. `delete` it if the owner ends first. */
  set(owner: DeadlineOwner, inMs: number): void {
    this.#times.set(owner, performance.now() + inMs);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS).unref();
  }

  delete(owner: DeadlineOwner): void {
    this.#times.delete(owner);
  }

  close(): void {
    this.#times.clear();
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    const due = [...this.#times].filter(([, time]) => time <= now);
    for (const [owner] of due) this.delete(owner);
    for (const [owner] of due) owner.due();
    // Only here: a client that makes its owner delete and set its deadline again and again must not restart the timer.
    if (this.#times.size === 0) this.close();
  }
}
