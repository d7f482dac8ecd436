/** Merges pushed data into known state. Pure; by position and version, so the order of arrival does not matter. */
import type { Batch, BatchAggregate } from "#shared/batch.ts";
import type { DraftFrame, JobEvent } from "#shared/events.ts";
import { applyDraft } from "#shared/events.ts";
import type { FeedEntry } from "#shared/feed.ts";
import { isSettled, type Job, type JobSummary } from "#shared/job.ts";
import type { FilterFields, JobFilter } from "#shared/job-filter.ts";

/** Appends new events to a job's log. Known events are dropped; a gap restarts the log. */
export function mergeEvents(log: readonly JobEvent[], fresh: readonly JobEvent[]): JobEvent[] {
  let merged = [...log];
  for (const event of fresh) {
    if (event.gap === true) merged = [event];
    else if (event.seq > (merged.at(-1)?.seq ?? 0)) merged.push(event);
  }
  return merged;
}

/**
 * A job's current state: its record, updated by newer events of its log. Output and error belong to the run that
 * produced them: after the job was queued again they are `null` until the record is read again.
 */
export function currentJob(record: Job, log: readonly JobEvent[]): Job {
  const newest = log.at(-1);
  if (newest === undefined || (newest.seq <= record.version && newest.gap !== true)) return record;
  const { status, progress, message, details, attempt, seq, at } = newest;
  const visible = { status, progress, message, details, attempt } satisfies Record<
    keyof Job & keyof JobEvent,
    unknown
  >;
  const settled = isSettled(status);
  const isSameRun = log.every((event) => event.seq <= record.version || isSettled(event.status));
  return {
    ...record,
    ...visible,
    version: seq,
    startsAt: null,
    expiresAt: null,
    finishedAt: settled ? at : null,
    output: isSameRun ? record.output : null,
    error: settled && isSameRun ? record.error : null,
  };
}

/** The newest state of a batch; a state with a gap wins always. */
export function mergeBatch(
  known: BatchAggregate | undefined,
  fresh: readonly BatchAggregate[],
): BatchAggregate | undefined {
  let newest = known;
  for (const state of fresh) {
    if (newest === undefined || state.gap === true || state.version >= newest.version)
      newest = state;
  }
  return newest;
}

/** A batch's current state: its record, or a newer pushed state. */
export function currentBatch(record: Batch, pushed: BatchAggregate | undefined): Batch {
  const isNewer = pushed !== undefined && (pushed.version >= record.version || pushed.gap === true);
  return isNewer ? { ...record, ...pushed } : record;
}

export interface Draft {
  attempt: number;
  text: string;
}

export function mergeDraft(draft: Draft, frames: readonly DraftFrame[]): Draft {
  let { text, attempt } = draft;
  for (const frame of frames) {
    text = applyDraft(text, frame);
    attempt = frame.attempt;
  }
  return { text, attempt };
}

/** The newest version of each job, by id. A gap discards everything before it. */
export function mergeFeed(
  known: ReadonlyMap<string, JobSummary>,
  fresh: readonly FeedEntry[],
): Map<string, JobSummary> {
  const gap = fresh.findIndex((entry) => entry.gap === true);
  const merged = new Map(gap === -1 ? known : []);
  for (const { job } of fresh.slice(Math.max(gap, 0))) {
    if (job === null) continue;
    if (job.version >= (merged.get(job.id)?.version ?? 0)) merged.set(job.id, job);
  }
  return merged;
}

/** Keeps the feed's jobs that the loaded pages lack: newer versions, and jobs newer than the first page. */
export function dropKnown(
  changed: ReadonlyMap<string, JobSummary>,
  pages: readonly { items: JobSummary[] }[],
): ReadonlyMap<string, JobSummary> {
  const listed = new Map(
    pages.flatMap((page) => page.items).map(({ id, version }) => [id, version]),
  );
  const newest = pages[0]?.items[0]?.id ?? "";
  return new Map(
    [...changed].filter(([id, job]) => {
      const version = listed.get(id);
      return version === undefined ? id > newest : job.version > version;
    }),
  );
}

/** The fields of a job by which lists are filtered. */
function filteredBy({ status, kind, batchId, scheduleId }: JobSummary): FilterFields {
  return { status, kind, batchId, scheduleId };
}

function matches(job: JobSummary, filter: JobFilter): boolean {
  return Object.entries(filteredBy(job)).every(([field, value]) => {
    const wanted = filter[field as keyof JobFilter];
    return wanted === undefined || wanted === value;
  });
}

/**
 * A list of jobs, newest first: the jobs of the loaded pages in their newest versions, and newly created jobs. Jobs
 * older than the last loaded page arrive with their page.
 */
export function mergeJobs(
  pages: readonly { items: JobSummary[]; nextCursor: string | null }[],
  changed: ReadonlyMap<string, JobSummary>,
  filter: JobFilter,
): JobSummary[] {
  const jobs = new Map<string, JobSummary>();
  for (const job of pages.flatMap((page) => page.items)) jobs.set(job.id, job);
  const complete = pages.at(-1)?.nextCursor == null;
  const oldest = pages.flatMap((page) => page.items).at(-1)?.id ?? "";
  for (const job of changed.values()) {
    const known = jobs.get(job.id);
    const loaded = known !== undefined || complete || job.id > oldest;
    if (loaded && job.version >= (known?.version ?? 0)) jobs.set(job.id, job);
  }
  return [...jobs.values()]
    .filter((job) => matches(job, filter))
    .toSorted((a, b) => (a.id < b.id ? 1 : -1));
}
