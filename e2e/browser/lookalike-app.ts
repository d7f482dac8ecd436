/**
 * The program with kinds whose output is their input. One has the article kind's name, as an app may choose, so that
 * its output has not passed that kind's sanitising. Another reports its input as details.
 */
import { z } from "zod";
import { defineKind, delivered } from "#server/kinds/define.ts";
import { runProgram } from "#server/program.ts";

const kinds = ["article", "lookalike"].map((name) =>
  defineKind({
    name,
    description: "Hands out its input.",
    input: z.unknown(),
    output: z.unknown(),
    title: () => "Looks like an article",
    start: { progress: 0, message: "Job started" },
    run: async ({ input }) => delivered("Done", input),
  }),
);

const detailed = defineKind({
  name: "detailed",
  description: "Reports its input as details, and goes on until it is stopped.",
  input: z.unknown(),
  details: z.unknown(),
  output: z.unknown(),
  title: () => "Has details",
  start: { progress: 0, message: "Job started" },
  concurrency: {
    limit: 1,
    key: (input) => (input === "alone" ? input : undefined),
    keyName: "lane",
  },
  async run({ input, progress, signal }) {
    await progress(50, "Half way", input);
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => reject(new Error("stopped")));
    });
  },
});

await runProgram(process.env, { kinds: [...kinds, detailed] });
