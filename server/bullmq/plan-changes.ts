/** The changes of a mirrored job that make it what was seen of its original. Pure. */
import { beginningOf, cutText, wellFormed } from "#shared/cut-text.ts";
import { isSettled, type JobStatus, type JobSummary } from "#shared/job.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { timeText } from "#shared/time-text.ts";
import type { Sighting } from "./sightings.ts";
import type { StoredJob } from "./stored-job.ts";

/** `step`: the place of the change among those of one event. It is the same when the event is planned again after some of them. */
export interface Planned {
  step: 1 | 2 | 3;
  change: JobChange;
}

/**
 * Jobwire's table of transitions holds for mirrored jobs too: where the original went through states that the mirror did not see, it
 * goes through them now.
 */
export function planChanges(
  job: Pick<JobSummary, "status" | "details">,
  sighting: Sighting,
  stored: StoredJob | undefined,
): Planned[] {
  const { status } = job;
  switch (sighting.is) {
    case "added":
      return [];
    case "waits":
      return planWaiting(job, sighting, stored);
    case "active":
      return toRunning(status, true, stored);
    case "reported":
      return planReport(status, sighting.progress);
    case "completed": {
      const output = sighting.returnvalue ?? null;
      return [
        ...toRunning(status, false, stored),
        { step: 3, change: { action: "deliver", message: "Completed", output } },
      ];
    }
    case "failed": {
      const message = wellFormed(sighting.reason) || "Failed";
      return [
        ...toRunning(status, false, stored),
        { step: 3, change: { action: "fail", error: { code: "FAILED", message } } },
      ];
    }
    case "removed":
      return isSettled(status)
        ? []
        : [{ step: 3, change: { action: "remove", message: "Removed" } }];
  }
}

/**
 * The same for a state that was read and is no event: nothing changes where the job has it already. With `gap` one that runs says
 * so, because its reports may be missing.
 */
export function planRead(
  job: Pick<JobSummary, "status" | "details">,
  sighting: Sighting,
  stored: StoredJob | undefined,
  gap: boolean,
): Planned[] {
  const { status } = job;
  if (sighting.is === "active") {
    const { progress = 0 } = stored ?? {};
    const isNew = status === "PROCESSING" ? gap : progress !== 0;
    return [
      ...toRunning(status, false, stored),
      ...(isNew ? planReport("PROCESSING", progress) : []),
    ];
  }
  if (sighting.is === "removed" && gap) {
    const message = "Removed: It is gone from its queue, and its end was not seen";
    return isSettled(status) ? [] : [{ step: 3, change: { action: "remove", message } }];
  }
  if (sighting.is === "completed" && status === "DELIVERED") return [];
  if (sighting.is === "failed" && status === "ABORTED") return [];
  return planChanges(job, sighting, stored);
}

/** `again`: the job starts now, also where it was seen to run. */
function toRunning(status: JobStatus, again: boolean, stored: StoredJob | undefined): Planned[] {
  const worker = stored?.worker === undefined ? "" : ` by ${cutText(stored.worker, 200)}`;
  const start: Planned = {
    step: again ? 3 : 2,
    change: { action: "start", progress: 0, message: `Started${worker}` },
  };
  const message = "It went on while its events were not seen";
  if (status === "PENDING") return [start];
  if (status !== "PROCESSING") {
    return [{ step: 1, change: { action: "requeue", message } }, start];
  }
  if (!again) return [];
  return [{ step: 1, change: { action: "release", message, delayMs: 0, counts: false } }, start];
}

function planWaiting(
  { status, details }: Pick<JobSummary, "status" | "details">,
  sighting: Extract<Sighting, { is: "waits" }>,
  stored: StoredJob | undefined,
): Planned[] {
  const waiting = waitingText(sighting, stored);
  if (status === "PROCESSING") {
    const why = whyAgain(sighting, stored, details);
    const message = why === undefined ? waiting : `${why}. ${waiting}`;
    const counts = why !== undefined;
    return [{ step: 3, change: { action: "release", message, delayMs: 0, counts } }];
  }
  const { state, delayedUntil } = (details ?? {}) as { state?: unknown; delayedUntil?: unknown };
  const { until } = sighting;
  const isSame =
    state === stateOf(sighting, stored) && (until === undefined || until === delayedUntil);
  if (status === "PENDING" && isSame) return [];
  return [{ step: 3, change: { action: "requeue", message: waiting } }];
}

/** "waiting" of an event is also the state of jobs with a priority. */
export function stateOf(
  { state }: Extract<Sighting, { is: "waits" }>,
  stored: StoredJob | undefined,
): string {
  return state === "waiting" && (stored?.priority ?? 0) > 0 ? "prioritized" : state;
}

export function waitingText(
  sighting: Extract<Sighting, { is: "waits" }>,
  stored: StoredJob | undefined,
): string {
  switch (stateOf(sighting, stored)) {
    case "delayed": {
      const until = new Date(sighting.until ?? Number.NaN);
      return Number.isNaN(until.getTime()) ? "Delayed" : `Delayed until ${timeText(until)}`;
    }
    case "prioritized":
      return `Waiting with priority ${stored?.priority}`;
    case "waiting-children":
      return "Waiting for its children";
    default:
      return "Waiting";
  }
}

/** Why a job that ran waits again. `undefined`: through no fault, such as a limit of its rate, or for its children. */
function whyAgain(
  { state, stalled }: Extract<Sighting, { is: "waits" }>,
  stored: StoredJob | undefined,
  details: unknown,
): string | undefined {
  if (stalled) return "Its worker stalled";
  if (state === "waiting-children" || stored?.failedReason === undefined) return undefined;
  const { attemptsMade: before } = details as { attemptsMade: number };
  const { attemptsMade, attempts, failedReason } = stored;
  // More attempts may have failed since that event.
  if (attemptsMade <= before) return undefined;
  return `Attempt ${before + 1} of ${attempts} failed: ${beginningOf(failedReason, 1000)}`;
}

function planReport(status: JobStatus, progress: unknown): Planned[] {
  const { percent, message } = reportOf(progress);
  if (status === "PROCESSING") {
    return [{ step: 3, change: { action: "progress", progress: percent, message } }];
  }
  // BullMQ lets any job report. One that waits has no percent here.
  return status === "PENDING" ? [{ step: 3, change: { action: "requeue", message } }] : [];
}

/** BullMQ's progress is any JSON. A number is a percent; of an object, so are some names, and others a message. */
function reportOf(progress: unknown): { percent: number; message: string } {
  if (typeof progress === "number") return { percent: progress, message: `${progress} %` };
  if (typeof progress === "string") return { percent: 0, message: progress };
  const fields = typeof progress === "object" && progress !== null ? Object.entries(progress) : [];
  const found = (names: readonly string[], type: "number" | "string"): unknown =>
    fields.find(([name, value]) => names.includes(name) && typeof value === type)?.[1];
  const percent = found(["percent", "percentage", "progress"], "number") as number | undefined;
  const message = found(["message", "text", "status", "step"], "string") as string | undefined;
  return { percent: percent ?? 0, message: message ?? cutText(JSON.stringify(progress), 200) };
}
