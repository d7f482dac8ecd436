/** The filter of a list of jobs, from the procedures down to the engines and in the page. */
import type { JobStatus } from "./job.ts";

/** A field that is absent selects all jobs. Whatever reads a filter handles each field, or does not compile. */
export interface JobFilter {
  status?: JobStatus | undefined;
  kind?: string | undefined;
  batchId?: string | undefined;
  /** Those that it created, by plan or by hand. */
  scheduleId?: string | undefined;
}

/** One value for each field of the filter. */
export type FilterFields<Value = unknown> = Record<keyof JobFilter, Value>;
