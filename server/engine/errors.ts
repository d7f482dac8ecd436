/** The errors with which every engine refuses to change a job. */
import type { ClaimRef } from "./contract.ts";
import { AppError } from "#shared/errors.ts";
import type { JobStatus } from "#shared/job.ts";

export function notFound(jobId: string): AppError {
  return new AppError("NOT_FOUND", `There is no job ${jobId}.`);
}

export function claimLost(jobId: string, { token }: Pick<ClaimRef, "token">): AppError {
  return new AppError(
    "CLAIM_LOST",
    `Claim ${token} does not hold job ${jobId} any more: it ended, or another runner got the job. Stop working on it.`,
  );
}

export function notWriting(jobId: string, status: JobStatus): AppError {
  return new AppError(
    "ILLEGAL_TRANSITION",
    `Job ${jobId} is ${status}: its draft and log lines are written only while it is PROCESSING. Start it first.`,
  );
}

export function notTheEnd(jobId: string, at: number, length: number): AppError {
  return new AppError(
    "BAD_REQUEST",
    `The draft of job ${jobId} has ${length} UTF-16 units, so no text goes at ${at}.`,
  );
}

/** Only for a moment, unless the command that gives the job away was interrupted. */
export function isMoving(jobId: string): AppError {
  return new AppError(
    "UNAVAILABLE",
    `Job ${jobId} is being given to another user. Try again. If this lasts, the operator runs "jobwire assign" again.`,
  );
}
