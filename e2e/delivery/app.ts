/** The server in a process of its own with a kind of job that does what it is told, for tests that count bytes. */
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind, type RunContext } from "#server/kinds/define.ts";

/** What a test asks for. Each is answered with its `n`. */
export type Order =
  | { n: number; do: "memory" }
  /** So many progress events with texts of so many bytes, committed when it is answered. */
  | { n: number; do: "emit"; jobId: string; count: number; bytes: number }
  | { n: number; do: "deliver"; jobId: string };

export interface Memory {
  heapUsed: number;
  external: number;
  arrayBuffers: number;
  rss: number;
  /** What keeps the process busy, by kind: sockets, timers. */
  resources: Record<string, number>;
}

/** Commits that are asked for before the first is awaited: what a busy job does. */
const CONCURRENT_COMMITS = 50;

const running = new Map<string, { context: RunContext<unknown>; deliver: () => void }>();
let steps = 0;

const driven = defineKind({
  name: "driven",
  description: "Does what it is told.",
  input: z.unknown(),
  title: () => "driven",
  start: { progress: 1, message: "started" },
  async run(context) {
    await new Promise<void>((deliver) => running.set(context.jobId, { context, deliver }));
    running.delete(context.jobId);
    return { status: "delivered" as const, message: "done", output: null };
  },
});

async function follow(order: Order): Promise<Memory | undefined> {
  if (order.do === "memory") {
    // What one collection finds unused, the next one frees: buffers outside of the heap.
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
        return job.context.progress(50, `step ${steps} ${"x".repeat(order.bytes)}`);
      }),
    );
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const app = await createApp(loadConfig(process.env), { kinds: [driven] });
  process.on("message", (order: Order) => {
    follow(order).then(
      (result) => process.send?.({ n: order.n, result }),
      (error: unknown) => process.send?.({ n: order.n, error: String(error) }),
    );
  });
  // Whoever started it is gone.
  process.on("disconnect", () => process.exit(1));
  process.on("SIGTERM", () => void app.close().then(() => process.exit(0)));
  process.send?.({ url: app.url });
}
