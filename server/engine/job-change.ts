/** What engines need to change a job of which they have read no more than the summary. */
import { isSettled, type Job, type JobPayload } from "#shared/job.ts";
import type { JobChange } from "#shared/lifecycle.ts";

export const UNREAD = Symbol("unread");

/** Stands for what was not read, until a change sets it. */
export const UNREAD_PAYLOAD = { input: UNREAD, output: UNREAD } satisfies Record<
  keyof JobPayload,
  typeof UNREAD
>;

/** How many milliseconds a job that does not run waits in the queue before a claim may take it. `null`: it is settled. */
export function delayOf({ status }: Job, change: JobChange): number | null {
  if (isSettled(status)) return null;
  return change.action === "release" ? change.delayMs : 0;
}
