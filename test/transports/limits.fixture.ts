/** For tests of limits: a kind whose jobs wait until they are cancelled. */
import { z } from "zod";
import { defineKind } from "#server/kinds/define.ts";

export const testKind = defineKind({
  name: "waits",
  description: "Waits until it is cancelled.",
  input: z.object({ text: z.string().optional() }),
  output: z.unknown(),
  title: () => "Waits",
  start: { progress: 0, message: "Waiting" },
  run: ({ signal }) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason)),
    ),
});
