/** Why a job waits, for clients of the older system that ask. That system had no such request, and no payload changes for it. */
import type { Counted, JobWaiting } from "./waiting.ts";

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
  /** With `concurrency` and `rate`. */
  of?: "kind" | "key";
  /** Of the limit, with `of: "key"`; its name for people, where the kind gives one. */
  key?: string;
  key_name?: string;
  /** With `concurrency`. */
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
      return { ...common, starts_in_ms: waiting.startsInMs };
    case "rate":
      return { ...common, ...counted(waiting), starts_in_ms: waiting.startsInMs };
    case "concurrency":
      return { ...common, ...counted(waiting), limit: waiting.limit };
  }
}

function counted({ of, key, keyName }: Counted): Pick<LegacyWaiting, "of" | "key" | "key_name"> {
  return {
    of,
    ...(key !== undefined && { key }),
    ...(keyName !== undefined && { key_name: keyName }),
  };
}
