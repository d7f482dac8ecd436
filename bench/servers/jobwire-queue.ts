/** Jobwire with a kind that does nothing, used over HTTP like by any client. */
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { z } from "zod";
import { answerCalls } from "#bench/program.ts";
import { createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind, delivered } from "#server/kinds/define.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { openData } from "./data.ts";
import { CONCURRENCY, type Queue } from "./queue.ts";

let ran = 0;
let onRan = () => {};
const noop = defineKind({
  name: "noop",
  description: "Does nothing.",
  input: z.object({ n: z.int() }),
  output: z.unknown(),
  title: ({ n }) => `No-op ${n}`,
  start: { progress: 0, message: "Job started" },
  async run() {
    ran += 1;
    onRan();
    return delivered("Done", null);
  },
});

const data = await openData();
const app = await createApp(
  loadConfig({
    PORT: "0",
    ...data.env,
    LOG_LEVEL: "error",
    CONCURRENCY: String(CONCURRENCY),
  }),
  { kinds: [noop] },
);
const trpc = createTRPCClient<AppRouter>({
  links: [httpLink({ url: `${app.url}/trpc`, transformer: superjson })],
});

const queue: Queue = {
  async run({ jobs }) {
    const { promise: allRan, resolve } = Promise.withResolvers<void>();
    ran = 0;
    onRan = () => {
      if (ran === jobs) resolve();
    };
    const begin = performance.now();
    const { id } = await trpc.batch.create.mutate({
      jobs: Array.from({ length: jobs }, (_, n) => ({ kind: "noop", input: { n } })),
    });
    // Polling would cost CPU, so wait for the last run before the first request.
    await allRan;
    for (;;) {
      const { delivered, aborted } = await trpc.batch.get.query({ batchId: id });
      if (aborted > 0) throw new Error(`${aborted} jobs that do nothing failed.`);
      if (delivered === jobs) return performance.now() - begin;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  },
};
answerCalls(queue, async () => {
  await app.close();
  await data.remove();
});
