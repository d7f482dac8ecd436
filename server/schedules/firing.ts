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
  { now, begun, graceMs }: { now: Date; begun: boolean; graceMs: number },
): Firing {
  const { nextAt: dueAt, missed: policy } = schedule;
  const graceFrom = new Date(now.getTime() - graceMs);
  if (begun || dueAt >= graceFrom) return { dueAt, creates: true, till: dueAt, missed: null };
  const till = newestBefore(schedule, dueAt, graceFrom);
  const ranOnce = policy === "once";
  const missed = { from: dueAt, to: till, count: countOf(schedule, dueAt, till), ranOnce };
  return { dueAt, creates: ranOnce, till, missed };
}

/** By hand: no time moves. */
export function requestedSchedule(
  schedule: ScheduleSummary,
  requestedAt: Date,
  outcome: Outcome,
  now: Date,
): ScheduleSummary {
  const next = noted(schedule, { dueAt: requestedAt, outcome, now });
  if (schedule.requestedAt?.getTime() === requestedAt.getTime()) next.requestedAt = null;
  return next;
}

/** A schedule that was planned anew meanwhile keeps its next time. */
export function firedSchedule(
  schedule: ScheduleSummary,
  { dueAt, till, missed }: Firing,
  outcome: Outcome,
  now: Date,
): ScheduleSummary {
  const next = noted(schedule, { dueAt, outcome, now });
  if (schedule.nextAt?.getTime() === dueAt.getTime()) next.nextAt = nextAfter(schedule, till);
  if (missed !== null) next.lastMissed = missed;
  if (outcome.result === "fired") next.lastAt = dueAt;
  return next;
}

function noted(
  schedule: ScheduleSummary,
  { dueAt, outcome, now }: { dueAt: Date; outcome: Outcome; now: Date },
): ScheduleSummary {
  const next: ScheduleSummary = { ...schedule, updatedAt: now, version: schedule.version + 1 };
  if (outcome.result === "fired") next.lastJobId = outcome.jobId;
  if (outcome.result === "failed") {
    const { code, message } = outcome.error;
    next.lastError = { code, message: cutText(message, MAX_MESSAGE_CHARS), dueAt, at: now };
  }
  return next;
}
