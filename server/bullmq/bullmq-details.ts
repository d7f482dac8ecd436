/** The details of a mirrored job, for programs: they have a position and the mark of a gap beside. */
export interface BullmqDetails {
  /** Of the queue in BullMQ, and of the job in it. An id that is longer is cut. */
  queue: string;
  id: string;
  name: string;
  /** As BullMQ calls it. */
  state: string;
  attemptsMade: number;
  /** How many the job may have. */
  attempts: number;
  /** When BullMQ added it, in ms. */
  timestamp?: number;
  progress?: unknown;
  delayedUntil?: number;
  priority?: number;
  stalled?: number;
  worker?: string;
  parent?: string;
  scheduler?: string;
  keepLogs?: number;
  /** It can be cancelled and retried here. */
  control?: true;
}
