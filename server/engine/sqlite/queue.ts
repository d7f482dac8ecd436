/**
 * The queue is the jobs themselves, by three of their columns, each with an index of the jobs that it concerns:
 *
 *   ready    due = READY           tenants take turns (`turns.ts`); a tenant's next job is the one with the smallest `rank`
 *   delayed  held = 0, due > READY `due` is the end of the delay; a claim after it makes the job ready
 *   leased   held = 1              `due` is the end of the lease; a claim after it gives the job first
 *
 * Times are those of a steady clock (`steady-clock.ts`). No stored time but these decides about a job, so setting the
 * machine's clock changes nothing while the process runs.
 */
import type { DatabaseSync } from "node:sqlite";
import type { Claim, ClaimRef, ClaimRequest } from "#server/engine/contract.ts";
import { readable } from "#server/engine/payload.ts";
import { MAX_DELAYS_A_CLAIM, PRIORITY_LEVEL_MS } from "#server/engine/turns.ts";
import { MAX_DELAY_MS } from "#shared/limits.ts";
import { startOf } from "#server/engine/start.ts";
import type { Change } from "./change.ts";
import type { Jobs } from "./jobs.ts";
import type { Outbox } from "./outbox.ts";
import { TENANT_RUNS, type Pauses } from "./pauses.ts";
import { type JobRow, selectJobs, summaryOfRow } from "./job-rows.ts";
import { LIMIT } from "./limit.ts";
import type { TenantRef, Turns } from "./turns.ts";
import { asStored } from "./write-behind.ts";

/** `due` of a job that the next claim may take in its turn. It is no time. */
export const READY = 0;
/** `due` of a job whose lease ended with its process. */
const ENDED = 1;

export interface Queue {
  /** True if a claim would find a job. */
  isDue(): boolean;
  claim(request: ClaimRequest): Claim[];
  renew(claims: readonly ClaimRef[], leaseMs: number): ClaimRef[];
}

/**
 * Delays that an earlier process left and that are over; the parameter is the time now. A job that was never started waits
 * for nothing; older versions stored the time at which it was queued. A delay that seems longer than any can be is over: the
 * machine's clock was set back.
 */
export const LEFT_READY = `held = 0 AND due > 0 AND (attempt = 0 OR due > ? + ${MAX_DELAY_MS})`;

/**
 * Runs at the start of a process. `now`: by the process's own clock.
 * No lease holds, because this process has the file. No rank is later than now, so that no job waits for those that will be
 * queued after it: the machine's clock was set back.
 */
export function makeReady(db: DatabaseSync, turns: Pick<Turns, "add">, now: number): void {
  const rank = `? - priority * ${PRIORITY_LEVEL_MS}`;
  const cap = db.prepare(
    `UPDATE jobs SET rank = ${rank} WHERE due = 0 AND tenant_n = ? AND rank > ?`,
  );
  const nextTenant = db.prepare(
    `SELECT tenants.n, tenant FROM jobs JOIN tenants ON tenants.n = tenant_n
     WHERE due = 0 AND tenant_n > ? ORDER BY tenant_n LIMIT 1`,
  );
  const count = db.prepare("SELECT count(*) AS jobs FROM jobs WHERE due = 0 AND tenant_n = ?");
  db.exec("BEGIN");
  db.prepare(`UPDATE jobs SET due = ${ENDED}, token = token + 1 WHERE held = 1 AND due > 0`).run();
  db.prepare(`UPDATE jobs SET due = 0, rank = ${rank} WHERE ${LEFT_READY}`).run(now, now);
  for (let after = 0; ;) {
    const tenant = nextTenant.get(after) as TenantRef | undefined;
    if (tenant === undefined) break;
    after = tenant.n;
    cap.run(now, tenant.n, now);
    turns.add(tenant, (count.get(tenant.n) as { jobs: number }).jobs);
  }
  db.exec("COMMIT");
}

/** The first end of a delay or of a lease that is later than `after`. */
export function createNextDue(db: DatabaseSync): (after: number) => number | undefined {
  const ends = ["held = 0 AND due > 0", "held = 1"].map((which) =>
    db.prepare(`SELECT due FROM jobs WHERE ${which} AND due > ? ORDER BY due LIMIT 1`),
  );
  return (after) => {
    const found = ends.flatMap((each) => (each.get(after) as { due: number } | undefined) ?? []);
    return found.length === 0 ? undefined : Math.min(...found.map(({ due }) => due));
  };
}

interface QueueOptions {
  db: DatabaseSync;
  jobs: Jobs;
  turns: Turns;
  outbox: Outbox;
  change: Pick<Change, "from">;
  pauses: Pick<Pauses, "isAll">;
  clock: () => number;
}

export function createQueue(options: QueueOptions): Queue {
  const { db, jobs, turns, outbox, change, pauses, clock } = options;
  const delayOver = "held = 0 AND due > 0 AND due <= ?";
  // Those of paused tenants are as few as the slots of the processes that ended.
  const leaseOver = `held = 1 AND due <= ? AND ${TENANT_RUNS}`;
  const delaysOver = db.prepare(
    `SELECT jobs.n AS job_n, tenant_n AS n, tenant FROM jobs JOIN owners ON owners.n = owner_n
     WHERE ${delayOver} ORDER BY due ${LIMIT}`,
  );
  const beReady = db.prepare("UPDATE jobs SET due = 0 WHERE n = ?");
  const ended = selectJobs(db, `WHERE ${leaseOver} ORDER BY due ${LIMIT}`);
  const ready = selectJobs(
    db,
    `WHERE due = 0 AND jobs.tenant_n = ? ORDER BY jobs.rank, jobs.n ${LIMIT}`,
  );
  const take = db.prepare("UPDATE jobs SET due = ?, held = 1, token = token + 1 WHERE n = ?");
  const prolong = db.prepare(
    "UPDATE jobs SET due = ? WHERE id = ? AND held = 1 AND token = ? RETURNING n",
  );
  const anyOver = [delayOver, leaseOver].map((over) =>
    db.prepare(`SELECT 1 FROM jobs WHERE ${over} LIMIT 1`),
  );

  function endDelays(now: number, most: number): void {
    const over = delaysOver.all(now, most) as unknown as (TenantRef & { job_n: number })[];
    for (const { job_n: jobN, n, tenant } of over) {
      beReady.run(jobN);
      turns.add({ n, tenant }, 1);
    }
  }

  /** The next jobs, in turn. */
  function nextReady(max: number): JobRow[] {
    const tenants = turns.take(max);
    const counts = new Map<number, number>();
    for (const tenantN of tenants) counts.set(tenantN, (counts.get(tenantN) ?? 0) + 1);
    const rows = new Map(
      [...counts].map(([tenantN, count]) => [tenantN, ready.all(tenantN, count).values()]),
    );
    return tenants.flatMap((tenantN) => rows.get(tenantN)?.next().value ?? []);
  }

  return {
    isDue: () =>
      !pauses.isAll() &&
      (!turns.isEmpty() || anyOver.some((each) => each.get(clock()) !== undefined)),
    claim({ max, leaseMs, now: at, start }) {
      if (pauses.isAll()) return [];
      const now = clock();
      endDelays(now, Math.max(max, MAX_DELAYS_A_CLAIM));
      const rows = ended.all(now, max);
      if (rows.length < max) rows.push(...nextReady(max - rows.length));
      if (rows.length === 0) return [];
      outbox.leased();
      const end = now + leaseMs;
      return rows.map((row) => {
        const claim = { jobId: row.id, token: row.token + 1, trace: row.trace ?? undefined };
        const { payload, fault } = readable(() => jobs.payload(row));
        if (start === undefined || row.status !== "PENDING") {
          take.run(end, row.n);
          return { ...claim, job: Object.assign(summaryOfRow(row), payload), started: null, fault };
        }
        Object.assign(row, { due: end, held: 1, token: claim.token });
        const before = asStored(row);
        const begun = startOf(start, before.job);
        const { job, event } = change.from(before, begun.change, at);
        return {
          ...claim,
          job: Object.assign(job, payload),
          started: event,
          fault: fault ?? begun.fault,
        };
      });
    },
    renew(claims, leaseMs) {
      const end = clock() + leaseMs;
      const lost = claims.filter(({ jobId, token }) => !prolong.get(end, jobId, token));
      if (lost.length < claims.length) outbox.leased();
      return lost;
    },
  };
}
