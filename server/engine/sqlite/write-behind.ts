/**
 * The rows of jobs, owners and batches that the changes of one transaction have not written yet. Many changes of one
 * transaction concern the same rows, so each row is read and written once for all of them.
 *
 * It lives within one transaction. Every other read or write of a job flushes it first, and so does the commit, so the
 * delay is never visible.
 */
import type { DatabaseSync } from "node:sqlite";
import { type BatchRecord, recount } from "#shared/batch.ts";
import type { Job, JobStatus } from "#shared/job.ts";
import { UNREAD, UNREAD_PAYLOAD } from "#server/engine/job-change.ts";
import type { Batches } from "./batches.ts";
import type { Owners } from "./owners.ts";
import type { Usage } from "./usage.ts";
import type { TenantUsage } from "#server/engine/quota.ts";
import { toJson } from "#server/engine/payload.ts";
import { CHANGED_COLUMNS, type JobRow, summaryOfRow, valuesOfJob } from "./job-rows.ts";
import { assign, textOfDetails } from "./rows.ts";

/** A job, and the row that it was read from. */
export interface Ahead {
  /** As it was read, but for its place in the queue (`due`, `held`, `token`, `rank`, `expires`), which is as it will be. */
  row: JobRow;
  /** `input` and `output` are not read: `UNREAD` stands for them until a change sets them. */
  job: Job;
  /** The rev of the newest change of the job. */
  rev: number;
  /** Only its progress, message and details changed. */
  reportedOnly: boolean;
}

export function asStored(row: JobRow): Ahead {
  const job = Object.assign(summaryOfRow(row), UNREAD_PAYLOAD);
  return { row, job, rev: row.rev, reportedOnly: true };
}

export interface WriteBehind {
  /** `undefined`: the job is as it is stored. */
  get(jobId: string): Ahead | undefined;
  /** Returns whether it is the first change of the job in this transaction. */
  put(ahead: Ahead): boolean;
  /** The tenant's next rev, which becomes that of the owner too. */
  nextRev(row: Pick<JobRow, "owner_n" | "tenant_n">): number;
  /** One job of the batch went from one status to another. */
  count(batchN: number, from: JobStatus, to: JobStatus, at: Date): void;
  /** The tenant has that much more. */
  use(tenant: string, more: TenantUsage): void;
  /** Writes all pending rows. */
  flush(): void;
  /** Forgets them: the transaction is rolled back. */
  discard(): void;
}

export function createWriteBehind(
  db: DatabaseSync,
  owners: Pick<Owners, "revOfTenant" | "setRevOfTenant" | "setRev">,
  batches: Pick<Batches, "read" | "update">,
  usage: Pick<Usage, "add">,
): WriteBehind {
  // The most frequent update. It names no column that an index holds but `rev`, so that it touches no other index.
  const report = db.prepare(
    "UPDATE jobs SET progress = ?, message = ?, version = ?, rev = ? WHERE n = ?",
  );
  const reportDetails = db.prepare(
    "UPDATE jobs SET progress = ?, message = ?, version = ?, rev = ?, details = ? WHERE n = ?",
  );
  const update = db.prepare(
    `UPDATE jobs SET ${assign([...CHANGED_COLUMNS, "rev", "due", "held", "token", "rank", "expires"])} WHERE n = ?`,
  );
  const inputBytes = db.prepare(
    "SELECT octet_length(input) AS bytes FROM payloads WHERE job_n = ?",
  );
  const updateInput = db.prepare("UPDATE payloads SET input = ? WHERE job_n = ?");
  const updateTitle = db.prepare("UPDATE jobs SET title = ? WHERE n = ?");
  const outputBytes = db.prepare(
    "SELECT octet_length(output) AS bytes FROM payloads WHERE job_n = ?",
  );
  const updateOutput = db.prepare("UPDATE payloads SET output = ? WHERE job_n = ?");
  const jobs = new Map<string, Ahead>();
  /** The newest revs, by the numbers of owners and of tenants. */
  const ownerRevs = new Map<number, number>();
  const tenantRevs = new Map<number, number>();
  const counted = new Map<number, BatchRecord>();
  const used = new Map<string, TenantUsage>();

  function write({ row, job, rev, reportedOnly }: Ahead): void {
    const { progress, message, version } = job;
    if (reportedOnly) {
      const details = textOfDetails(job.details);
      if (details === row.details) report.run(progress, message, version, rev, row.n);
      else reportDetails.run(progress, message, version, rev, details, row.n);
      return;
    }
    const values = valuesOfJob(job, CHANGED_COLUMNS);
    update.run(...values, rev, row.due, row.held, row.token, row.rank, row.expires, row.n);
    if (job.input !== UNREAD) replaceInput(row, job);
    if (job.output === UNREAD) return;
    const output = toJson(job.output, job.id, "output");
    const { bytes } = outputBytes.get(row.n) as { bytes: number };
    use(row.tenant, { waitingJobs: 0, bytes: Buffer.byteLength(output) - bytes });
    updateOutput.run(output, row.n);
  }

  function replaceInput(row: JobRow, job: Job): void {
    const input = toJson(job.input, job.id, "input");
    const { bytes } = inputBytes.get(row.n) as { bytes: number };
    use(row.tenant, { waitingJobs: 0, bytes: Buffer.byteLength(input) - bytes });
    updateInput.run(input, row.n);
    updateTitle.run(job.title, row.n);
  }

  function use(tenant: string, { waitingJobs, bytes }: TenantUsage): void {
    const before = used.get(tenant);
    used.set(tenant, {
      waitingJobs: waitingJobs + (before?.waitingJobs ?? 0),
      bytes: bytes + (before?.bytes ?? 0),
    });
  }

  function discard(): void {
    jobs.clear();
    ownerRevs.clear();
    tenantRevs.clear();
    counted.clear();
    used.clear();
  }

  return {
    get: (jobId) => jobs.get(jobId),
    put(ahead) {
      const before = jobs.size;
      jobs.set(ahead.job.id, ahead);
      return jobs.size > before;
    },
    nextRev(row) {
      const rev = (tenantRevs.get(row.tenant_n) ?? owners.revOfTenant(row.tenant_n)) + 1;
      tenantRevs.set(row.tenant_n, rev);
      ownerRevs.set(row.owner_n, rev);
      return rev;
    },
    count(batchN, from, to, at) {
      const batch = counted.get(batchN) ?? batches.read(batchN);
      counted.set(batchN, recount(batch, from, to, at));
    },
    use,
    flush() {
      if (jobs.size === 0) return;
      for (const ahead of jobs.values()) write(ahead);
      for (const [n, rev] of ownerRevs) owners.setRev(n, rev);
      for (const [n, rev] of tenantRevs) owners.setRevOfTenant(n, rev);
      for (const [n, batch] of counted) batches.update(n, batch);
      for (const [tenant, more] of used) usage.add(tenant, more);
      discard();
    },
    discard,
  };
}
