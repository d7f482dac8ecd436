import { createHash } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createJobwire, defineKind } from "jobwire";
import { z } from "zod";

const checksums = defineKind({
  name: "checksums",
  description: "Computes the SHA-256 of texts.",
  input: z.object({ texts: z.array(z.string().max(10_000)).min(1).max(100) }),
  details: z.object({ done: z.int(), of: z.int() }),
  output: z.array(z.string()),
  title: ({ texts }) => `Checksums of ${texts.length} texts`,

  async run({ input: { texts }, signal, progress }) {
    const sums: string[] = [];
    for (const text of texts) {
      sums.push(createHash("sha256").update(text).digest("hex"));
      const details = { done: sums.length, of: texts.length };
      await progress(Math.floor((99 * details.done) / details.of), `${details.done} done`, details);
      // Larger texts would take this time.
      await pause(50, undefined, { signal });
    }
    return sums;
  },
});

export const jobwire = createJobwire({
  kinds: [checksums],
  // The path below which the proxy serves Jobwire, and the name by which clients reach the proxy.
  env: { BASE_PATH: "/jobs", ...process.env },
});

type Server = typeof jobwire;
export interface App extends Server {}
