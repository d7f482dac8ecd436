/** The keys that BullMQ 5 and 6 have for a queue. */

export interface QueueKeys {
  /** Exists from the first use of the queue on. */
  readonly meta: string;
  /** The stream of its events. */
  readonly events: string;
  readonly active: string;
  readonly wait: string;
  /** Until BullMQ 6, the jobs that wait while the queue is paused. */
  readonly paused: string;
  readonly prioritized: string;
  readonly delayed: string;
  readonly waitingChildren: string;
  readonly completed: string;
  readonly failed: string;
  /** A hash. */
  job(id: string): string;
  /** The list of a job's log lines. */
  logs(id: string): string;
}

export function queueKeys(prefix: string, name: string): QueueKeys {
  const key = (type: string) => `${prefix}:${name}:${type}`;
  return {
    meta: key("meta"),
    events: key("events"),
    active: key("active"),
    wait: key("wait"),
    paused: key("paused"),
    prioritized: key("prioritized"),
    delayed: key("delayed"),
    waitingChildren: key("waiting-children"),
    completed: key("completed"),
    failed: key("failed"),
    job: key,
    logs: (id) => key(`${id}:logs`),
  };
}
