/** Helpers to change a job of which only the summary was read. */
import { isSettled, type Job, type JobPayload } from "#shared/job.ts";
import type { JobChange } from "#shared/lifecycle.ts";

export const UNREAD = Symbol("unread");

/** Placeholder for a value that was not read, until a change sets it. */
export const UNREAD_PAYLOAD = { input: UNREAD, output: UNREAD } satisfies Record<
  keyof JobPayload,
  typeof UNREAD
>;

/** How many milliseconds a job that does not run waits in the queue before a claim may take it. `null`: it is settled. */
export function delayOf({ status }: Job, change: JobChange): number | null {
  if (isSettled(status)) return null;
  return change.action === "release" ? change.delayMs : 0;
}

/** True for a job that its runner gives back through no fault of the job, to run again at once: it keeps its rank. */
export function keepsRank(change: JobChange): boolean {
  return change.action === "release" && !change.counts && change.delayMs === 0;
}
