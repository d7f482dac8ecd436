import fc from "fast-check";
import { describe, expect } from "vitest";
import { MAX_LOG_LINES } from "#shared/limits.ts";
import { LOG_LEVELS, type NewLogLine } from "#shared/log-line.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  at,
  claimOne,
  codeOf,
  DELIVER,
  newId,
  newJob,
  release,
  START,
  startedJob,
} from "./builders.ts";

const line = (message: string, seconds = 0): NewLogLine => ({
  at: at(seconds),
  level: "info",
  message,
});

export function linesSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("log lines", () => {
    test("[J20] come back in order with level, time and attempt, in pages", async ({ engine }) => {
      const held = await startedJob(engine, at(0));
      await engine.appendLines(held, [line("one", 1), { ...line("two", 2), level: "error" }]);
      await engine.appendLines(held, [line("three", 1)]);
      const lines = [
        { seq: 1, at: at(1), attempt: 1, level: "info", message: "one" },
        { seq: 2, at: at(2), attempt: 1, level: "error", message: "two" },
        { seq: 3, at: at(1), attempt: 1, level: "info", message: "three" },
      ];
      const { jobId } = held;
      expect(await engine.readLines(jobId, 0, 9)).toEqual({ lines, head: 3, status: "PROCESSING" });
      expect((await engine.readLines(jobId, 0, 2))?.lines).toEqual(lines.slice(0, 2));
      expect((await engine.readLines(jobId, 2, 2))?.lines).toEqual(lines.slice(2));
      expect(await engine.readLines(jobId, Number.MAX_SAFE_INTEGER, 1)).toMatchObject({
        lines: [],
        head: 3,
      });
    });

    test("a job without lines has none, and one that does not exist has no list", async ({
      engine,
    }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      expect(await engine.readLines(id, 0, 9)).toEqual({ lines: [], head: 0, status: "PENDING" });
      expect(await engine.readLines(newId(), 0, 9)).toBeUndefined();
    });

    test("any well-formed text survives", async ({ engine }) => {
      const held = await startedJob(engine, at(0));
      const messages = fc.sample(fc.string({ unit: "binary" }), 50).concat("", "\0", "a\0b", "\n");
      const lines = messages.map((message, index) => ({
        ...line(message),
        level: LOG_LEVELS[index % LOG_LEVELS.length] ?? "info",
      }));
      await engine.appendLines(held, lines);
      const read = (await engine.readLines(held.jobId, 0, 100))?.lines ?? [];
      expect(read.map(({ at: time, level, message }) => ({ at: time, level, message }))).toEqual(
        lines,
      );
    });

    test("[J20] the lines of earlier attempts stay, up to the newest of all", async ({
      engine,
    }) => {
      const first = await startedJob(engine, at(0));
      const { jobId } = first;
      await engine.appendLines(first, [line("first a"), line("first b")]);
      await engine.change(jobId, release(), at(1), first);
      const second = await claimOne(engine, at(2));
      await engine.change(jobId, START, at(2), second);
      await engine.appendLines(second, [line("second")]);
      expect((await engine.readLines(jobId, 0, 9))?.lines).toMatchObject([
        { seq: 1, attempt: 1, message: "first a" },
        { seq: 2, attempt: 1, message: "first b" },
        { seq: 3, attempt: 2, message: "second" },
      ]);
      await engine.appendLines(
        second,
        Array.from({ length: MAX_LOG_LINES - 1 }, (_, index) => line(`more ${index}`)),
      );
      const kept = await engine.readLines(jobId, 0, 2 * MAX_LOG_LINES);
      expect(kept?.head).toBe(MAX_LOG_LINES + 2);
      expect(kept?.lines).toHaveLength(MAX_LOG_LINES);
      expect(kept?.lines[0]).toMatchObject({ seq: 3, message: "second" });
      expect(kept?.lines.at(-1)).toMatchObject({ seq: MAX_LOG_LINES + 2 });
      // A cursor among the deleted ones.
      expect((await engine.readLines(jobId, 1, 1))?.lines[0]).toMatchObject({ seq: 3 });
    });

    test("[J20] only an attempt that goes on may write, and its lines stay when it ends", async ({
      engine,
    }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      const held = await claimOne(engine, at(0));
      expect(await codeOf(engine.appendLines(held, [line("x")]))).toBe("ILLEGAL_TRANSITION");
      expect(await codeOf(engine.appendLines({ jobId: newId(), token: 1 }, [line("x")]))).toBe(
        "NOT_FOUND",
      );
      await engine.change(id, START, at(0), held);
      await engine.appendLines(held, [line("done")]);
      await engine.change(id, DELIVER, at(1), held);
      expect(await codeOf(engine.appendLines(held, [line("x")]))).toBe("CLAIM_LOST");
      expect(await engine.readLines(id, 0, 9)).toMatchObject({
        lines: [{ message: "done" }],
        head: 1,
        status: "DELIVERED",
      });
    });
  });
}
