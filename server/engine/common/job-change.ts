/** What engines need to change a job of which they have read no more than the summary. */
import { isSettled, type Job } from "#shared/job.ts";
import type { JobChange } from "#shared/lifecycle.ts";

export const UNREAD = Symbol("unread");

/** Stands for what was not read, until a change sets it. */
export const UNREAD_PAYLOAD = { input: UNREAD, output: UNREAD };

/** When the next claim may take a job that does not run. `null`: it is settled. */
export function dueOf({ status }: Job, change: JobChange, at: Date): number | null {
  if (isSettled(status)) return null;
  return (change.action === "release" ? change.runAt : at).getTime();
}
