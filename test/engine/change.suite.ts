import { describe, expect } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { JobStatus } from "#shared/job.ts";
import { EVENT_OF, type JobAction, type JobChange, LIFECYCLE } from "#shared/lifecycle.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  at,
  BLOCK,
  codeOf,
  DELIVER,
  FAIL,
  logOf,
  newBatch,
  newId,
  newJob,
  release,
  START,
  STEP,
} from "./builders.ts";

/** Without those of mirrors, which `mirrors.suite.ts` tries. */
type OwnAction = Exclude<JobAction, "requeue" | "remove">;

const CHANGES: Record<OwnAction, JobChange> = {
  start: START,
  progress: STEP,
  release: release(60_000),
  deliver: DELIVER,
  block: BLOCK,
  fail: FAIL,
  expire: { action: "expire", expiresAt: at(3600) },
  debounce: {
    action: "debounce",
    input: 2,
    title: "Another",
    debounce: { key: "k", windowMs: 60_000 },
  },
  cancel: { action: "cancel", note: "not needed" },
  approve: { action: "approve" },
  reject: { action: "reject", note: "too dull" },
  retry: { action: "retry" },
  regenerate: { action: "regenerate" },
};

/** The changes that bring a new job into each status. */
const WAYS: Record<JobStatus, JobChange[]> = {
  PENDING: [],
  PROCESSING: [START],
  DELIVERED: [START, DELIVER],
  BLOCKED: [START, BLOCK],
  ABORTED: [START, FAIL],
};

async function jobIn(engine: Engine, status: JobStatus): Promise<string> {
  const { batch } = newBatch(1);
  const job = newJob({ batchId: batch.id, startsAt: at(3000), expiresInMs: 600_000 });
  await engine.createBatch(batch, [job], at(0));
  for (const change of WAYS[status]) await engine.change(job.id, change, at(1));
  return job.id;
}

export function changeSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);
  const statuses = Object.keys(LIFECYCLE) as JobStatus[];
  const actions = Object.keys(CHANGES) as OwnAction[];
  const pairs = statuses.flatMap((from) =>
    actions.map((action) => ({ from, action, to: LIFECYCLE[from][action] })),
  );

  describe("changing jobs", () => {
    for (const { from, action, to } of pairs.filter((pair) => pair.to !== null)) {
      test(`[J1] [J2] ${action} takes a job from ${from} to ${to}: record, log and batch agree`, async ({
        engine,
      }) => {
        const id = await jobIn(engine, from);
        const before = await engine.getJob(id);
        const { job, event } = await engine.change(id, CHANGES[action], at(2));
        expect(job).toMatchObject({ id, status: to, version: (before?.version ?? 0) + 1 });
        expect(event).toMatchObject({
          jobId: id,
          seq: job.version,
          at: at(2),
          type: EVENT_OF[action],
          status: to,
          progress: job.progress,
          message: job.message,
          attempt: job.attempt,
        });
        expect(await engine.getSummary(id)).toEqual(job);
        const log = await logOf(engine, id);
        expect(log.at(-1)).toEqual(event);
        expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
        const batch = await engine.getBatch(job.batchId ?? "");
        expect(Object.entries(batch?.counts ?? {}).filter(([, count]) => count !== 0)).toEqual([
          [to, 1],
        ]);
      });
    }

    test("[J1] every other way is ILLEGAL_TRANSITION and changes nothing", async ({ engine }) => {
      const illegal = pairs.filter((pair) => pair.to === null);
      expect(illegal).toHaveLength(51);
      for (const from of statuses) {
        const id = await jobIn(engine, from);
        const before = await engine.getJob(id);
        for (const { action } of illegal.filter((pair) => pair.from === from)) {
          await expect(engine.change(id, CHANGES[action], at(3))).rejects.toMatchObject({
            code: "ILLEGAL_TRANSITION",
            message: expect.stringContaining(from) as string,
          });
        }
        expect(await engine.getJob(id)).toEqual(before);
        expect(await logOf(engine, id)).toHaveLength(before?.version ?? 0);
        expect((await engine.getBatch(before?.batchId ?? ""))?.counts[from]).toBe(1);
      }
    });

    test("output stays through approval, and goes with a new try", async ({ engine }) => {
      const [approved, renewed] = [await jobIn(engine, "BLOCKED"), await jobIn(engine, "BLOCKED")];
      await engine.change(approved, CHANGES.approve, at(2));
      expect((await engine.getJob(approved))?.output).toEqual({ words: 3 });
      await engine.change(renewed, CHANGES.regenerate, at(2));
      expect((await engine.getJob(renewed))?.output).toBeNull();
      expect((await engine.getJob(renewed))?.input).toEqual({ words: 900 });
    });

    test("an error is stored with its code, and goes with a new try", async ({ engine }) => {
      const id = await jobIn(engine, "ABORTED");
      expect(await engine.getJob(id)).toMatchObject({
        error: { code: "BROKEN", message: "It broke" },
        finishedAt: at(1),
      });
      await engine.change(id, CHANGES.retry, at(2));
      expect(await engine.getJob(id)).toMatchObject({ error: null, finishedAt: null });
    });

    test("an output that is not JSON is refused, and the job goes on as it was", async ({
      engine,
    }) => {
      const id = await jobIn(engine, "PROCESSING");
      const deliver: JobChange = { action: "deliver", message: "", output: { size: 1n } };
      expect(await codeOf(engine.change(id, deliver, at(2)))).toBe("BAD_REQUEST");
      expect(await engine.getSummary(id)).toMatchObject({ status: "PROCESSING", version: 2 });
      expect(await logOf(engine, id)).toHaveLength(2);
    });

    test("[H7] a message that is no text is refused, and the job and others go on as they were", async ({
      engine,
    }) => {
      const [id, other] = [await jobIn(engine, "PROCESSING"), await jobIn(engine, "PROCESSING")];
      for (const message of [null, undefined, 5, Symbol("m"), Object.create(null), { a: 1 }]) {
        const [refused, made] = await Promise.allSettled([
          engine.change(id, { ...CHANGES.progress, message } as JobChange, at(2)),
          engine.change(other, CHANGES.progress, at(2)),
        ]);
        expect(refused).toMatchObject({ status: "rejected", reason: { code: "BAD_REQUEST" } });
        expect(made).toMatchObject({ status: "fulfilled" });
      }
      expect(await engine.getSummary(id)).toMatchObject({ status: "PROCESSING", version: 2 });
      expect(await logOf(engine, id)).toHaveLength(2);
    });

    test("[H11] percents become whole numbers, and texts well-formed and short, the same in every engine", async ({
      engine,
    }) => {
      const { id } = await engine.createJob(newJob({ title: "t".repeat(1000) }), at(0));
      const long = `\u0000${"m".repeat(1997)}😀${"x".repeat(60_000)}`;
      const cut = `\u0000${"m".repeat(1997)}…`;
      const steps: [JobChange, object][] = [
        [
          { action: "start", progress: 0.6, message: "\ud800a" },
          { progress: 1, message: "\ufffda" },
        ],
        [
          { action: "progress", progress: 33.4, message: long },
          { progress: 33, message: cut },
        ],
        [{ action: "progress", progress: 1e9, message: "" }, { progress: 100 }],
        [
          { action: "fail", error: { code: "C".repeat(1000), message: long } },
          { error: { code: `${"C".repeat(99)}…`, message: cut }, message: cut },
        ],
      ];
      for (const [change, expected] of steps) {
        const { job, event } = await engine.change(id, change, at(1));
        expect(job).toMatchObject(expected);
        expect(await engine.getSummary(id)).toEqual(job);
        expect((await logOf(engine, id)).at(-1)).toEqual(event);
      }
      expect((await engine.getSummary(id))?.title).toBe(`${"t".repeat(299)}…`);
    });

    test("a job that does not exist is NOT_FOUND", async ({ engine }) => {
      expect(await codeOf(engine.change(newId(), START, at(0)))).toBe("NOT_FOUND");
    });

    test("changes of one job that come at once are made one after the other", async ({
      engine,
    }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      await engine.change(id, START, at(0));
      const changed = await Promise.all(
        Array.from({ length: 200 }, (_, index) =>
          engine.change(id, { action: "progress", progress: 20, message: `${index}` }, at(1)),
        ),
      );
      const seqs = changed.map(({ event }) => event.seq);
      expect(seqs.toSorted((a, b) => a - b)).toEqual(seqs.map((_, index) => index + 3));
      const log = await logOf(engine, id);
      for (const { event } of changed) expect(log[event.seq - 1]).toEqual(event);
    });

    test("of two that exclude each other one is made", async ({ engine }) => {
      const id = await jobIn(engine, "BLOCKED");
      const results = await Promise.allSettled([
        engine.change(id, CHANGES.approve, at(2)),
        engine.change(id, CHANGES.reject, at(2)),
      ]);
      expect(results.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
      expect(await logOf(engine, id)).toHaveLength(4);
    });
  });
}
