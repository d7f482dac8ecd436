import { describe, expect, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { JobSummary } from "#shared/job.ts";
import type { Owner, OwnerFilter } from "#shared/principal.ts";
import {
  ANN,
  at,
  BOB,
  claimOne,
  codeOf,
  DELIVER,
  draftOf,
  logOf,
  newBatch,
  newJob,
  START,
  STEP,
} from "./builders.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";

const EVE: Owner = { tenant: "other", owner: "eve" };

const ids = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id);

async function listed(engine: Engine, of: OwnerFilter): Promise<JobSummary[]> {
  return (await engine.listJobs({ ...of, limit: 99 })).items;
}

const fed = async (engine: Engine, of: OwnerFilter, after = 0) =>
  (await engine.readFeed(of, after, 99)).changes.map(({ job }) => job);

/** Moves all, `limit` at a time; returns how many. */
async function assignAll(engine: Engine, from: Owner, to: Owner, limit = 3): Promise<number> {
  let sum = 0;
  for (;;) {
    const { moved } = await engine.assign(from, to, limit);
    if (moved === 0) return sum;
    sum += moved;
  }
}

export function assignSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("assigning", () => {
    test("gives all jobs and batches of an owner to another, as they are", async ({ engine }) => {
      const mine = await engine.createJob(newJob(BOB), at(0));
      const { batch, jobs } = newBatch(5);
      await engine.createBatch(batch, jobs, at(0));
      const settled = await engine.createJob(newJob({ kind: "report" }), at(0));
      await engine.change(settled.id, START, at(1));
      await engine.change(settled.id, DELIVER, at(2));
      const before = await listed(engine, ANN);
      const logs = await Promise.all(before.map(({ id }) => logOf(engine, id)));
      const { feed } = await engine.listJobs({ ...BOB, limit: 1 });

      expect(await assignAll(engine, ANN, BOB)).toBe(7);
      expect(await listed(engine, ANN)).toEqual([]);
      expect(await fed(engine, ANN)).toEqual([]);
      expect((await engine.listBatches({ ...ANN, limit: 9 })).items).toEqual([]);
      const after = await listed(engine, BOB);
      expect(after).toEqual([
        ...before.map((job) => ({ ...job, owner: BOB.owner })),
        await engine.getSummary(mine.id),
      ]);
      expect(await Promise.all(before.map(({ id }) => logOf(engine, id)))).toEqual(logs);
      expect(await engine.getJob(settled.id)).toMatchObject({
        owner: BOB.owner,
        output: { ok: true },
      });
      expect((await engine.listBatches({ ...BOB, limit: 9 })).items).toMatchObject([
        { id: batch.id, owner: BOB.owner, counts: { PENDING: 5 } },
      ]);
      for (const status of ["PENDING", "DELIVERED"] as const) {
        const found = await engine.listJobs({ ...BOB, status, limit: 99 });
        expect(ids(found.items)).toEqual(ids(after.filter((job) => job.status === status)));
      }
      // Its feed shows them from where it was, and so does that of the tenant.
      expect(new Set(ids(await fed(engine, BOB, feed)))).toEqual(new Set(ids(before)));
      expect(ids(await fed(engine, { tenant: BOB.tenant }, feed))).toEqual(
        ids(await fed(engine, BOB, feed)),
      );
    });

    test("a job that runs goes on under its claim", async ({ engine }) => {
      const job = newJob();
      await engine.createJob(job, at(0));
      const claim = await claimOne(engine, at(1));
      await engine.change(job.id, START, at(1), claim);
      await engine.appendDraft(claim, "Once upon");
      await engine.assign(ANN, BOB, 9);
      await engine.change(job.id, STEP, at(2), claim);
      await engine.appendDraft(claim, " a time");
      await engine.change(job.id, DELIVER, at(3), claim);
      const delivered = await engine.getSummary(job.id);
      expect(delivered).toMatchObject({ ...BOB, status: "DELIVERED", version: 4 });
      expect(await listed(engine, BOB)).toEqual([delivered]);
      expect(await fed(engine, BOB)).toEqual([delivered]);
      expect(await listed(engine, ANN)).toEqual([]);
      expect(await engine.prune(at(9), 9)).toBe(1);
      expect(await engine.usage(BOB.tenant)).toEqual({ waitingJobs: 0, bytes: 0 });
    });

    test("changes at the same moment are not lost, whichever comes first", async ({ engine }) => {
      const { batch, jobs } = newBatch(20);
      await engine.createBatch(batch, jobs, at(0));
      const claims = await engine.claim({ worker: "w", max: 20, leaseMs: 60_000, now: at(1) });
      expect(claims).toHaveLength(20);
      await Promise.all([
        ...claims.map(async (claim) => {
          await engine.change(claim.jobId, START, at(1), claim);
          await engine.change(claim.jobId, DELIVER, at(2), claim);
        }),
        assignAll(engine, ANN, BOB, 7),
      ]);
      await assignAll(engine, ANN, BOB);
      expect(await listed(engine, ANN)).toEqual([]);
      const after = await listed(engine, BOB);
      expect(ids(after)).toEqual(ids(jobs).toReversed());
      for (const job of after)
        expect(job).toMatchObject({ ...BOB, status: "DELIVERED", version: 3 });
      expect(await engine.getBatch(batch.id)).toMatchObject({ ...BOB, counts: { DELIVERED: 20 } });
      expect(new Set(ids(await fed(engine, BOB)))).toEqual(new Set(ids(jobs)));
    });

    test("[J4] idempotency keys go along, but for those that the new owner has used", async ({
      engine,
    }) => {
      const [own, used] = [
        newJob({ ...BOB, idempotencyKey: "used" }),
        newJob({ idempotencyKey: "used" }),
      ];
      const free = newJob({ idempotencyKey: "free" });
      for (const job of [own, used, free]) await engine.createJob(job, at(0));
      const ownBatch = newBatch(1, { ...BOB, idempotencyKey: "used" });
      const usedBatch = newBatch(1, { idempotencyKey: "used" });
      const freeBatch = newBatch(1, { idempotencyKey: "free" });
      for (const { batch, jobs } of [ownBatch, usedBatch, freeBatch]) {
        await engine.createBatch(batch, jobs, at(0));
      }
      await assignAll(engine, ANN, BOB);
      const again = async (idempotencyKey: string) =>
        (await engine.createJob(newJob({ ...BOB, idempotencyKey }), at(1))).id;
      expect([await again("used"), await again("free")]).toEqual([own.id, free.id]);
      const batchAgain = async (idempotencyKey: string) => {
        const { batch, jobs } = newBatch(1, { ...BOB, idempotencyKey });
        return (await engine.createBatch(batch, jobs, at(1))).id;
      };
      expect([await batchAgain("used"), await batchAgain("free")]).toEqual([
        ownBatch.batch.id,
        freeBatch.batch.id,
      ]);
      // The owner before may use them anew.
      const fresh = newJob({ idempotencyKey: "free" });
      expect((await engine.createJob(fresh, at(1))).id).toBe(fresh.id);
    });

    test("[J4] settled jobs and their batches go to another tenant, with all that they count for there", async ({
      engine,
    }) => {
      const written = await engine.createJob(newJob({ idempotencyKey: "free" }), at(0));
      const claim = await claimOne(engine, at(1));
      await engine.change(written.id, START, at(1), claim);
      await engine.appendDraft(claim, "Once upon a time");
      await engine.appendLines(claim, [{ at: at(1), level: "info", message: "line" }]);
      await engine.change(written.id, DELIVER, at(2), claim);
      const own = await engine.createJob(newJob({ ...EVE, idempotencyKey: "used" }), at(0));
      const used = await engine.createJob(newJob({ idempotencyKey: "used" }), at(0));
      const { batch, jobs } = newBatch(3, { idempotencyKey: "free" });
      await engine.createBatch(batch, jobs, at(0));
      for (const { id } of [used, ...jobs]) await engine.change(id, { action: "cancel" }, at(1));
      const before = await listed(engine, ANN);
      const logs = await Promise.all(before.map(({ id }) => logOf(engine, id)));
      const usage = await Promise.all([ANN, EVE].map(({ tenant }) => engine.usage(tenant)));
      const { feed } = await engine.listJobs({ ...EVE, limit: 1 });

      expect(await assignAll(engine, ANN, EVE)).toBe(6);
      for (const of of [ANN, { tenant: ANN.tenant }]) {
        expect(await listed(engine, of)).toEqual([]);
        expect(await fed(engine, of)).toEqual([]);
        expect((await engine.listBatches({ ...of, limit: 9 })).items).toEqual([]);
      }
      for (const of of [EVE, { tenant: EVE.tenant }]) {
        const after = (await listed(engine, of)).filter(({ id }) => id !== own.id);
        expect(after).toEqual(before.map((job) => ({ ...job, ...EVE })));
        expect(new Set(ids(await fed(engine, of, feed)))).toEqual(new Set(ids(before)));
        expect((await engine.listBatches({ ...of, limit: 9 })).items).toMatchObject([
          { id: batch.id, ...EVE, counts: { ABORTED: 3 }, version: 4 },
        ]);
        const members = await engine.listJobs({ ...of, batchId: batch.id, limit: 2 });
        const { nextCursor } = members;
        const rest = await engine.listJobs({
          ...of,
          batchId: batch.id,
          cursor: nextCursor ?? "",
          limit: 2,
        });
        expect(ids([...members.items, ...rest.items])).toEqual(ids(jobs).toReversed());
      }
      expect(await Promise.all(before.map(({ id }) => logOf(engine, id)))).toEqual(logs);
      expect(await draftOf(engine, written.id)).toBe("Once upon a time");
      expect((await engine.readLines(written.id, 0, 9))?.lines).toMatchObject([{ seq: 1 }]);
      expect(await engine.getJob(written.id)).toMatchObject({ ...EVE, output: { ok: true } });
      expect(await engine.usage(ANN.tenant)).toEqual({ waitingJobs: 0, bytes: 0 });
      expect((await engine.usage(EVE.tenant)).bytes).toBe(usage[0]!.bytes + usage[1]!.bytes);

      const again = async (of: Owner, idempotencyKey: string) =>
        (await engine.createJob(newJob({ ...of, idempotencyKey }), at(3))).id;
      expect([await again(EVE, "used"), await again(EVE, "free")]).toEqual([own.id, written.id]);
      expect(ids(before)).not.toContain(await again(ANN, "free"));
      const repeated = newBatch(1, { ...EVE, idempotencyKey: "free" });
      expect(await engine.createBatch(repeated.batch, repeated.jobs, at(3))).toMatchObject({
        id: batch.id,
      });

      // They run and end as others do.
      await engine.change(used.id, { action: "retry" }, at(3));
      expect(await engine.usage(EVE.tenant)).toMatchObject({ waitingJobs: 2 });
      await engine.change(used.id, { action: "cancel" }, at(3));
      expect(await engine.prune(at(4), 99)).toBe(5);
      expect(ids(await listed(engine, EVE))).toEqual([own.id]);
      expect(await engine.getBatch(batch.id)).toBeUndefined();
      expect(await again(EVE, "used")).toBe(own.id);
    });

    test("watchers of both feeds are told", async ({ engine }) => {
      await engine.createJob(newJob(), at(0));
      const told = new Set<string>();
      for (const owner of [ANN, BOB]) {
        await engine.onAppend({ stream: "feed", of: owner }, () => told.add(owner.owner));
      }
      await engine.assign(ANN, BOB, 9);
      await vi.waitFor(() => expect(told).toEqual(new Set(["ann", "bob"])));
    });

    test("an owner without jobs has none to give, and one's own are refused", async ({
      engine,
    }) => {
      expect((await engine.assign(ANN, BOB, 9)).moved).toBe(0);
      expect(await codeOf(engine.assign(ANN, ANN, 9))).toBe("BAD_REQUEST");
    });
  });
}
