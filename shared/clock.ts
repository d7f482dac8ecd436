/** The time of a process, for what lasts longer than a moment: leases, delays, retention, credentials. */

export interface Clock {
  /** By the machine's clock, which can be set back or forward at any moment. */
  now(): Date;
  /** Milliseconds that never go back. */
  steady(): number;
  /** Calls back once, in `ms`. Returns what prevents it. Timers do not keep the process alive. */
  after(ms: number, callback: () => void): () => void;
  /** Calls back every `ms` until the function that it returns is called. */
  every(ms: number, callback: () => void): () => void;
  /**
   * Tells of work that takes no time of this clock: that of a test stands still until it has settled. "attempt": the code of
   * a kind runs, which may take as long as it likes.
   */
  hold(work: Promise<unknown>, what?: "attempt"): void;
}
