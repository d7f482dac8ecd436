/**
 * The keys of Jobwire's queries, for `invalidateQueries` and the like. Each key is a prefix: `["jobwire", "job"]` means every
 * job. Live state stands apart, so that a reset of the queries does not lose what subscriptions have brought.
 */
import type { FilterFields, JobFilter } from "#shared/job-filter.ts";
import type { OwnersAsked } from "#shared/owners-asked.ts";

export const jobwireKeys = {
  all: ["jobwire"],
  jobs: ["jobwire", "jobs"],
  /** `kind`: only as a job of that kind. */
  job: (id: string, kind?: string) => ["jobwire", "job", id, ...(kind === undefined ? [] : [kind])],
  /** Not below `job`, which is read anew after a gap unless it is just being read. */
  waiting: (id: string, version: number) => ["jobwire", "waiting", id, `${version}`],
  batch: (id: string) => ["jobwire", "batch", id],
} as const;

export function jobsKey(filter: JobFilter & OwnersAsked, kind: string | undefined): string[] {
  const { status, batchId, scheduleId, owner, allOwners } = filter;
  const fields = { status, kind: filter.kind, batchId, scheduleId } satisfies FilterFields;
  const wanted = [...Object.values(fields), owner].map((each) => JSON.stringify(each) ?? "");
  return [...jobwireKeys.jobs, ...wanted, `${allOwners === true}`, ...(kind ? [`as ${kind}`] : [])];
}

export const liveKey = (key: readonly string[]) => ["jobwire-live", ...key];
