import { describe, expect, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { MAX_DETAILS_BYTES } from "#shared/limits.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  ANN,
  at,
  BLOCK,
  claimOne,
  codeOf,
  DELIVER,
  FAIL,
  listen,
  logOf,
  newJob,
  release,
  START,
  STEP,
} from "./builders.ts";

const report = (details: unknown): JobChange => ({
  action: "progress",
  progress: 20,
  message: "Some",
  details,
});
const SOME = { done: 1, of: 3, files: ["a.txt"] };

async function runningJob(engine: Engine): Promise<string> {
  const { id } = await engine.createJob(newJob(), at(0));
  await engine.change(id, START, at(1));
  return id;
}

/** The details in each event of the log, and `none` where an event has no such field. */
async function detailsOf(engine: Engine, id: string): Promise<unknown[]> {
  const log = await logOf(engine, id);
  return log.map((event) => (Object.hasOwn(event, "details") ? event.details : "none"));
}

export function detailsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("details", () => {
    test("[J18] [S2] every event carries the newest details of its attempt, as the record does, also after a restart", async ({
      engine,
      data,
    }) => {
      const id = await runningJob(engine);
      const heard = await listen(engine, { stream: "job", jobId: id });
      const changes = [STEP, report(SOME), STEP, report({ done: 2 }), STEP, BLOCK];
      for (const change of changes) {
        const { job, event } = await engine.change(id, change, at(2));
        expect(event.details).toEqual(job.details);
        expect(await engine.getSummary(id)).toEqual(job);
      }
      const newest = ["none", "none", "none", SOME, SOME, { done: 2 }, { done: 2 }, { done: 2 }];
      expect(await detailsOf(engine, id)).toEqual(newest);
      await vi.waitFor(() => expect(heard.count).toBeGreaterThanOrEqual(changes.length));
      const log = await logOf(engine, id);
      for (const event of heard.events) expect(log).toContainEqual(event);
      await engine.close();

      const again = await data.open();
      expect(await detailsOf(again, id)).toEqual(newest);
      await again.change(id, { action: "approve" }, at(3));
      expect(await detailsOf(again, id)).toEqual([...newest, { done: 2 }]);
      const { items } = await again.listJobs({ ...ANN, limit: 9 });
      const { changes: fed } = await again.readFeed(ANN, 0, 9);
      const whole = await again.getJob(id);
      expect([items[0], fed[0]?.job, whole].map((job) => job?.details)).toEqual(
        Array.from({ length: 3 }, () => ({ done: 2 })),
      );
    });

    test("a job without details has no such field anywhere", async ({ engine }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      const { job: claimed } = await claimOne(engine, at(0));
      const records: object[] = [claimed];
      for (const change of [START, STEP, release()]) {
        const { job, event } = await engine.change(id, change, at(1));
        records.push(job, event);
      }
      records.push(...(await logOf(engine, id)));
      records.push(...(await engine.listJobs({ ...ANN, limit: 9 })).items);
      for (const record of [...records, await engine.getJob(id), await engine.getSummary(id)]) {
        expect(Object.keys(record ?? {})).not.toContain("details");
      }
    });

    for (const [end, again] of [
      [BLOCK, { action: "regenerate" }],
      [FAIL, { action: "retry" }],
    ] as [JobChange, JobChange][]) {
      test(`[J18] they stay when a job has ended (${end.action}), and go when it is queued again`, async ({
        engine,
      }) => {
        const id = await runningJob(engine);
        for (const change of [report(SOME), end]) await engine.change(id, change, at(2));
        expect(await engine.getSummary(id)).toMatchObject({ details: SOME });
        for (const change of [again, START, DELIVER]) await engine.change(id, change, at(3));
        expect(await engine.getJob(id)).not.toHaveProperty("details");
        const before = ["none", "none", SOME, SOME];
        expect(await detailsOf(engine, id)).toEqual([...before, "none", "none", "none"]);
      });
    }

    test("[J18] they go when a job is given back to the queue", async ({ engine }) => {
      const id = await runningJob(engine);
      for (const change of [report(SOME), release(), START]) await engine.change(id, change, at(2));
      expect(await engine.getSummary(id)).not.toHaveProperty("details");
      expect(await detailsOf(engine, id)).toEqual(["none", "none", SOME, "none", "none"]);
    });

    test("a claim of a job whose runner died has its details, until it is given back", async ({
      engine,
      data,
    }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      const first = await claimOne(engine, at(0));
      await engine.change(id, START, at(0), first);
      await engine.change(id, report(SOME), at(0), first);
      await data.pass(11_000);
      const second = await claimOne(engine, at(11));
      expect(second.job).toMatchObject({ status: "PROCESSING", details: SOME });
      const { job } = await engine.change(id, release(), at(11), second);
      expect(job).not.toHaveProperty("details");
    });

    test("[J13] any JSON comes back unchanged: null, any keys, halves of characters", async ({
      engine,
    }) => {
      const values: unknown[] = [
        null,
        false,
        0,
        "",
        [],
        "\ud800 \u0000 'é😀",
        JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"a.b\\\\c":[{}],"toJSON":1}'),
      ];
      const id = await runningJob(engine);
      for (const details of values) await engine.change(id, report(details), at(2));
      const stored = (await detailsOf(engine, id)).slice(2);
      expect(stored.map((value) => JSON.stringify(value))).toEqual(
        values.map((value) => JSON.stringify(value)),
      );
    });

    test("values that JSON turns into others are in the answer and in the hint as they are stored", async ({
      engine,
    }) => {
      const id = await runningJob(engine);
      const heard = await listen(engine, { stream: "job", jobId: id });
      const { event } = await engine.change(id, report({ at: at(5), none: undefined }), at(2));
      await vi.waitFor(() => expect(heard.events).toHaveLength(1));
      const [stored] = (await logOf(engine, id)).slice(-1);
      expect(stored?.details).toStrictEqual({ at: at(5).toISOString() });
      expect(event).toStrictEqual(stored);
      expect(heard.events).toStrictEqual([stored]);
    });

    test("[H7] [H11] details that are no JSON or too large are refused, and the job and others go on", async ({
      engine,
    }) => {
      const [id, other] = [await runningJob(engine), await runningJob(engine)];
      const round: unknown[] = [];
      round.push(round);
      // The quotes of a text count too.
      const full = "é".repeat(MAX_DETAILS_BYTES / 2 - 1);
      for (const details of [{ size: 1n }, round, () => 1, Symbol("s"), `${full}x`]) {
        const [refused, made] = await Promise.allSettled([
          engine.change(id, report(details), at(2)),
          engine.change(other, STEP, at(2)),
        ]);
        expect(refused).toMatchObject({ status: "rejected", reason: { code: "BAD_REQUEST" } });
        expect(made).toMatchObject({ status: "fulfilled" });
      }
      expect(await codeOf(engine.change(id, report(full), at(2)))).toBeUndefined();
      expect((await engine.getSummary(id))?.details).toBe(full);
      expect(await logOf(engine, id)).toHaveLength(3);
    });

    test("[J18] of changes that come at once, each event has the details of the newest report before it", async ({
      engine,
    }) => {
      const id = await runningJob(engine);
      await Promise.all(
        Array.from({ length: 120 }, (_, step) =>
          engine.change(id, step % 3 === 0 ? report({ step }) : STEP, at(2)),
        ),
      );
      expect((await detailsOf(engine, id)).slice(2)).toEqual(
        Array.from({ length: 120 }, (_, step) => ({ step: step - (step % 3) })),
      );
    });
  });
}
