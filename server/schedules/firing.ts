/** The firing of a schedule: what is to be done at a time, and the schedule after it. Pure. */
import { cutText } from "#shared/cut-text.ts";
import { MAX_MESSAGE_CHARS } from "#shared/limits.ts";
import type { MissedFirings, ScheduleError, ScheduleSummary } from "#shared/schedule.ts";
import { countOf, newestBefore, nextAfter } from "./plan.ts";

/** A firing that is not made within this time was missed. */
export const FIRING_GRACE_MS = 10_000;

export interface Firing {
  /** The time that names it, and its job's idempotency key. It stays the same until the schedule moves on. */
  dueAt: Date;
  /** False: its times were missed, and the schedule skips them. */
  creates: boolean;
  /** The newest time that it stands for. */
  till: Date;
  missed: MissedFirings | null;
}

export type Outcome =
  | { result: "fired"; jobId: string }
  | { result: "failed"; error: Pick<ScheduleError, "code" | "message"> }
  | { result: "skipped" };

/** `begun`: its job may exist, so it is made however late it is. */
export function firingOf(
  schedule: ScheduleSummary & { nextAt: Date },
  now: Date,
  begun: boolean,
): Firing {
  const { nextAt: dueAt, missed: policy } = schedule;
  const graceFrom = new Date(now.getTime() - FIRING_GRACE_MS);
  if (begun || dueAt >= graceFrom) return { dueAt, creates: true, till: dueAt, missed: null };
  const till = newestBefore(schedule, dueAt, graceFrom);
  const ranOnce = policy === "once";
  const missed = { from: dueAt, to: till, count: countOf(schedule, dueAt, till), ranOnce };
  return { dueAt, creates: ranOnce, till, missed };
}

/** A schedule that was planned anew meanwhile keeps its next time. */
export function firedSchedule(
  schedule: ScheduleSummary,
  { dueAt, till, missed }: Firing,
  outcome: Outcome,
  now: Date,
): ScheduleSummary {
  const next: ScheduleSummary = { ...schedule, updatedAt: now, version: schedule.version + 1 };
  if (schedule.nextAt?.getTime() === dueAt.getTime()) next.nextAt = nextAfter(schedule, till);
  if (missed !== null) next.lastMissed = missed;
  if (outcome.result === "fired") {
    next.lastJobId = outcome.jobId;
    next.lastAt = dueAt;
  }
  if (outcome.result === "failed") {
    const { code, message } = outcome.error;
    next.lastError = { code, message: cutText(message, MAX_MESSAGE_CHARS), dueAt, at: now };
  }
  return next;
}
