/** Which jobs and batches a principal may read or change. The others do not exist for it. */
import { AppError } from "#shared/errors.ts";
import type { Job, JobSummary } from "#shared/job.ts";
import { mayChange, mayRead, type Owner, type Principal } from "#shared/principal.ts";

export type May = (record: Owner & { id: string }) => boolean;

export function reader(principal: Principal, stream: "job" | "batch"): May {
  return (record) => mayRead(principal, stream, record);
}

export function changer(principal: Principal): May {
  return (record) => mayChange(principal, record);
}

/** Throws `NOT_FOUND` for what the principal may not read or change, as for what does not exist. */
export function visible<T extends JobSummary>(job: T | undefined, jobId: string, may: May): T {
  if (job === undefined || !may(job)) throw noJob(jobId);
  return job;
}

export function noJob(jobId: string): AppError {
  return new AppError("NOT_FOUND", `Job ${jobId} does not exist.`);
}

/** To change a job is not to read it. */
export function answerTo(principal: Principal, job: Job): Job {
  const { details: _details, ...rest } = job;
  return mayRead(principal, "job", job) ? job : { ...rest, input: null, output: null };
}
