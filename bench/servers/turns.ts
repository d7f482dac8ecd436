/** Programs in which two tenants share workers. */
export interface TurnsServer {
  /** Resolves when it is ready. */
  open(input: object): Promise<void>;
  /** Queues jobs of the busy tenant in one call. Resolves when the first of them runs. */
  fill(input: { jobs: number }): Promise<void>;
  /**
   * Creates jobs of the other tenant, one each `everyMs`. Resolves to how long each waited from its creation to its start, in
   * milliseconds; one that has not started `patienceMs` after the last creation counts with the time until then.
   */
  waits(input: { jobs: number; everyMs: number; patienceMs: number }): Promise<number[]>;
}
