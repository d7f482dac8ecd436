/** How an `ABORTED` job ended, in words for people. Pure. */
import type { Job } from "#shared/job.ts";

export interface JobEnding {
  word: "Cancelled" | "Rejected" | "Expired" | "Removed" | "Failed";
  /** The note of the person who ended it, or the reason of the failure. May be empty. */
  why: string;
}

const NOT_FAILED = [
  { word: "Cancelled", code: "CANCELLED" },
  { word: "Rejected", code: "REJECTED" },
  { word: "Expired", code: "EXPIRED" },
  // Of a mirrored job, from its queue.
  { word: "Removed", code: "REMOVED" },
] as const;

/** The error arrives with the record, shortly after the event; until then the message alone must decide. */
export function endingOf({ message, error }: Pick<Job, "message" | "error">): JobEnding {
  for (const { word, code } of NOT_FAILED) {
    const [, why] = new RegExp(`^${word}(?:$|: ([^]*))`).exec(message) ?? [undefined, null];
    if (why !== null && (error === null || error.code === code)) return { word, why: why ?? "" };
  }
  return { word: "Failed", why: message };
}
