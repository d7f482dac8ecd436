import { describe, expect, vi } from "vitest";
import type { StreamRef } from "#server/engine/contract.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  ANN,
  at,
  BOB,
  DELIVER,
  listen,
  logOf,
  newBatch,
  newJob,
  START,
  startedJob,
  STEP,
} from "./builders.ts";

export function hintsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("hints", () => {
    test("[S6] a hint comes after its commit: a read then finds the event", async ({ engine }) => {
      const { jobId } = await startedJob(engine, at(0));
      const found: Promise<boolean>[] = [];
      await engine.onAppend({ stream: "job", jobId }, ({ event }) => {
        if (event === undefined) return;
        found.push(logOf(engine, jobId).then((log) => log.some(({ seq }) => seq === event.seq)));
      });
      await Promise.all(Array.from({ length: 20 }, () => engine.change(jobId, STEP, at(1))));
      await vi.waitFor(() => expect(found.length).toBeGreaterThanOrEqual(20));
      expect(await Promise.all(found)).not.toContain(false);
    });

    test("events that come with hints are those of the log", async ({ engine }) => {
      const job = await engine.createJob(newJob(), at(0));
      const heard = await listen(engine, { stream: "job", jobId: job.id });
      for (const change of [START, STEP, DELIVER]) await engine.change(job.id, change, at(1));
      await vi.waitFor(() => expect(heard.count).toBeGreaterThanOrEqual(3));
      const log = await logOf(engine, job.id);
      for (const event of heard.events) expect(log).toContainEqual(event);
    });

    test("a change reaches the streams that it concerns, and no other", async ({ engine }) => {
      const { batch, jobs } = newBatch(2);
      await engine.createBatch(batch, jobs, at(0));
      const [jobId, otherId] = jobs.map(({ id }) => id) as [string, string];
      const hear = (stream: StreamRef) => listen(engine, stream);
      const mine = {
        job: await hear({ stream: "job", jobId }),
        draft: await hear({ stream: "draft", jobId }),
        lines: await hear({ stream: "lines", jobId }),
        batch: await hear({ stream: "batch", batchId: batch.id }),
        feed: await hear({ stream: "feed", of: ANN }),
        tenant: await hear({ stream: "feed", of: { tenant: ANN.tenant } }),
      };
      const others = [
        await hear({ stream: "job", jobId: otherId }),
        await hear({ stream: "draft", jobId: otherId }),
        await hear({ stream: "batch", batchId: newBatch(1).batch.id }),
        await hear({ stream: "feed", of: BOB }),
        await hear({ stream: "feed", of: { tenant: "acm", owner: "eann" } }),
        await hear({ stream: "feed", of: { tenant: "acm" } }),
      ];
      async function reaches(change: JobChange, streams: (keyof typeof mine)[]): Promise<void> {
        for (const heard of Object.values(mine)) heard.count = 0;
        await engine.change(jobId, change, at(1));
        await vi.waitFor(() => {
          const reached = Object.entries(mine).filter(([, heard]) => heard.count > 0);
          expect(reached.map(([name]) => name)).toEqual(streams);
        });
      }
      await reaches(START, ["job", "draft", "lines", "batch", "feed", "tenant"]);
      await reaches(STEP, ["job", "feed", "tenant"]);
      await reaches(DELIVER, ["job", "draft", "lines", "batch", "feed", "tenant"]);
      expect(others.map(({ count }) => count)).toEqual([0, 0, 0, 0, 0, 0]);
    });

    test("a piece of a draft reaches the draft's stream", async ({ engine }) => {
      const held = await startedJob(engine, at(0));
      const heard = await listen(engine, { stream: "draft", jobId: held.jobId });
      const log = await listen(engine, { stream: "job", jobId: held.jobId });
      await engine.appendDraft(held, "text");
      await vi.waitFor(() => expect(heard.count).toBeGreaterThan(0));
      expect(log.count).toBe(0);
    });

    test("log lines reach the stream of log lines, and no other of the job", async ({ engine }) => {
      const held = await startedJob(engine, at(0));
      const { jobId } = held;
      const heard = await listen(engine, { stream: "lines", jobId });
      const log = await listen(engine, { stream: "job", jobId });
      const draft = await listen(engine, { stream: "draft", jobId });
      await engine.appendLines(held, [{ at: at(1), level: "info", message: "line" }]);
      await vi.waitFor(() => expect(heard.count).toBeGreaterThan(0));
      expect([log.count, draft.count]).toEqual([0, 0]);
    });

    test("what is refused hints nothing", async ({ engine }) => {
      const { jobId } = await startedJob(engine, at(0));
      const heard = await listen(engine, { stream: "job", jobId });
      await expect(engine.change(jobId, START, at(1))).rejects.toMatchObject({
        code: "ILLEGAL_TRANSITION",
      });
      await engine.change(jobId, STEP, at(1));
      await vi.waitFor(() => expect(heard.count).toBeGreaterThan(0));
      expect(heard.events.every(({ type }) => type === "progress")).toBe(true);
    });

    test("several listen to one stream, and one that ends leaves the others", async ({
      engine,
    }) => {
      const { jobId } = await startedJob(engine, at(0));
      const stream: StreamRef = { stream: "job", jobId };
      const [first, second] = [await listen(engine, stream), await listen(engine, stream)];
      await engine.change(jobId, STEP, at(1));
      await vi.waitFor(() => expect(Math.min(first.count, second.count)).toBeGreaterThan(0));
      first.end();
      first.end();
      first.count = 0;
      second.count = 0;
      await engine.change(jobId, STEP, at(2));
      await vi.waitFor(() => expect(second.count).toBeGreaterThan(0));
      expect(first.count).toBe(0);
    });

    test("a listener may end itself and others, and listen anew, while it is called", async ({
      engine,
    }) => {
      const { jobId } = await startedJob(engine, at(0));
      const stream: StreamRef = { stream: "job", jobId };
      const seen: number[] = [];
      let end: (() => void) | undefined;
      const listenAnew = async () => {
        end = await engine.onAppend(stream, ({ event }) => {
          end?.();
          other.end();
          if (event) seen.push(event.seq);
          listening = listenAnew();
        });
      };
      let listening = listenAnew();
      await listening;
      const other = await listen(engine, stream);
      await engine.change(jobId, STEP, at(1));
      await vi.waitFor(() => expect(seen).toContain(3));
      await listening;
      await engine.change(jobId, STEP, at(2));
      await vi.waitFor(() => expect(seen).toContain(4));
      expect(other.count).toBe(0);
      // The engine rejects a subscription that is still under way when it closes.
      await listening;
    });

    test("a listener that throws disturbs neither the others nor the commit", async ({
      engine,
    }) => {
      const warn = vi.spyOn(process, "emitWarning").mockReturnValue();
      const { jobId } = await startedJob(engine, at(0));
      const stream: StreamRef = { stream: "job", jobId };
      for (const thrown of [new Error("a listener's fault"), Object.create(null) as unknown]) {
        await engine.onAppend(stream, () => {
          throw thrown;
        });
      }
      const heard = await listen(engine, stream);
      await engine.change(jobId, STEP, at(1));
      await vi.waitFor(() => expect(heard.count).toBeGreaterThan(0));
      expect(warn).toHaveBeenCalledWith(new Error("a listener's fault"));
      await engine.change(jobId, DELIVER, at(2));
      warn.mockRestore();
    });
  });
}
