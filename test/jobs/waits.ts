/** A kind for tests whose jobs are to be found running, or waiting. */
import { z } from "zod";
import { defineKind } from "#server/kinds/define.ts";

export const waits = defineKind({
  name: "waits",
  description: "Waits until it is cancelled.",
  input: z.object({}),
  output: z.unknown(),
  title: () => "Waits",
  start: { progress: 0, message: "Waiting" },
  run: ({ signal }) =>
    new Promise((_resolve, reject) =>
      signal.addEventListener("abort", () => reject(signal.reason as Error)),
    ),
});
