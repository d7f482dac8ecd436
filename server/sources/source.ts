/**
 * Jobs that another system runs, and that Jobwire shows as its own: an option of `createJobwire`. `bullmqQueues` of `jobwire/bullmq`
 * makes one.
 */
export interface Source {
  /** The kinds of its jobs: no program can have kinds of these names. */
  readonly kinds: readonly string[];
}
