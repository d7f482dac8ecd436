/** Why a job waits, for clients of the older system that ask. That system had no such request, and no payload changes for it. */
import type { JobWaiting } from "./waiting.ts";

/** The name of the request, with a `job_id`. The acknowledgement has `waiting`. */
export const LEGACY_WAITING = "waiting:job";

export interface LegacyWaitingAnswer {
  /** `null`: the job does not wait. */
  waiting: LegacyWaiting | null;
}

export interface LegacyWaiting {
  reason: JobWaiting["reason"];
  message: string;
  ahead: number;
  /** With `delayed` and `rate`: milliseconds. */
  starts_in_ms?: number;
  /** With `concurrency`. */
  of?: "kind" | "key";
  limit?: number;
}

export function legacyOfWaiting(waiting: JobWaiting | null): LegacyWaiting | null {
  if (waiting === null) return null;
  const { reason, message, ahead } = waiting;
  const common = { reason, message, ahead };
  switch (waiting.reason) {
    case "queued":
      return common;
    case "delayed":
    case "rate":
      return { ...common, starts_in_ms: waiting.startsInMs };
    case "concurrency":
      return { ...common, of: waiting.of, limit: waiting.limit };
  }
}
