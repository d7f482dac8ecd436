/**
 * The program with kinds whose output is their input. One has the article kind's name, as an app may choose, so that
 * its output has not passed that kind's sanitising.
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

await runProgram(process.env, { kinds });
