/** The program with a kind whose jobs report steps, for tests that kill it. */
import { existsSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { defineKind, delivered } from "#server/kinds/define.ts";
import { runProgram } from "#server/program.ts";

const Steps = z.object({
  steps: z.int(),
  everyMs: z.int(),
  /** A file: the job reports nothing until it exists. */
  after: z.string().optional(),
  /** A file: the job reports further steps until it exists. */
  until: z.string().optional(),
});

const isShut = (gate?: string) => gate !== undefined && !existsSync(gate);

const steps = defineKind({
  name: "steps",
  description: "Reports steps, and writes a word of its draft with each.",
  input: Steps,
  output: z.unknown(),
  title: () => "Steps",
  start: { progress: 0, message: "Step 0" },
  async run({ input, progress, draft, signal }) {
    while (isShut(input.after)) await delay(20, undefined, { signal });
    for (let step = 1; step <= input.steps || isShut(input.until); step += 1) {
      await delay(input.everyMs, undefined, { signal });
      await progress(Math.min(99, step), `Step ${step}`);
      await draft(`${step} `);
    }
    return delivered("All steps done", { steps: input.steps });
  },
});

await runProgram(process.env, { kinds: [steps] });
