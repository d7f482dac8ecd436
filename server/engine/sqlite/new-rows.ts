/** The rows of new jobs: record, input and output, first event. */
import type { DatabaseSync } from "node:sqlite";
import { expiryOf, firstDelayOf } from "#server/engine/job-change.ts";
import { toJson } from "#server/engine/payload.ts";
import type { TenantUsage } from "#server/engine/quota.ts";
import { rankOf } from "#server/engine/turns.ts";
import { createdJob, type NewJob } from "#shared/lifecycle.ts";
import { isOutside } from "#shared/outside.ts";
import { CREATED_COLUMNS, valuesOfJob } from "./job-rows.ts";
import type { Log } from "./log.ts";
import type { TakenRevs } from "./owners.ts";
import { READY } from "./queue.ts";
import type { Waiter } from "./queue-lines.ts";
import { insertInto } from "./rows.ts";

/** A new job, and its JSON. */
export interface Fresh {
  created: ReturnType<typeof createdJob>;
  idempotencyKey: string | undefined;
  key: string | null;
  trace: string | undefined;
  debounceKey: string | undefined;
  input: string;
  output: string;
}

/** A stored job, and its place in the queue. */
export interface Placed {
  waiter: Waiter;
  /** `null`: no claim may take it. */
  due: number | null;
  expires: number | null;
}

export interface NewRows {
  /** `n`: the position that was taken for it. Such a job has no place in the queue yet. Default: the next one. */
  insert(fresh: Fresh, of: TakenRevs, batchN: number | bigint | null, n?: number): Placed;
}

interface NewRowsOptions {
  db: DatabaseSync;
  log: Pick<Log, "append">;
  clock: () => number;
}

export function encodeNew(fresh: NewJob, at: Date): Fresh {
  const created = createdJob(fresh, at);
  const { id, input, output } = created.job;
  const json = { input: toJson(input, id, "input"), output: toJson(output, id, "output") };
  const { idempotencyKey, key = null, trace, debounce } = fresh;
  return { created, idempotencyKey, key, trace, debounceKey: debounce?.key, ...json };
}

export function usageOfNew(all: readonly Fresh[]): TenantUsage {
  let bytes = 0;
  for (const { input, output } of all)
    bytes += Buffer.byteLength(input) + Buffer.byteLength(output);
  return { waitingJobs: all.filter(({ created: { job } }) => !isOutside(job.kind)).length, bytes };
}

export function createNewRows({ db, log, clock }: NewRowsOptions): NewRows {
  const insertJob = db.prepare(
    insertInto("jobs", [
      "n",
      "owner_n",
      "tenant_n",
      "batch_n",
      "rev",
      "due",
      "idempotency_key",
      "trace",
      "rank",
      "key",
      "expires",
      "debounce_key",
      ...CREATED_COLUMNS,
    ]),
  );
  const insertPayload = db.prepare("INSERT INTO payloads (job_n, input, output) VALUES (?, ?, ?)");

  return {
    insert(fresh, { ownerN, tenantN, rev }, batchN, taken) {
      const { created, idempotencyKey, key, trace, debounceKey, input, output } = fresh;
      const { job, event } = created;
      const now = clock();
      const delay = firstDelayOf(job, job.createdAt);
      const due = delay === null ? null : delay === 0 ? READY : now + delay;
      const rank = rankOf(now + (delay ?? 0), job.priority);
      const expiry = expiryOf(job, job.createdAt);
      const expires = expiry && now + expiry;
      const { lastInsertRowid } = insertJob.run(
        taken ?? null,
        ownerN,
        tenantN,
        batchN,
        rev,
        taken === undefined ? due : null,
        idempotencyKey ?? null,
        trace ?? null,
        rank,
        key,
        expires,
        debounceKey ?? null,
        ...valuesOfJob(job, CREATED_COLUMNS),
      );
      insertPayload.run(lastInsertRowid, input, output);
      log.append(lastInsertRowid, event);
      const { tenant, kind } = job;
      const n = Number(lastInsertRowid);
      return { waiter: { n, tenant_n: tenantN, tenant, kind, key, rank }, due, expires };
    },
  };
}
