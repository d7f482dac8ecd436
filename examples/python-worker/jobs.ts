import { defineKind } from "jobwire";
import { z } from "zod";

/** Without `run`: workers of other programs run its jobs. */
export const checksums = defineKind({
  name: "checksums",
  description: "Computes the SHA-256 of texts.",
  input: z.object({ texts: z.array(z.string().max(10_000)).min(1).max(100) }),
  details: z.object({ done: z.int(), of: z.int() }),
  output: z.array(z.string()),
  title: ({ texts }) => `Checksums of ${texts.length} texts`,
});
