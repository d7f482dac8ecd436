/** Calls that are debounced: a job that waits for its first start takes what a further call brings. */
import type { DatabaseSync } from "node:sqlite";
import type { Audited } from "#server/engine/contract.ts";
import { assertQuota, type TenantQuota } from "#server/engine/quota.ts";
import { toJson } from "#server/engine/payload.ts";
import type { Job } from "#shared/job.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import type { Audit } from "./audit.ts";
import type { Change } from "./change.ts";
import type { Expiry } from "./expiry.ts";
import { type JobRow, selectJobs } from "./job-rows.ts";
import type { Owners } from "./owners.ts";
import { READY } from "./queue.ts";
import type { Turns } from "./turns.ts";
import type { Usage } from "./usage.ts";
import { asStored } from "./write-behind.ts";

/** Returns the job that took the call; `undefined` where none waits. Throws `QuotaExceeded`. */
export type TakeDebounced = (
  fresh: NewJob & Audited,
  at: Date,
  quota: TenantQuota | undefined,
) => Job | undefined;

interface DebounceOptions {
  db: DatabaseSync;
  owners: Pick<Owners, "find">;
  change: Pick<Change, "from">;
  expiry: Pick<Expiry, "endIfOver">;
  audit: Pick<Audit, "append">;
  usage: Pick<Usage, "of">;
  turns: Pick<Turns, "add" | "remove">;
}

export function createDebounce({
  db,
  owners,
  change,
  expiry,
  audit,
  usage,
  turns,
}: DebounceOptions): TakeDebounced {
  // A claim that has taken a job has its input.
  const waiting = selectJobs(
    db,
    `WHERE jobs.owner_n = ? AND jobs.kind = ? AND jobs.debounce_key = ? AND jobs.starts_at IS NOT NULL
       AND jobs.held = 0 ORDER BY jobs.n DESC LIMIT 1`,
  );
  const inputBytes = db.prepare(
    "SELECT octet_length(input) AS bytes FROM payloads WHERE job_n = ?",
  );

  const setKey = db.prepare("UPDATE jobs SET key = ? WHERE n = ?");

  /** The limits of its kind count the job by the key of the new input. */
  function moveTo(key: string | null, row: JobRow): void {
    if (row.key === key) return;
    const isReady = row.due === READY;
    const before = { ...row };
    row.key = key;
    // Its new place comes first, as in `change.ts`.
    if (isReady) turns.add(row);
    if (isReady) turns.remove(before);
    setKey.run(key, row.n);
  }

  return (fresh, at, quota) => {
    const { tenant, kind, title, input, key, debounce, actor } = fresh;
    const owner = debounce && owners.find(fresh);
    if (debounce === undefined || owner === undefined) return undefined;
    const row = waiting.first(owner.n, kind, debounce.key);
    if (row === undefined || expiry.endIfOver(row)) return undefined;
    const { bytes } = inputBytes.get(row.n) as { bytes: number };
    const more = Buffer.byteLength(toJson(input, row.id, "input")) - bytes;
    if (quota !== undefined && more > 0) {
      assertQuota({ ...quota, waitingJobs: 0 }, usage.of(tenant), { waitingJobs: 0, bytes: more });
    }
    moveTo(key ?? null, row);
    const { job } = change.from(
      asStored(row),
      { action: "debounce", input, title, key, debounce, actor },
      at,
    );
    if (fresh.audit !== undefined) audit.append(tenant, { ...fresh.audit, target: row.id });
    return { ...job, input, output: null };
  };
}
