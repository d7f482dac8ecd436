import fc from "fast-check";
import { describe, expect } from "vitest";
import { timesOf } from "#test/long-run.ts";
import { engineTest, type EngineUnderTest } from "./engine.fixture.ts";
import { command, ModelRun } from "./model-run.ts";

const COMMANDS = fc.array(command, { maxLength: 120, size: "max" });

export function modelSuite(subject: EngineUnderTest): void {
  const test = engineTest(subject);

  describe("against the model", () => {
    test("[J1] [J2] [B2] whatever is done to it, the engine tells the model's story", async () => {
      let jobs = 0;
      const story = fc.asyncProperty(COMMANDS, async (commands) => {
        const data = await subject.prepare();
        const run = new ModelRun(await data.open(), data);
        try {
          for (const each of commands) await run.step(each);
          await run.compare();
          jobs += run.model.jobs.length;
        } finally {
          await run.engine.close();
          await data.destroy();
        }
      });
      // A slow machine runs fewer cases, and shrinking a failure stops at the same time limit.
      await fc.assert(story, { numRuns: timesOf(10, 60), interruptAfterTimeLimit: 90_000 });
      expect(jobs).toBeGreaterThan(0);
    }, 120_000);
  });
}
