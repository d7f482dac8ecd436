/**
 * The queue is the jobs themselves, by three of their columns, each with an index of the jobs that it concerns:
 *
 *   ready    due = READY           in the lines of tenants, kinds and keys, which take turns (`turns.ts`), by their `rank`
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
import { MAX_DELAY_MS, MAX_START_DELAY_MS } from "#shared/limits.ts";
import { MAX_WORK_LEASE_MS } from "#shared/work.ts";
import { startOf } from "#server/engine/start.ts";
import type { Change } from "./change.ts";
import type { Expiry } from "./expiry.ts";
import type { Jobs } from "./jobs.ts";
import type { Outbox } from "./outbox.ts";
import { type Pauses, NOT_PAUSED } from "./pauses.ts";
import { type JobRow, selectJobs, summaryOfRow } from "./job-rows.ts";
import { LIMIT } from "./limit.ts";
import type { Waiter } from "./queue-lines.ts";
import type { LineRef, Turns } from "./turns.ts";
import { asStored } from "./write-behind.ts";

/** `due` of a job that the next claim may take in its turn. It is no time. */
export const READY = 0;
/** `due` of a job whose lease ended with its process. */
const ENDED = 1;

export interface Queue {
  /** True if a claim would find a job. Not within a transaction. */
  isDue(request: Pick<ClaimRequest, "limits" | "wanted">): boolean;
  claim(request: ClaimRequest): Claim[];
  renew(claims: readonly ClaimRef[], leaseMs: number): ClaimRef[];
}

/**
 * Delays that an earlier process left and that seem longer than any can be, so that they are over: the machine's clock was set
 * back. The parameter is the time now.
 */
export const LEFT_READY = `held = 0 AND due > 0
  AND due > ? + CASE attempt WHEN 0 THEN ${MAX_START_DELAY_MS} ELSE ${MAX_DELAY_MS} END`;

/**
 * Runs at the start of a process. `now`: by the process's own clock.
 * Only leases of jobs that run `elsewhere` hold, because this process has the file, and none for longer than it can be. No rank is later than now, so that no job waits for those that will be
 * queued after it: the machine's clock was set back.
 */
export function makeReady(
  db: DatabaseSync,
  turns: Pick<Turns, "addAll" | "hold" | "committed">,
  now: number,
  elsewhere: ReadonlySet<string> = new Set(),
): void {
  const rank = `? - priority * ${PRIORITY_LEVEL_MS}`;
  const cap = db.prepare(
    `UPDATE jobs SET rank = ${rank} WHERE due = 0 AND tenant_n = ? AND rank > ?`,
  );
  const nextTenant = db.prepare(
    `SELECT tenants.n, tenant FROM jobs JOIN tenants ON tenants.n = tenant_n
     WHERE due = 0 AND tenant_n > ? ORDER BY tenant_n LIMIT 1`,
  );
  const linesOf = db.prepare(
    "SELECT kind, key, count(*) AS jobs FROM jobs WHERE due = 0 AND tenant_n = ? GROUP BY kind, key",
  );
  const held = db.prepare(
    `SELECT tenant_n, tenant, kind, key FROM jobs JOIN tenants ON tenants.n = tenant_n
     WHERE held = 1 AND due > 0`,
  );
  db.exec("BEGIN");
  const isElsewhere = `kind IN (${Array.from(elsewhere, () => "?").join(", ")})`;
  db.prepare(
    `UPDATE jobs SET due = ${ENDED}, token = token + 1 WHERE held = 1 AND due > 0 AND NOT ${isElsewhere}`,
  ).run(...elsewhere);
  const latest = now + MAX_WORK_LEASE_MS;
  db.prepare("UPDATE jobs SET due = ? WHERE held = 1 AND due > ?").run(latest, latest);
  db.prepare(`UPDATE jobs SET due = 0, rank = ${rank} WHERE ${LEFT_READY}`).run(now, now);
  for (let after = 0; ;) {
    const next = nextTenant.get(after) as { n: number; tenant: string } | undefined;
    if (next === undefined) break;
    const { n, tenant } = next;
    after = n;
    cap.run(now, n, now);
    for (const line of linesOf.all(n) as unknown as (LineRow & { jobs: number })[]) {
      turns.addAll({ tenant_n: n, tenant, ...line }, line.jobs);
    }
  }
  for (const job of held.all() as unknown as Parameters<Turns["hold"]>[0][]) turns.hold(job);
  db.exec("COMMIT");
  turns.committed();
}

type LineRow = Pick<Waiter, "kind" | "key">;

/** The first time later than `after` at which a delay or a lease ends, or a rate lets a job start. */
export function createNextDue(
  db: DatabaseSync,
  turns: Pick<Turns, "nextStart">,
): (after: number) => number | undefined {
  const ends = ["held = 0 AND due > 0", "held = 1"].map((which) =>
    db.prepare(`SELECT due FROM jobs WHERE ${which} AND due > ? ORDER BY due LIMIT 1`),
  );
  return (after) => {
    const found = ends.map((each) => (each.get(after) as { due: number } | undefined)?.due);
    const times = [...found, turns.nextStart(after)].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  };
}

interface QueueOptions {
  db: DatabaseSync;
  jobs: Jobs;
  turns: Turns;
  outbox: Outbox;
  change: Pick<Change, "from">;
  expiry: Pick<Expiry, "end" | "endIfOver">;
  pauses: Pick<Pauses, "isAll">;
  clock: () => number;
}

export function createQueue(options: QueueOptions): Queue {
  const { db, jobs, turns, outbox, change, expiry, pauses, clock } = options;
  const delayOver = "held = 0 AND due > 0 AND due <= ?";
  // Those that a pause concerns are as few as the slots of the processes that ended.
  const leaseOver = `held = 1 AND due <= ? AND ${NOT_PAUSED}`;
  const delaysOver = db.prepare(
    `SELECT jobs.n, tenant_n, tenant, kind, key, rank FROM jobs JOIN owners ON owners.n = owner_n
     WHERE ${delayOver} ORDER BY due ${LIMIT}`,
  );
  const beReady = db.prepare("UPDATE jobs SET due = 0 WHERE n = ?");
  const ended = selectJobs(db, `WHERE ${leaseOver} ORDER BY due ${LIMIT}`);
  const ready = selectJobs(
    db,
    `WHERE due = 0 AND jobs.tenant_n = ? AND jobs.kind = ? AND jobs.key IS ? ORDER BY jobs.rank, jobs.n ${LIMIT}`,
  );
  const take = db.prepare("UPDATE jobs SET due = ?, held = 1, token = token + 1 WHERE n = ?");
  const prolong = db.prepare(
    "UPDATE jobs SET due = ? WHERE id = ? AND held = 1 AND token = ? RETURNING n",
  );
  const anyOver = [delayOver, leaseOver].map((over) =>
    db.prepare(`SELECT 1 FROM jobs WHERE ${over} LIMIT 1`),
  );

  function endDelays(now: number, most: number): void {
    const over = delaysOver.all(now, most) as unknown as Waiter[];
    for (const job of over) {
      beReady.run(job.n);
      turns.add(job);
    }
  }

  /** The next jobs, in turn. */
  function nextReady(max: number, request: ClaimRequest, now: number): JobRow[] {
    const lines = turns.take(max, request, now);
    const counts = new Map<LineRef, number>();
    for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
    const rows = new Map(
      [...counts].map(([line, count]) => {
        const { tenantN, kind, key } = line;
        return [line, ready.all(tenantN, kind, key, count).values()];
      }),
    );
    return lines.flatMap((line) => rows.get(line)?.next().value ?? []);
  }

  return {
    isDue(request) {
      if (pauses.isAll()) return false;
      const now = clock();
      return turns.isDue(request, now) || anyOver.some((each) => each.get(now) !== undefined);
    },
    claim(request) {
      const { max, leaseMs, now: at, start } = request;
      if (pauses.isAll()) return [];
      const now = clock();
      expiry.end();
      endDelays(now, Math.max(max, MAX_DELAYS_A_CLAIM));
      const rows = ended.all(now, max);
      if (rows.length < max) rows.push(...nextReady(max - rows.length, request, now));
      // The times at which rates let jobs start have changed, and leases begin.
      outbox.leased();
      if (rows.length === 0) return [];
      const end = now + leaseMs;
      return rows.flatMap((row) => {
        if (row.expires !== null && row.expires <= now) {
          // More than one transaction ends. Others may be ready.
          Object.assign(row, { due: end, held: 1 });
          expiry.endIfOver(row);
          outbox.queued(READY);
          return [];
        }
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
