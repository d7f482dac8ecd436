/**
 * Decides when a log is read: one read at a time, and `minIntervalMs` at least between the beginnings of two. Requests
 * that come meanwhile are coalesced into one read.
 *
 *              request                   the read ended
 *   idle ────────────────────► reading ──────────────────► idle
 *    │                         ▲  │
 *    │ request, too early      │  │ request
 *    ▼                         │  ▼
 *   waiting ───── timer ───────┘  reading-again ── the read ended ──► reading, or waiting where it is too early
 *
 * `close()` closes from every mode, and `closed` is final.
 */
type State =
  | { readonly mode: "idle" | "reading" | "reading-again" | "closed" }
  | { readonly mode: "waiting"; readonly timer: NodeJS.Timeout };

const IDLE: State = { mode: "idle" };
const READING: State = { mode: "reading" };
const READING_AGAIN: State = { mode: "reading-again" };
const CLOSED: State = { mode: "closed" };

/** A class, because there may be as many as watchers. */
export class ReadScheduler {
  /** Never rejects. */
  readonly #read: () => Promise<void>;
  readonly #minIntervalMs: number;
  #state = IDLE;
  /** By `performance.now()`. */
  #nextAt = 0;

  constructor(read: () => Promise<void>, minIntervalMs: number) {
    this.#read = read;
    this.#minIntervalMs = minIntervalMs;
  }

  /** A read begins after this, now or later. */
  request(): void {
    switch (this.#state.mode) {
      case "idle":
        return this.#begin();
      case "reading":
        this.#state = READING_AGAIN;
        return;
      case "reading-again":
      case "waiting":
      case "closed":
        return;
      default:
        this.#state satisfies never;
    }
  }

  isReading(): boolean {
    return this.#state.mode === "reading" || this.#state.mode === "reading-again";
  }

  /** No read begins after this. */
  close(): void {
    if (this.#state.mode === "waiting") clearTimeout(this.#state.timer);
    this.#state = CLOSED;
  }

  #begin(): void {
    const waitMs = this.#minIntervalMs === 0 ? 0 : this.#nextAt - performance.now();
    if (waitMs > 0) {
      this.#state = { mode: "waiting", timer: setTimeout(() => this.#begin(), waitMs) };
      return;
    }
    this.#nextAt = performance.now() + this.#minIntervalMs;
    this.#state = READING;
    void this.#read().then(() => this.#onRead());
  }

  #onRead(): void {
    if (this.#state.mode === "closed") return;
    const again = this.#state.mode === "reading-again";
    this.#state = IDLE;
    if (again) this.#begin();
  }
}
