/** Caches the newest known records of jobs, so that a change need not read its job first. */
import { LRUCache } from "lru-cache";
import type { JobSummary } from "#shared/job.ts";
import { decodeSummary } from "./records.ts";

/** A record, and the op of the change that led to it: after Redis lost writes, two records can have the same version. */
export interface Known {
  job: JobSummary;
  op: string;
}

/** The newest known record of each job. It may be stale: scripts compare it with the stored one. */
export interface Newest {
  get(jobId: string): Known | undefined;
  set(known: Known): void;
  forget(jobId: string): void;
}

const REMEMBERED = 10_000;
/** How many records without details one with details stands for: as an object, 8 KiB of JSON can take 200 KB. */
const DETAILS_WEIGHT = 20;

export function createNewest(): Newest {
  const records = new LRUCache<string, Known>({
    maxSize: REMEMBERED,
    sizeCalculation: ({ job }) => (job.details === undefined ? 1 : DETAILS_WEIGHT),
  });
  return {
    get: (jobId) => records.get(jobId),
    set: (known) => void records.set(known.job.id, known),
    forget: (jobId) => void records.delete(jobId),
  };
}

/** `made` lists the newest op of each process that recently changed the record, the newest first. */
export function knownAs(record: string, made: string | null | undefined): Known {
  return { job: decodeSummary(record), op: made?.split(" ", 1)[0] ?? "" };
}
