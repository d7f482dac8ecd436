import { describe, expect, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  ANN,
  at,
  claimOne,
  codeOf,
  DELIVER,
  draftOf,
  LEASE_MS,
  listen,
  logOf,
  newBatch,
  newJob,
  newWorker,
  release,
  START,
  startedJob,
  STEP,
} from "./builders.ts";

const NO_CHANGE = { entries: new Map<string, number>(), whole: true };

export function upkeepSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("pruning", () => {
    test("what settled before is gone with all that belongs to it, the rest stays", async ({
      engine,
    }) => {
      const old = await startedJob(engine, at(0));
      await engine.appendDraft(old, "text");
      await engine.appendLines(old, [{ at: at(0), level: "info", message: "line" }]);
      await engine.change(old.jobId, DELIVER, at(1), old);
      const fresh = await startedJob(engine, at(0));
      await engine.change(fresh.jobId, DELIVER, at(5), fresh);
      const working = await startedJob(engine, at(0));
      const waiting = await engine.createJob(newJob(), at(0));
      expect(await engine.prune(at(5), 100)).toBe(1);
      expect(await engine.getJob(old.jobId)).toBeUndefined();
      expect(await engine.readEvents(old.jobId, 0, 10)).toBeUndefined();
      expect(await engine.readDraft(old.jobId, 0)).toBeUndefined();
      expect(await engine.readLines(old.jobId, 0, 9)).toBeUndefined();
      expect((await engine.listJobs({ ...ANN, limit: 9 })).items.map(({ id }) => id)).toEqual([
        waiting.id,
        working.jobId,
        fresh.jobId,
      ]);
      expect((await engine.readFeed(ANN, 0, 9)).changes).toHaveLength(3);
      expect(await engine.prune(at(5), 100)).toBe(0);
    });

    test("at most `limit` at once, oldest first", async ({ engine }) => {
      const ids: string[] = [];
      for (const seconds of [3, 1, 2]) {
        const { id } = await engine.createJob(newJob(), at(0));
        await engine.change(id, { action: "cancel" }, at(seconds));
        ids.push(id);
      }
      expect(await engine.prune(at(10), 2)).toBe(2);
      const left = (await engine.listJobs({ ...ANN, limit: 9 })).items.map(({ id }) => id);
      expect(left).toEqual([ids[0]]);
      expect(await engine.prune(at(10), 2)).toBe(1);
    });

    test("[E12] jobs of a kind go at the time of their kind, or never, and do not keep others from going", async ({
      engine,
    }) => {
      const settled = new Map<string, string[]>();
      for (const kind of ["a", "kept", "short", "gone", "z"]) {
        for (const seconds of [2, 1]) {
          const { id } = await engine.createJob(newJob({ kind }), at(0));
          await engine.change(id, { action: "cancel" }, at(seconds));
          settled.set(kind, [...(settled.get(kind) ?? []), id]);
        }
      }
      const left = async () =>
        (await engine.listJobs({ ...ANN, limit: 99 })).items.map(({ kind }) => kind).toReversed();
      const kinds = new Map([
        ["kept", null],
        ["short", at(3)],
        ["gone", at(2)],
        ["unknown", at(9)],
      ]);
      expect(await engine.prune(null, 100, kinds)).toBe(3);
      expect(await left()).toEqual(["a", "a", "kept", "kept", "gone", "z", "z"]);
      expect((await engine.getJob(settled.get("gone")?.[0] ?? ""))?.finishedAt).toEqual(at(2));
      // Those that are kept are the oldest ones, and more than a step may delete.
      expect(await engine.prune(at(3), 1, kinds)).toBe(1);
      expect(await engine.prune(at(3), 9, kinds)).toBe(3);
      expect(await engine.prune(at(3), 9, kinds)).toBe(0);
      expect(await left()).toEqual(["kept", "kept", "gone"]);
      // Queued again, it is settled no more.
      await engine.change(settled.get("kept")?.[0] ?? "", { action: "retry" }, at(4));
      expect(await engine.prune(at(9), 9)).toBe(2);
      expect(await left()).toEqual(["kept"]);
    });

    test("a batch goes with its last job, and keeps its counts until then", async ({ engine }) => {
      const { batch, jobs } = newBatch(2);
      await engine.createBatch(batch, jobs, at(0));
      const [first, second] = jobs.map(({ id }) => id) as [string, string];
      await engine.change(first, { action: "cancel" }, at(1));
      await engine.change(second, { action: "cancel" }, at(2));
      const record = await engine.getBatch(batch.id);
      expect(await engine.prune(at(2), 10)).toBe(1);
      expect(await engine.getBatch(batch.id)).toEqual(record);
      expect(await engine.prune(at(3), 10)).toBe(1);
      expect(await engine.getBatch(batch.id)).toBeUndefined();
      expect((await engine.listBatches({ ...ANN, limit: 9 })).items).toEqual([]);
    });

    test("a key can be used again after its job or batch is gone", async ({ engine }) => {
      const job = await engine.createJob(newJob({ idempotencyKey: "k" }), at(0));
      await engine.change(job.id, { action: "cancel" }, at(1));
      const old = newBatch(1, { idempotencyKey: "k" });
      await engine.createBatch(old.batch, old.jobs, at(0));
      await engine.change(old.jobs[0]?.id ?? "", { action: "cancel" }, at(1));
      expect(await engine.prune(at(2), 10)).toBe(2);
      const again = newJob({ idempotencyKey: "k" });
      expect((await engine.createJob(again, at(3))).id).toBe(again.id);
      const fresh = newBatch(1, { idempotencyKey: "k" });
      expect((await engine.createBatch(fresh.batch, fresh.jobs, at(3))).id).toBe(fresh.batch.id);
    });

    test("[S2] a feed goes on after its cursors where all of an owner was deleted", async ({
      engine,
    }) => {
      const prior = await engine.createJob(newJob(), at(0));
      const { batch, jobs } = newBatch(3);
      await engine.createBatch(batch, jobs, at(0));
      for (const { id } of [prior, ...jobs]) await engine.change(id, { action: "cancel" }, at(1));
      const { head: cursor } = await engine.readFeed(ANN, 0, 9);
      expect(await engine.prune(at(2), 10)).toBe(4);

      const emptied = await engine.readFeed(ANN, cursor, 9);
      expect(emptied.changes).toEqual([]);
      expect(emptied.head).toBeGreaterThanOrEqual(cursor);
      const { feed } = await engine.listJobs({ ...ANN, limit: 9 });
      expect(feed).toBeGreaterThanOrEqual(cursor);
      const fresh = await engine.createJob(newJob(), at(3));
      for (const after of [0, cursor, emptied.head, feed]) {
        const { changes, head } = await engine.readFeed(ANN, after, 9);
        expect(changes.map(({ job }) => job.id)).toEqual([fresh.id]);
        expect(head).toBe(changes[0]?.rev);
      }
      expect((await engine.listJobs({ ...ANN, limit: 9 })).items).toEqual([
        await engine.getSummary(fresh.id),
      ]);
    });

    test("[S2] owners who come and go take no cursors from each other", async ({ engine }) => {
      const cursors = new Map<string, number>();
      for (const [round, { owner, changes }] of [
        { owner: "ann", changes: 30 },
        { owner: "bob", changes: 2 },
        { owner: "ann", changes: 1 },
        { owner: "bob", changes: 9 },
      ].entries()) {
        const ofOwner = { ...ANN, owner };
        const { id } = await engine.createJob(newJob(ofOwner), at(round));
        for (let n = 0; n < changes; n++) {
          await engine.change(id, { action: "cancel" }, at(round));
          await engine.change(id, { action: "retry" }, at(round));
        }
        await engine.change(id, { action: "cancel" }, at(round));
        const slice = await engine.readFeed(ofOwner, cursors.get(owner) ?? 0, 9);
        expect(slice.changes.map(({ job }) => job.id)).toEqual([id]);
        cursors.set(owner, slice.head);
        expect(await engine.prune(at(round + 1), 9)).toBe(1);
      }
    });

    test("[S2] a job that is created while the last one of its owner is deleted is in the feed", async ({
      engine,
    }) => {
      let cursor = 0;
      for (let round = 0; round < 20; round++) {
        const old = await engine.createJob(newJob(), at(round));
        await engine.change(old.id, { action: "cancel" }, at(round));
        cursor = (await engine.readFeed(ANN, 0, 9)).head;
        const [, fresh] = await Promise.all([
          engine.prune(at(round + 1), 9),
          engine.createJob(newJob(), at(round + 1)),
        ]);
        const { changes } = await engine.readFeed(ANN, cursor, 9);
        expect(changes.map(({ job }) => job.id)).toEqual([fresh.id]);
        await engine.change(fresh.id, { action: "cancel" }, at(round + 1));
        expect(await engine.prune(at(round + 2), 9)).toBe(1);
      }
    });

    test("a job that was queued again is not old", async ({ engine }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      await engine.change(id, { action: "cancel" }, at(1));
      await engine.change(id, { action: "retry" }, at(2));
      expect(await engine.prune(at(100), 10)).toBe(0);
    });
  });

  describe("closing and opening", () => {
    test("[J3] all is there again, and cursors go on", async ({ data, engine }) => {
      const { batch, jobs } = newBatch(5, { idempotencyKey: "k" });
      await engine.createBatch(batch, jobs, at(0));
      const held = await claimOne(engine, at(1));
      await engine.change(held.jobId, START, at(1), held);
      await engine.appendDraft(held, "Once ");
      await engine.appendLines(held, [{ at: at(1), level: "debug", message: "line" }]);
      const page = await engine.listJobs({ ...ANN, limit: 2 });
      const everything = {
        job: await engine.getJob(held.jobId),
        batch: await engine.getBatch(batch.id),
        events: await engine.readEvents(held.jobId, 1, 10),
        feed: await engine.readFeed(ANN, 2, 10),
        draft: await engine.readDraft(held.jobId, 0),
        lines: await engine.readLines(held.jobId, 0, 9),
        next: await engine.listJobs({ ...ANN, limit: 9, cursor: page.nextCursor ?? undefined }),
      };
      await engine.close();

      const again = await data.open();
      expect({
        job: await again.getJob(held.jobId),
        batch: await again.getBatch(batch.id),
        events: await again.readEvents(held.jobId, 1, 10),
        feed: await again.readFeed(ANN, 2, 10),
        draft: await again.readDraft(held.jobId, 0),
        lines: await again.readLines(held.jobId, 0, 9),
        next: await again.listJobs({ ...ANN, limit: 9, cursor: page.nextCursor ?? undefined }),
      }).toEqual(everything);
      const { event } = await again.change(held.jobId, STEP, at(2));
      expect(event.seq).toBe(3);
      expect((await again.readFeed(ANN, page.feed, 10)).changes).toHaveLength(1);
      expect(
        (await again.createBatch(newBatch(1, { idempotencyKey: "k" }).batch, jobs, at(3))).id,
      ).toBe(batch.id);
    });

    test("a token of before is never given again", async ({ data, engine }) => {
      const held = await startedJob(engine, at(0));
      await engine.change(held.jobId, release(), at(1), held);
      await engine.close();
      const again = await data.open();
      const fresh = await claimOne(again, at(20));
      expect(fresh.token).toBeGreaterThan(held.token);
      expect(await codeOf(again.appendDraft(held, "x"))).toBe("CLAIM_LOST");
    });

    test("what was asked for is finished, what comes later is UNAVAILABLE", async ({
      data,
      engine,
    }) => {
      const job = newJob();
      const asked = engine.createJob(job, at(0));
      await Promise.all([engine.close(), engine.close()]);
      expect((await asked).id).toBe(job.id);
      await engine.close();
      const ref = { jobId: job.id, token: 1 };
      const later: [string, () => Promise<unknown>][] = [
        ["createJob", () => engine.createJob(newJob(), at(1))],
        ["createBatch", () => engine.createBatch(newBatch(1).batch, [], at(1))],
        ["getJob", () => engine.getJob(job.id)],
        ["getSummary", () => engine.getSummary(job.id)],
        ["listJobs", () => engine.listJobs({ ...ANN, limit: 1 })],
        ["getBatch", () => engine.getBatch(job.id)],
        ["listBatches", () => engine.listBatches({ ...ANN, limit: 1 })],
        ["change", () => engine.change(job.id, START, at(1))],
        ["readEvents", () => engine.readEvents(job.id, 0, 1)],
        ["readFeed", () => engine.readFeed(ANN, 0, 1)],
        ["appendDraft", () => engine.appendDraft(ref, "x")],
        ["readDraft", () => engine.readDraft(job.id, 0)],
        ["appendLines", () => engine.appendLines(ref, [])],
        ["readLines", () => engine.readLines(job.id, 0, 1)],
        ["claim", () => engine.claim({ worker: "w", max: 1, leaseMs: LEASE_MS, now: at(1) })],
        ["renew", () => engine.renew([ref], LEASE_MS, at(1))],
        ["workers.announce", () => engine.workers.announce(newWorker(), LEASE_MS)],
        ["workers.list", () => engine.workers.list({ limit: 1 })],
        ["pauses.list", () => engine.pauses.list()],
        ["takeSession", () => engine.takeSession({ ...ANN, id: "s" }, "one")],
        ["saveSession", () => engine.saveSession({ ...ANN, id: "s" }, "one", NO_CHANGE)],
        ["endSession", () => engine.endSession({ ...ANN, id: "s" }, "one")],
        ["prune", () => engine.prune(at(1), 1)],
        ["onAppend", () => engine.onAppend({ stream: "job", jobId: job.id }, () => undefined)],
        ["health", () => engine.health()],
      ];
      for (const [method, call] of later) {
        expect([method, await codeOf(call())]).toEqual([method, "UNAVAILABLE"]);
      }
      expect(engine.isAvailable()).toBe(false);
      expect(await logOf(await data.open(), job.id)).toHaveLength(1);
    });

    test("health is good while data can be read", async ({ engine }) => {
      expect(await codeOf(engine.health())).toBeUndefined();
      expect(engine.isAvailable()).toBe(true);
    });
  });

  describe.runIf(subject.capabilities.multiProcess)("two at once on the same data", () => {
    test("each sees what the other stored, and hears of it", async ({ data, engine }) => {
      const other = await data.open();
      const { jobId } = await startedJob(engine, at(0));
      const heard = await listen(other, { stream: "job", jobId });
      await engine.change(jobId, STEP, at(1));
      await vi.waitFor(() => expect(heard.count).toBeGreaterThan(0));
      expect(await logOf(other, jobId)).toHaveLength(3);
    });

    test("no job is given to both", async ({ data, engine }) => {
      const other = await data.open();
      const { batch, jobs } = newBatch(60);
      await engine.createBatch(batch, jobs, at(0));
      const given: string[] = [];
      const claim = async (by: Engine) => {
        const request = { worker: by.name, max: 5, leaseMs: LEASE_MS, now: at(1) };
        for (const { jobId } of await by.claim(request)) given.push(jobId);
      };
      await Promise.all(
        Array.from({ length: 20 }, (_, index) => claim(index % 2 === 0 ? engine : other)),
      );
      // A job that one of them could not take was locked for a moment.
      while (given.length < 60) await claim(other);
      expect(given.toSorted()).toEqual(jobs.map(({ id }) => id).toSorted());
    });
  });

  describe.runIf(!subject.capabilities.multiProcess)("one at a time on the same data", () => {
    test("[J11] a second one is refused with DATA_UNUSABLE, and the first goes on", async ({
      data,
      engine,
    }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      expect(await codeOf(data.open())).toBe("DATA_UNUSABLE");
      await engine.change(id, START, at(1));
      expect(await draftOf(engine, id)).toBe("");
      expect(await codeOf(data.open())).toBe("DATA_UNUSABLE");
    });

    test("opening ends the leases of before: the jobs can be claimed at once", async ({
      data,
      engine,
    }) => {
      const started = await startedJob(engine, at(0));
      await engine.createJob(newJob(), at(0));
      const waiting = await claimOne(engine, at(0));
      await engine.close();
      const again = await data.open();
      expect(await codeOf(again.change(started.jobId, STEP, at(1), started))).toBe("CLAIM_LOST");
      const claims = await again.claim({ worker: "w", max: 9, leaseMs: LEASE_MS, now: at(1) });
      expect(claims.map(({ jobId }) => jobId)).toEqual([started.jobId, waiting.jobId]);
    });
  });
}
