import fc from "fast-check";
import { describe, expect } from "vitest";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import {
  at,
  claimOne,
  codeOf,
  DELIVER,
  draftOf,
  newId,
  newJob,
  release,
  START,
  startedJob,
} from "./builders.ts";

export function draftsSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("drafts", () => {
    test("pieces come back in order, each with its place", async ({ engine }) => {
      const held = await startedJob(engine, at(0));
      for (const text of ["Once ", "upon ", "", "a time"]) await engine.appendDraft(held, text);
      expect(await engine.readDraft(held.jobId, 0)).toEqual({
        pieces: [
          { seq: 1, attempt: 1, offset: 0, text: "Once " },
          { seq: 2, attempt: 1, offset: 5, text: "upon " },
          { seq: 3, attempt: 1, offset: 10, text: "" },
          { seq: 4, attempt: 1, offset: 10, text: "a time" },
        ],
        head: 4,
        status: "PROCESSING",
      });
      expect((await engine.readDraft(held.jobId, 2))?.pieces.map(({ seq }) => seq)).toEqual([3, 4]);
      expect(await engine.readDraft(held.jobId, 4)).toMatchObject({ pieces: [], head: 4 });
    });

    test("[G6] a piece that says where it goes is stored once, however often it comes", async ({
      engine,
    }) => {
      const first = await startedJob(engine, at(0));
      expect(await engine.appendDraft(first, "Once ", 0)).toBe(5);
      expect(await engine.appendDraft(first, "Once ", 0)).toBe(5);
      expect(await engine.appendDraft(first, "upon", 5)).toBe(9);
      expect(await engine.appendDraft(first, "Once ", 0)).toBe(9);
      expect(await engine.appendDraft(first, "\ud83d\ude00")).toBe(11);
      expect(await codeOf(engine.appendDraft(first, "far", 12))).toBe("BAD_REQUEST");
      expect(await codeOf(engine.appendDraft(first, "across", 9))).toBe("BAD_REQUEST");
      expect(await draftOf(engine, first.jobId)).toBe("Once upon\ud83d\ude00");
      await engine.change(first.jobId, release(), at(1), first);
      const second = await claimOne(engine, at(1));
      await engine.change(first.jobId, START, at(1), second);
      expect(await codeOf(engine.appendDraft(second, "far", 11))).toBe("BAD_REQUEST");
      expect(await engine.appendDraft(second, "Anew", 0)).toBe(4);
      expect(await draftOf(engine, first.jobId)).toBe("Anew");
    });

    test("a job without a draft has none", async ({ engine }) => {
      const { id } = await engine.createJob(newJob(), at(0));
      expect(await engine.readDraft(id, 0)).toEqual({ pieces: [], head: 0, status: "PENDING" });
    });

    test("any text survives in pieces, also half a surrogate pair", async ({ engine }) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(
            fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("\ud83d", "\ude00", "\0")),
            {
              maxLength: 8,
            },
          ),
          async (texts) => {
            const held = await startedJob(engine, at(0));
            await Promise.all(texts.map((text) => engine.appendDraft(held, text)));
            expect(await draftOf(engine, held.jobId)).toBe(texts.join(""));
            let offset = 0;
            for (const piece of (await engine.readDraft(held.jobId, 0))?.pieces ?? []) {
              expect(piece.offset).toBe(offset);
              offset += piece.text.length;
            }
          },
        ),
        { numRuns: 30 },
      );
    });

    test("a new attempt starts the draft over with its first piece; seq counts on", async ({
      engine,
    }) => {
      const first = await startedJob(engine, at(0));
      await engine.appendDraft(first, "first ");
      await engine.appendDraft(first, "try");
      await engine.change(first.jobId, release(), at(1), first);
      const second = await claimOne(engine, at(2));
      await engine.change(second.jobId, START, at(2), second);
      expect(await draftOf(engine, first.jobId)).toBe("first try");
      await engine.appendDraft(second, "second");
      await engine.appendDraft(second, " try");
      expect(await engine.readDraft(first.jobId, 0)).toEqual({
        pieces: [
          { seq: 3, attempt: 2, offset: 0, text: "second" },
          { seq: 4, attempt: 2, offset: 6, text: " try" },
        ],
        head: 4,
        status: "PROCESSING",
      });
    });

    test("the draft stays when the job settles", async ({ engine }) => {
      const held = await startedJob(engine, at(0));
      await engine.appendDraft(held, "done");
      await engine.change(held.jobId, DELIVER, at(1), held);
      expect(await engine.readDraft(held.jobId, 0)).toMatchObject({ head: 1, status: "DELIVERED" });
      expect(await draftOf(engine, held.jobId)).toBe("done");
    });

    test("only an attempt that goes on may write", async ({ engine }) => {
      await engine.createJob(newJob(), at(0));
      const waiting = await claimOne(engine, at(0));
      expect(await codeOf(engine.appendDraft(waiting, "x"))).toBe("ILLEGAL_TRANSITION");
      expect(await codeOf(engine.appendDraft({ jobId: newId(), token: 1 }, "x"))).toBe("NOT_FOUND");
      expect(await engine.readDraft(waiting.jobId, 0)).toMatchObject({ pieces: [], head: 0 });
    });
  });
}
