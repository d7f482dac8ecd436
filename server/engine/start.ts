/**
 * How a claim starts a job. A kind may define it; one whose answer is invalid must not keep other jobs from being
 * claimed.
 */
import type { ClaimRequest } from "./contract.ts";
import { cutText } from "#shared/cut-text.ts";
import type { JobError, JobSummary } from "#shared/job.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { kindMessageOf } from "#shared/public-message.ts";

export interface Start {
  change: Extract<JobChange, { action: "start" }>;
  /** Why the job cannot run, although it was started. */
  fault: JobError | undefined;
}

const DEFAULT = { progress: 0, message: "Job started" };

/** Never throws. Where `start` gives no whole percent with a text, the job starts with the default and a fault. */
export function startOf(start: NonNullable<ClaimRequest["start"]>, job: JobSummary): Start {
  try {
    const { progress, message } = start(job) as { progress: unknown; message: unknown };
    if (typeof progress !== "number" || !isWholePercent(progress)) {
      return faulty(
        `\`start.progress\` must be a whole number 0..100, but it is ${show(progress)}`,
      );
    }
    if (typeof message !== "string") {
      return faulty(`\`start.message\` must be text, but it is ${show(message)}`);
    }
    return { change: { action: "start", progress, message }, fault: undefined };
  } catch (error) {
    return faulty(`\`start\` cannot be read: ${kindMessageOf(error)}`);
  }
}

function isWholePercent(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 100;
}

function faulty(what: string): Start {
  const message = `The kind's ${what}`;
  return { change: { action: "start", ...DEFAULT }, fault: { code: "KIND_FAILED", message } };
}

function show(value: unknown): string {
  if (typeof value === "string") return `the text "${cutText(value, 40)}"`;
  return typeof value === "number" || value === null ? String(value) : typeof value;
}
