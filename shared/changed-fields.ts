/** The fields of a job that a change of it sets. Pure; `applyChange` of `lifecycle.ts` does the rest. */
import { DEBOUNCE_WINDOWS } from "./create-options.ts";
import { cutText } from "./cut-text.ts";
import { AppError } from "./errors.ts";
import type { Job } from "./job.ts";
import { boundedError, wholePercent } from "./job-fields.ts";
import type { DebounceChange, JobChange } from "./lifecycle.ts";
import { MAX_MESSAGE_CHARS, MAX_TITLE_CHARS } from "./limits.ts";
import { storedDetails } from "./stored-details.ts";
import { startText, timeText } from "./time-text.ts";

type Fields = Partial<Job> & { message: string };

/** Throws `ILLEGAL_TRANSITION` where the job is not as the change presumes, beyond its status. */
export function changedFields(job: Job, change: JobChange, at: Date): Fields {
  switch (change.action) {
    case "start":
      return {
        progress: wholePercent(change.progress),
        message: change.message,
        attempt: job.attempt + 1,
        startedAt: at,
      };
    case "progress": {
      const progress = Math.max(job.progress, wholePercent(change.progress));
      const { message, details } = change;
      if (details === undefined) return { progress, message };
      return { progress, message, details: storedDetails(details) };
    }
    case "release":
      return {
        progress: 0,
        message: change.message,
        retries: job.retries + (change.counts ? 1 : 0),
        startedAt: null,
      };
    case "deliver":
      return { progress: 100, message: change.message, output: change.output };
    case "block":
      return { message: change.message, output: change.output };
    case "fail": {
      const error = boundedError(change.error);
      return { message: error.message, error };
    }
    case "expire": {
      if (job.expiresAt?.getTime() !== change.expiresAt.getTime()) {
        throw new AppError("ILLEGAL_TRANSITION", `Job ${job.id} does not expire at that time.`);
      }
      const message = `Expired: The job had not started by ${timeText(change.expiresAt)}`;
      return { message, error: { code: "EXPIRED", message } };
    }
    case "debounce":
      return debounced(job, change, at);
    case "requeue":
      return {
        ...queuedAgain(change.message, undefined),
        retries: job.status === "PENDING" ? job.retries : 0,
      };
    case "remove":
      return ended("REMOVED", change.message, undefined);
    case "cancel":
      return ended("CANCELLED", "Cancelled", change.note);
    case "reject":
      return ended("REJECTED", "Rejected", change.note);
    case "approve":
      return { progress: 100, message: withNote("Approved", change.note) };
    case "retry":
      return queuedAgain("Queued again", change.note);
    case "regenerate":
      return queuedAgain("Queued to be made anew", change.note);
  }
}

/** Only a job that waits for its first start has a time for it. */
function debounced(job: Job, { input, title, debounce }: DebounceChange, at: Date): Fields {
  if (job.startsAt === null) {
    throw new AppError("ILLEGAL_TRANSITION", `Job ${job.id} was queued again or has started.`);
  }
  const { windowMs, maxWaitMs = DEBOUNCE_WINDOWS * windowMs } = debounce;
  const now = at.getTime();
  const latest = Math.max(now, job.createdAt.getTime() + maxWaitMs);
  const startsAt = new Date(Math.min(now + windowMs, latest));
  const later = startsAt.getTime() - job.startsAt.getTime();
  return {
    input,
    title: cutText(title, MAX_TITLE_CHARS),
    message: `Input replaced - ${startText(startsAt)}`,
    startsAt,
    expiresAt: job.expiresAt && new Date(job.expiresAt.getTime() + later),
  };
}

function ended(code: string, word: string, note: string | undefined): Fields {
  const message = cutText(withNote(word, note), MAX_MESSAGE_CHARS);
  return { message, error: { code, message } };
}

function queuedAgain(word: string, note: string | undefined): Fields {
  return {
    progress: 0,
    message: withNote(word, note),
    retries: 0,
    error: null,
    output: null,
    startedAt: null,
  };
}

function withNote(word: string, note: string | undefined): string {
  return note === undefined || note === "" ? word : `${word}: ${note}`;
}
