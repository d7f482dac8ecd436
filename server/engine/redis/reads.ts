/** Reads jobs, batches, pages of them, logs and feeds. */
import type { Client } from "./client.ts";
import type {
  BatchPage,
  BatchQuery,
  EventSlice,
  FeedSlice,
  JobPage,
  JobQuery,
} from "#server/engine/contract.ts";
import type { TenantUsage } from "#server/engine/quota.ts";
import { pageBefore, pageOf } from "#server/engine/page-cursor.ts";
import type { BatchRecord } from "#shared/batch.ts";
import type { Job, JobSummary } from "#shared/job.ts";
import type { FilterFields } from "#shared/job-filter.ts";
import type { OwnerFilter } from "#shared/principal.ts";
import { type Keys, ownerKey } from "./keys.ts";
import { FIRST_POSITION } from "./moves.ts";
import {
  decodeBatch,
  decodeEvent,
  decodeSummary,
  fieldsOf,
  inPairs,
  payloadOf,
} from "./records.ts";
import type { RunScript } from "./scripts.ts";
import type { Look } from "./sweep.ts";
import type { TenantDirectory } from "./tenant-directory.ts";

export interface Reads {
  job(jobId: string): Promise<Job | undefined>;
  usage(tenant: string): Promise<TenantUsage>;
  summary(jobId: string): Promise<JobSummary | undefined>;
  jobs(query: JobQuery): Promise<JobPage>;
  batch(batchId: string): Promise<BatchRecord | undefined>;
  batches(query: BatchQuery): Promise<BatchPage>;
  events(jobId: string, after: number, limit: number): Promise<EventSlice | undefined>;
  feed(of: OwnerFilter, after: number, limit: number): Promise<FeedSlice>;
}

interface ReadsOptions {
  redis: Client;
  run: RunScript;
  keys: Keys;
  tenants: TenantDirectory;
}

export function createReads({ redis, run, keys, tenants }: ReadsOptions): Reads {
  return {
    job: (jobId) =>
      tenants.find(jobId, async (tenant) => {
        const [record, input, output] = await redis.hmget(keys.job(tenant, jobId), "s", "i", "o");
        return record == null ? undefined : jobOf(record, input ?? null, output ?? null);
      }),
    async usage(tenant) {
      const [, waitingJobs, , , bytes] = await run<Look>("look", keys.tenant(tenant));
      return { waitingJobs, bytes };
    },
    summary: (jobId) =>
      tenants.find(jobId, async (tenant) => {
        const record = await redis.hget(keys.job(tenant, jobId), "s");
        return record === null ? undefined : decodeSummary(record);
      }),
    async jobs(query) {
      const { limit, status = "", kind = "", batchId = "", scheduleId = "" } = query;
      const asked = { status, kind, batchId, scheduleId } satisfies FilterFields<string>;
      const [feed = "0", ...rows] = await run<string[]>(
        "list-jobs",
        keys.tenant(query.tenant),
        ownerKey(query),
        pageBefore(query.cursor, FIRST_POSITION),
        limit + 1,
        asked.status,
        asked.kind,
        asked.batchId,
        asked.scheduleId,
      );
      const page = pageOf(numbered(rows), limit);
      return {
        items: page.rows.map(({ value }) => decodeSummary(value)),
        nextCursor: page.nextCursor,
        feed: Number(feed),
      };
    },
    batch: (batchId) =>
      tenants.find(batchId, async (tenant) =>
        decodeBatch(await redis.hgetall(keys.batch(tenant, batchId))),
      ),
    async batches({ cursor, limit, ...of }) {
      const rows = await run<(string | string[])[]>(
        "list-batches",
        keys.tenant(of.tenant),
        ownerKey(of),
        pageBefore(cursor, FIRST_POSITION),
        limit + 1,
      );
      const page = pageOf(numbered(rows), limit);
      const found = page.rows.map(({ value }) => decodeBatch(fieldsOf(value as string[])));
      return {
        items: found.filter((batch) => batch !== undefined),
        nextCursor: page.nextCursor,
      };
    },
    events: (jobId, after, limit) =>
      tenants.find(jobId, async (tenant) => {
        const answer = await run<[string[], string] | []>(
          "read-events",
          keys.tenant(tenant),
          jobId,
          after,
          limit,
        );
        if (answer.length === 0) return undefined;
        const [events, newest] = answer;
        return {
          events: events.map((each) => decodeEvent(jobId, each)),
          newest: decodeEvent(jobId, newest),
        };
      }),
    async feed(of, after, limit) {
      const [head = "0", ...rows] = await run<string[]>(
        "read-feed",
        keys.tenant(of.tenant),
        ownerKey(of),
        after,
        limit,
      );
      const changes = numbered(rows).map(({ n, value }) => ({ rev: n, job: decodeSummary(value) }));
      return { changes, head: Number(head) };
    },
  };
}

function jobOf(record: string, input: string | null, output: string | null): Job {
  return Object.assign(decodeSummary(record), payloadOf(input, output));
}

/** Parses a flat list of numbers, each followed by its value. */
function numbered<T extends string | string[]>(rows: readonly T[]): { n: number; value: T }[] {
  return inPairs(rows).map(([n, value]) => ({ n: Number(n), value }));
}
