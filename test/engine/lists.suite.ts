import { describe, expect } from "vitest";
import type { Engine, JobQuery } from "#server/engine/contract.ts";
import type { JobSummary } from "#shared/job.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  ANN,
  at,
  BLOCK,
  BOB,
  codeOf,
  DELIVER,
  newBatch,
  newId,
  newJob,
  START,
  STEP,
} from "./builders.ts";

async function allJobs(engine: Engine, query: Omit<JobQuery, "cursor">): Promise<JobSummary[]> {
  const items: JobSummary[] = [];
  let cursor: string | undefined;
  do {
    const page = await engine.listJobs({ ...query, cursor });
    if (page.items.length > query.limit) throw new Error("A page holds more than was asked for.");
    items.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return items;
}

const ids = (items: readonly { id: string }[]): string[] => items.map(({ id }) => id);

export function listsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("pages", () => {
    test("jobs come newest first, without input and output", async ({ engine }) => {
      const jobs = Array.from({ length: 7 }, () => newJob());
      for (const job of jobs) await engine.createJob(job, at(0));
      const listed = await allJobs(engine, { ...ANN, limit: 3 });
      expect(ids(listed)).toEqual(ids(jobs.toReversed()));
      expect(listed[0]).toEqual(await engine.getSummary(listed[0]?.id ?? ""));
    });

    test("a page that holds exactly the rest is the last", async ({ engine }) => {
      for (const job of [newJob(), newJob()]) await engine.createJob(job, at(0));
      expect((await engine.listJobs({ ...ANN, limit: 2 })).nextCursor).toBeNull();
    });

    test("pages hold still while jobs are added and changed", async ({ engine }) => {
      const jobs = Array.from({ length: 9 }, () => newJob());
      for (const job of jobs) await engine.createJob(job, at(0));
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await engine.listJobs({ ...ANN, limit: 2, cursor });
        seen.push(...ids(page.items));
        cursor = page.nextCursor ?? undefined;
        await engine.createJob(newJob(), at(1));
        await engine.change(jobs[0]?.id ?? "", seen.length === 2 ? START : STEP, at(1));
      } while (cursor !== undefined);
      expect(seen).toEqual(ids(jobs.toReversed()));
    });

    test("each combination of filters gives what it says", async ({ engine }) => {
      const { batch, jobs } = newBatch(4);
      await engine.createBatch(
        batch,
        jobs.map((job, index) => ({ ...job, kind: index < 2 ? "article" : "report" })),
        at(0),
      );
      for (const kind of ["article", "report", "report"]) {
        await engine.createJob(newJob({ kind }), at(0));
      }
      const everything = await allJobs(engine, { ...ANN, limit: 100 });
      for (const [index, job] of everything.entries()) {
        if (index % 2 === 0) await engine.change(job.id, START, at(1));
        if (index % 4 === 0) await engine.change(job.id, DELIVER, at(1));
      }
      const now = await allJobs(engine, { ...ANN, limit: 100 });
      for (const status of [undefined, "PENDING", "PROCESSING", "DELIVERED", "BLOCKED"] as const) {
        for (const kind of [undefined, "article", "report", "nothing"]) {
          for (const batchId of [undefined, batch.id, newId()]) {
            const expected = now.filter(
              (job) =>
                (status === undefined || job.status === status) &&
                (kind === undefined || job.kind === kind) &&
                (batchId === undefined || job.batchId === batchId),
            );
            const found = await allJobs(engine, { ...ANN, status, kind, batchId, limit: 2 });
            expect(found).toEqual(expected);
          }
        }
      }
    });

    test("[K11] the jobs of a schedule are listed by its id, with each other filter, wherever they went", async ({
      engine,
    }) => {
      const scheduleId = newId();
      const { batch, jobs } = newBatch(1);
      await engine.createBatch(batch, jobs, at(0));
      for (const [index, kind] of ["article", "report", "article", "article"].entries()) {
        const { id } = await engine.createJob(newJob({ kind, scheduleId }), at(0));
        await engine.createJob(newJob({ kind, scheduleId: newId() }), at(0));
        await engine.createJob(newJob({ kind, ...(index === 1 && BOB) }), at(0));
        if (index > 1) await engine.change(id, START, at(1));
        if (index > 2) await engine.change(id, DELIVER, at(2));
      }
      const all = await allJobs(engine, { ...ANN, limit: 100 });
      const own = all.filter((job) => job.scheduleId === scheduleId);
      expect(own).toHaveLength(4);
      for (const owner of [ANN, { tenant: ANN.tenant }]) {
        for (const status of [
          undefined,
          "PENDING",
          "PROCESSING",
          "DELIVERED",
          "ABORTED",
        ] as const) {
          for (const kind of [undefined, "article", "report", "nothing"]) {
            const expected = own.filter(
              (job) =>
                (status === undefined || job.status === status) &&
                (kind === undefined || job.kind === kind),
            );
            const query = { ...owner, scheduleId, status, kind, limit: 2 };
            expect(await allJobs(engine, query)).toEqual(expected);
          }
        }
      }
      for (const none of [
        { ...BOB, scheduleId },
        { tenant: "other", scheduleId },
        { ...ANN, scheduleId, batchId: batch.id },
        { ...ANN, scheduleId: newId() },
      ]) {
        expect(await allJobs(engine, { ...none, limit: 9 })).toEqual([]);
      }
      const member = newBatch(1);
      const strange = member.jobs.map((job) => ({ ...job, scheduleId }));
      expect(await codeOf(engine.createBatch(member.batch, strange, at(3)))).toBe("BAD_REQUEST");

      // To another owner, to another tenant, and gone.
      const listed = async (owner: { tenant: string; owner?: string }) =>
        ids((await engine.listJobs({ ...owner, scheduleId, limit: 9 })).items);
      await engine.assign(ANN, BOB, 99);
      expect(await listed(ANN)).toEqual([]);
      expect(await listed(BOB)).toEqual(ids(own));
      expect(await listed({ tenant: ANN.tenant })).toEqual(ids(own));
      const open = own.filter(({ status }) => status !== "DELIVERED");
      for (const { id } of open) await engine.change(id, { action: "cancel" }, at(4));
      const eve = { tenant: "other", owner: "eve" };
      await engine.assign(BOB, eve, 99);
      expect(await listed({ tenant: ANN.tenant })).toEqual([]);
      expect(await listed(eve)).toEqual(ids(own));
      expect(await engine.prune(at(9), 99)).toBe(4);
      expect(await listed(eve)).toEqual([]);
    });

    test("[J9] an owner sees no jobs of another owner", async ({ engine }) => {
      const { batch, jobs } = newBatch(2);
      await engine.createBatch(batch, jobs, at(0));
      for (const stranger of [BOB, { tenant: "other", owner: "ann" }]) {
        const mine = await engine.createJob(newJob(stranger), at(0));
        expect(ids(await allJobs(engine, { ...stranger, limit: 9 }))).toEqual([mine.id]);
        expect(await allJobs(engine, { ...stranger, batchId: batch.id, limit: 9 })).toEqual([]);
        expect((await engine.listBatches({ ...stranger, limit: 9 })).items).toEqual([]);
      }
    });

    test("without an owner, pages hold the jobs and batches of all owners of the tenant", async ({
      engine,
    }) => {
      const strangers = { tenant: "other", owner: "ann" };
      const made: JobSummary[] = [];
      const batches: string[] = [];
      for (let round = 0; round < 4; round++) {
        for (const owner of [ANN, BOB, strangers]) {
          const kind = round % 2 === 0 ? "article" : "report";
          const { id } = await engine.createJob(newJob({ ...owner, kind }), at(0));
          const { batch, jobs } = newBatch(1, owner);
          await engine.createBatch(batch, jobs, at(0));
          if (round === 3) await engine.change(id, START, at(1));
          if (owner === strangers) continue;
          for (const jobId of [id, jobs[0]?.id ?? ""]) {
            made.unshift((await engine.getSummary(jobId)) as JobSummary);
          }
          batches.unshift(batch.id);
        }
      }
      const { tenant } = ANN;
      for (const status of [undefined, "PENDING", "PROCESSING", "ABORTED"] as const) {
        for (const kind of [undefined, "article", "report"]) {
          for (const batchId of [undefined, batches[0]]) {
            const expected = made.filter(
              (job) =>
                (status === undefined || job.status === status) &&
                (kind === undefined || job.kind === kind) &&
                (batchId === undefined || job.batchId === batchId),
            );
            const found = await allJobs(engine, { tenant, status, kind, batchId, limit: 3 });
            expect(found).toEqual(expected);
          }
        }
      }
      const first = await engine.listBatches({ tenant, limit: 5 });
      const rest = await engine.listBatches({ tenant, limit: 5, cursor: first.nextCursor ?? "" });
      expect(ids([...first.items, ...rest.items])).toEqual(batches);
      expect(rest.nextCursor).toBeNull();
    });

    test("batches come newest first, in pages that hold still", async ({ engine }) => {
      const batches = Array.from({ length: 5 }, () => newBatch(1));
      for (const { batch, jobs } of batches) await engine.createBatch(batch, jobs, at(0));
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await engine.listBatches({ ...ANN, limit: 2, cursor });
        for (const item of page.items) expect(item).toEqual(await engine.getBatch(item.id));
        seen.push(...ids(page.items));
        cursor = page.nextCursor ?? undefined;
        const more = newBatch(1);
        await engine.createBatch(more.batch, more.jobs, at(1));
      } while (cursor !== undefined);
      expect(seen).toEqual(ids(batches.map(({ batch }) => batch)).toReversed());
    });

    test("a cursor that is none is BAD_REQUEST", async ({ engine }) => {
      await engine.createJob(newJob(), at(0));
      for (const cursor of ["", "no cursor", "-0", "1.5", "1; --", "9".repeat(40)]) {
        expect(await codeOf(engine.listJobs({ ...ANN, limit: 1, cursor }))).toBe("BAD_REQUEST");
        expect(await codeOf(engine.listBatches({ ...ANN, limit: 1, cursor }))).toBe("BAD_REQUEST");
      }
      const cursor = `${"x".repeat(39)}😀`;
      const refused = engine.listJobs({ ...ANN, limit: 1, cursor });
      await expect(refused).rejects.toThrow(`"${"x".repeat(39)}…" is no cursor`);
    });
  });

  describe("feed", () => {
    test("an owner without jobs has an empty feed", async ({ engine }) => {
      expect(await engine.readFeed(ANN, 0, 10)).toEqual({ changes: [], head: 0 });
      expect(await engine.listJobs({ ...ANN, limit: 10 })).toEqual({
        items: [],
        nextCursor: null,
        feed: 0,
      });
    });

    test("each changed job comes once, in the order of its newest change", async ({ engine }) => {
      const [a, b, c] = [newJob(), newJob(), newJob()];
      for (const job of [a, b, c]) await engine.createJob(job, at(0));
      await engine.createJob(newJob(BOB), at(0));
      await engine.change(a.id, START, at(1));
      const { changes, head } = await engine.readFeed(ANN, 0, 10);
      expect(ids(changes.map(({ job }) => job))).toEqual([b.id, c.id, a.id]);
      expect(head).toBe(changes.at(-1)?.rev);
      expect(changes.at(-1)?.job).toEqual(await engine.getSummary(a.id));
      await engine.change(b.id, START, at(2));
      const later = await engine.readFeed(ANN, head, 10);
      expect(ids(later.changes.map(({ job }) => job))).toEqual([b.id]);
      expect(await engine.readFeed(ANN, later.head, 10)).toEqual({ changes: [], head: later.head });
    });

    test("the feed of a tenant has the jobs of all its owners, by the same positions", async ({
      engine,
    }) => {
      const tenant = { tenant: ANN.tenant };
      expect(await engine.readFeed(tenant, 0, 10)).toEqual({ changes: [], head: 0 });
      const [a, b, c] = [newJob(), newJob(BOB), newJob()];
      for (const job of [a, b, c]) await engine.createJob(job, at(0));
      await engine.createJob(newJob({ tenant: "other" }), at(0));
      await engine.change(a.id, START, at(1));
      await engine.change(b.id, START, at(1));
      await engine.change(b.id, STEP, at(1));
      const all = await engine.readFeed(tenant, 0, 10);
      expect(ids(all.changes.map(({ job }) => job))).toEqual([c.id, a.id, b.id]);
      const [ofAnn, ofBob] = [await engine.readFeed(ANN, 0, 10), await engine.readFeed(BOB, 0, 10)];
      expect([...ofAnn.changes, ...ofBob.changes]).toEqual(all.changes);
      expect(ofBob.head).toBe(all.head);
      expect(ofAnn.head).toBeLessThan(all.head);
      const pieces = [];
      for (let after = 0; after < all.head;) {
        const [change] = (await engine.readFeed(tenant, after, 1)).changes;
        pieces.push(change);
        after = change?.rev ?? all.head;
      }
      expect(pieces).toEqual(all.changes);
      const page = await engine.listJobs({ ...tenant, limit: 10 });
      expect(page.feed).toBe(all.head);
      await engine.change(a.id, DELIVER, at(2));
      const later = await engine.readFeed(tenant, page.feed, 10);
      expect(ids(later.changes.map(({ job }) => job))).toEqual([a.id]);
    });

    test("reading it in pieces misses nothing", async ({ engine }) => {
      const { batch, jobs } = newBatch(25);
      await engine.createBatch(batch, jobs, at(0));
      const seen: string[] = [];
      let cursor = 0;
      for (;;) {
        const { changes, head } = await engine.readFeed(ANN, cursor, 4);
        seen.push(...ids(changes.map(({ job }) => job)));
        cursor = changes.at(-1)?.rev ?? head;
        if (cursor === head) break;
      }
      expect(seen).toEqual(ids(jobs));
    });

    test("a page of jobs says from where the feed goes on", async ({ engine }) => {
      const job = newJob();
      await engine.createJob(job, at(0));
      const { feed } = await engine.listJobs({ ...ANN, limit: 10 });
      expect((await engine.readFeed(ANN, feed, 10)).changes).toEqual([]);
      await engine.change(job.id, START, at(1));
      await engine.change(job.id, BLOCK, at(1));
      const { changes } = await engine.readFeed(ANN, feed, 10);
      expect(changes).toMatchObject([{ job: { id: job.id, status: "BLOCKED" } }]);
    });
  });
}
