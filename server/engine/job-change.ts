/** Helpers to change a job of which only the summary was read. */
import { isSettled, type Job, type JobPayload, type JobSummary } from "#shared/job.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { isOutside } from "#shared/outside.ts";

export const UNREAD = Symbol("unread");

/** Placeholder for a value that was not read, until a change sets it. */
export const UNREAD_PAYLOAD = { input: UNREAD, output: UNREAD } satisfies Record<
  keyof JobPayload,
  typeof UNREAD
>;

/** How many milliseconds a job that does not run waits in the queue before a claim may take it. `null`: it is settled, or mirrored. */
export function delayOf(job: Job, change: JobChange, at: Date): number | null {
  if (isSettled(job.status) || isOutside(job.kind)) return null;
  return change.action === "release" ? change.delayMs : startDelayOf(job, at);
}

/** In how many milliseconds a new job may start for the first time. `null`: it is mirrored, so no claim may take it. */
export function firstDelayOf(job: JobSummary, at: Date): number | null {
  return isOutside(job.kind) ? null : startDelayOf(job, at);
}

function startDelayOf({ startsAt }: JobSummary, at: Date): number {
  return startsAt === null ? 0 : Math.max(0, startsAt.getTime() - at.getTime());
}

/** In how many milliseconds it expires. */
export function expiryOf({ expiresAt }: JobSummary, at: Date): number | null {
  return expiresAt && expiresAt.getTime() - at.getTime();
}

/** True for a job that its runner gives back through no fault of the job, to run again at once: it keeps its rank. */
export function keepsRank(change: JobChange): boolean {
  return change.action === "release" && !change.counts && change.delayMs === 0;
}
