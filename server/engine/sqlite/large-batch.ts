/**
 * Large batches are stored in steps, so that other work of the process comes between:
 *
 *   hidden ── a step for some jobs each ──► shown ── a step for some jobs each ──► NULL
 *     └─ a step failed, or the process died ──► deleted
 *
 * The states are those of the column `staged`. To show the batch is one small commit: until then no read finds it or its jobs
 * (`hidden.ts`), and after a crash a start deletes them. A shown job is claimed once it has its place in the queue; after a crash
 * a start gives it one.
 */
import type { DatabaseSync } from "node:sqlite";
import { setImmediate as nextTurn, setTimeout as delay } from "node:timers/promises";
import type { NewBatch } from "#server/engine/contract.ts";
import { assertQuota, type TenantQuota } from "#server/engine/quota.ts";
import { refuseIllFormed, refuseStrangers } from "#server/engine/reject-invalid.ts";
import type { BatchRecord } from "#shared/batch.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import type { Audit } from "./audit.ts";
import type { Batches } from "./batches.ts";
import type { GroupCommit } from "./group-commit.ts";
import type { Hidden, HiddenBatch } from "./hidden.ts";
import { encodeNew, type Fresh, type NewRows, type Placed, usageOfNew } from "./new-rows.ts";
import type { Outbox } from "./outbox.ts";
import type { Owners, TakenRevs } from "./owners.ts";
import { READY } from "./queue.ts";
import { HIDDEN, prepareDiscard, SHOWN } from "./staged-batches.ts";
import type { Turns } from "./turns.ts";
import type { Usage } from "./usage.ts";

/** Jobs that are stored in one step. A batch of so many is not large. */
export const STEP = 500;
/** Pause after a step that failed and must be repeated. */
const AGAIN_MS = 1000;

export interface LargeBatches {
  /** As `createBatch` of the contract. */
  create(
    batch: NewBatch,
    jobs: readonly NewJob[],
    at: Date,
    quota?: TenantQuota,
  ): Promise<BatchRecord>;
  /**
   * Resolves when no batch is being stored any more, or none with the idempotency key of this one. `undefined`: that is so
   * already.
   */
  settled(batch?: NewBatch): Promise<unknown> | undefined;
}

interface LargeBatchesOptions {
  db: DatabaseSync;
  /** Runs an op in the next transaction, also while the engine is closing. */
  write: GroupCommit["write"];
  group: Pick<GroupCommit, "afterCommit">;
  rows: NewRows;
  hidden: Hidden;
  owners: Owners;
  batches: Batches;
  audit: Pick<Audit, "append">;
  outbox: Outbox;
  usage: Usage;
  turns: Pick<Turns, "add">;
  /** False once the engine was closed. */
  isOpen: () => boolean;
}

/** A hidden batch in work. */
interface Begun extends HiddenBatch {
  readonly batch: NewBatch;
  readonly record: BatchRecord;
  readonly taken: TakenRevs;
  readonly bytes: number;
}

export function createLargeBatches({
  db,
  write,
  group,
  rows,
  hidden,
  owners,
  batches,
  audit,
  outbox,
  usage,
  turns,
  isOpen,
}: LargeBatchesOptions): LargeBatches {
  const stage = db.prepare("UPDATE batches SET staged = ?, staged_bytes = ? WHERE n = ?");
  const newestN = db.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'");
  const firstSequence = db.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('jobs', ?)");
  const takePositions = db.prepare("UPDATE sqlite_sequence SET seq = ? WHERE name = 'jobs'");
  const queueJob = db.prepare(
    "UPDATE jobs SET due = ?, expires = ? WHERE n = ? AND due IS NULL AND status = 'PENDING' RETURNING n",
  );
  const dropJobs = db.prepare("DELETE FROM jobs WHERE n BETWEEN ? AND ?");
  const discard = prepareDiscard(db, { owners, usage });
  /** The batches whose callers wait for an answer, and when they get it. */
  const underWay = new Map<NewBatch, Promise<unknown>>();
  /** Steps that are repeated after the answer, while the disk is full for example. */
  const unfinished = new Set<Promise<unknown>>();

  /** Takes positions for jobs, and returns the first. */
  function positions(count: number): number {
    const row = newestN.get() as { seq: number } | undefined;
    if (row === undefined) firstSequence.run(count);
    else takePositions.run(row.seq + count);
    return (row?.seq ?? 0) + 1;
  }

  function begin(
    batch: NewBatch,
    fresh: readonly Fresh[],
    { at, quota }: { at: Date; quota: TenantQuota | undefined },
  ): Begun | BatchRecord {
    const first = batches.findFirst(batch);
    if (first !== undefined) return first;
    const more = usageOfNew(fresh);
    if (quota !== undefined) assertQuota(quota, usage.of(batch.tenant), more);
    usage.add(batch.tenant, more);
    const taken = owners.advance(batch, fresh.length);
    const { n, batch: record } = batches.insert(batch, taken, fresh.length, at);
    stage.run(HIDDEN, more.bytes, n);
    const firstN = positions(fresh.length);
    const begun: Begun = {
      batch,
      record,
      taken,
      bytes: more.bytes,
      batchN: Number(n),
      firstN,
      lastN: firstN + fresh.length - 1,
      tenant: batch.tenant,
      revBefore: taken.rev - fresh.length,
    };
    group.afterCommit(() => hidden.add(begun));
    return begun;
  }

  function insert(
    { batchN, firstN, taken, revBefore }: Begun,
    from: number,
    fresh: readonly Fresh[],
  ) {
    return fresh.map((each, index) => {
      const rev = revBefore + from + index + 1;
      return rows.insert(each, { ...taken, rev }, batchN, firstN + from + index);
    });
  }

  function show(begun: Begun): void {
    const { batch, batchN } = begun;
    stage.run(SHOWN, null, batchN);
    if (batch.audit !== undefined) audit.append(batch.tenant, batch.audit);
    // Before the hints, after which the batch is read.
    group.afterCommit(() => hidden.remove(begun));
    outbox.feed(batch);
    outbox.batch(batch.id);
  }

  function queue(placed: readonly Placed[]): void {
    for (const { waiter, due, expires } of placed) {
      // A job that was cancelled meanwhile waits no more.
      if (queueJob.get(due, expires, waiter.n) === undefined) continue;
      if (due === READY) turns.add(waiter);
      if (due !== null) outbox.queued(due);
      if (expires !== null) outbox.expiring();
    }
  }

  async function store(
    batch: NewBatch,
    jobs: readonly NewJob[],
    made: { at: Date; quota: TenantQuota | undefined },
  ): Promise<BatchRecord> {
    const fresh: Fresh[] = [];
    for (const each of steps(jobs)) {
      fresh.push(...each.map((job) => encodeNew(job, made.at)));
      await nextTurn();
    }
    const begun = await write(() => begin(batch, fresh, made));
    if (!("taken" in begun)) return begun;
    const placed: Placed[] = [];
    try {
      for (const [index, each] of steps(fresh).entries()) {
        placed.push(...(await write(() => insert(begun, index * STEP, each), STEP)));
      }
      await write(() => show(begun));
    } catch (error) {
      await finish([() => undo(begun)]);
      throw error;
    }
    await finish([
      ...steps(placed).map((each) => () => write(() => queue(each), STEP)),
      () => write(() => stage.run(null, null, begun.batchN)),
    ]);
    return begun.record;
  }

  /** Resolves once all of these steps are stored, or when one has failed: then they are repeated beside the caller. */
  async function finish(all: readonly (() => Promise<unknown>)[]): Promise<void> {
    const { promise: failed, resolve: fail } = Promise.withResolvers<void>();
    // A start does what this process does not.
    const stored = untilStored(all, fail).catch(() => undefined);
    unfinished.add(stored);
    void stored.then(() => unfinished.delete(stored));
    await Promise.race([stored, failed]);
  }

  async function undo(begun: Begun): Promise<void> {
    const { firstN, lastN, batchN: n, taken, tenant, bytes } = begun;
    for (let from = firstN; from <= lastN; from += STEP) {
      await write(() => dropJobs.run(from, from + STEP - 1), STEP);
    }
    await write(() => {
      discard({ n, owner_n: taken.ownerN, tenant, staged_bytes: bytes });
      group.afterCommit(() => hidden.remove(begun));
      // Its feed stood still meanwhile.
      outbox.feed(begun.batch);
    });
  }

  /** Repeats each step until it is stored. Rejects once the engine was closed. */
  async function untilStored(
    all: readonly (() => Promise<unknown>)[],
    onFailure: () => void,
  ): Promise<void> {
    for (const step of all) {
      for (let isStored = false; !isStored;) {
        try {
          await step();
          isStored = true;
        } catch (error) {
          onFailure();
          if (!isOpen()) throw error;
          await delay(AGAIN_MS, undefined, { ref: false });
        }
      }
    }
  }

  function settled(batch?: NewBatch): Promise<unknown> | undefined {
    const awaited =
      batch === undefined
        ? [...underWay.values(), ...unfinished]
        : [...underWay].flatMap(([each, stored]) => (hasSameKey(each, batch) ? [stored] : []));
    return awaited.length === 0 ? undefined : Promise.allSettled(awaited);
  }

  return {
    async create(batch, jobs, at, quota) {
      refuseIllFormed(batch);
      refuseStrangers(batch, jobs);
      const before = settled(batch);
      const stored = Promise.resolve(before).then(() => store(batch, jobs, { at, quota }));
      underWay.set(batch, stored);
      try {
        return await stored;
      } finally {
        underWay.delete(batch);
      }
    },
    settled,
  };
}

function steps<T>(all: readonly T[]): T[][] {
  return Array.from({ length: Math.ceil(all.length / STEP) }, (_, index) =>
    all.slice(index * STEP, (index + 1) * STEP),
  );
}

function hasSameKey(one: NewBatch, other: NewBatch): boolean {
  return (
    one.idempotencyKey !== undefined &&
    one.idempotencyKey === other.idempotencyKey &&
    one.tenant === other.tenant &&
    one.owner === other.owner
  );
}
