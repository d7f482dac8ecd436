/**
 * The server in a process of its own with a kind that follows a test's orders, for tests that count bytes. It also has the
 * article kind, for hostile pages.
 */
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { articleFromEnv, SAMPLES } from "#server/kinds/article/index.ts";
import { defineKind, delivered, type RunContext } from "#server/kinds/define.ts";
import { randomText } from "#test/random-text.ts";

/** Orders of a test. Each is answered with its `n`. */
export type Order =
  | { n: number; do: "memory" }
  /** Emits `count` progress events with texts of `bytes` bytes; answered once they are committed. */
  | { n: number; do: "emit"; jobId: string; count: number; bytes: number }
  | { n: number; do: "deliver"; jobId: string };

export interface Memory {
  heapUsed: number;
  external: number;
  arrayBuffers: number;
  rss: number;
  /** Open resources that keep the process alive, counted by type: sockets, timers. */
  resources: Record<string, number>;
}

/** Commits in flight, as in a busy job. */
const CONCURRENT_COMMITS = 50;

const running = new Map<string, { context: RunContext<unknown>; deliver: () => void }>();
let steps = 0;

const driven = defineKind({
  name: "driven",
  description: "Follows a test's orders.",
  input: z.unknown(),
  output: z.unknown(),
  title: () => "driven",
  start: { progress: 1, message: "started" },
  async run(context) {
    await new Promise<void>((deliver) => running.set(context.jobId, { context, deliver }));
    running.delete(context.jobId);
    return delivered("done", null);
  },
});

async function follow(order: Order): Promise<Memory | undefined> {
  if (order.do === "memory") {
    // Several rounds, because buffers outside of the heap are freed one collection later.
    for (let round = 0; round < 3; round++) {
      globalThis.gc?.();
      await setImmediate();
    }
    const resources: Record<string, number> = {};
    for (const kind of process.getActiveResourcesInfo()) {
      resources[kind] = (resources[kind] ?? 0) + 1;
    }
    return { ...process.memoryUsage(), resources };
  }
  const job = running.get(order.jobId);
  if (job === undefined) throw new Error(`Job ${order.jobId} does not run.`);
  if (order.do === "deliver") {
    job.deliver();
    return;
  }
  for (let left = order.count; left > 0; left -= CONCURRENT_COMMITS) {
    await Promise.all(
      Array.from({ length: Math.min(left, CONCURRENT_COMMITS) }, () => {
        steps += 1;
        return job.context.progress(50, `step ${steps} ${randomText(order.bytes)}`);
      }),
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const kinds = [driven, articleFromEnv(process.env)];
  const app = await createApp(loadConfig(process.env), { kinds, sites: [SAMPLES] });
  process.on("message", (order: Order) => {
    follow(order).then(
      (result) => process.send?.({ n: order.n, result }),
      (error: unknown) => process.send?.({ n: order.n, error: String(error) }),
    );
  });
  // The parent is gone.
  process.on("disconnect", () => process.exit(1));
  process.on("SIGTERM", () => void app.close().then(() => process.exit(0)));
  process.send?.({ url: app.url });
}
