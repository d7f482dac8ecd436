/**
 * Jobwire with a kind whose jobs report progress on command. Engine, runner, streams and transports are the real ones,
 * on data of its own: every event is committed to disk before a watcher receives it. With `BENCH_ROLE=gateway` and no
 * jobs, a gateway that only forwards events of other processes.
 */
import { setTimeout as delay } from "node:timers/promises";
import superjson from "superjson";
import { z } from "zod";
import { createApp } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind, type RunContext } from "#server/kinds/define.ts";
import type { Batch } from "#shared/batch.ts";
import { LEGACY_REQUEST } from "#shared/legacy.ts";
import { noteCommits } from "./commit-times.ts";
import { openData } from "./data.ts";
import { servePeer, type Watch } from "./peer.ts";
import { sampleDetails } from "./sample-event.ts";

servePeer(async ({ jobs, headers = {}, details }) => {
  const data = await openData();
  const newestCommit = noteCommits();
  const running: RunContext<unknown, unknown>[] = [];
  const pulse = defineKind({
    name: "pulse",
    description: "Reports progress when it is told to.",
    input: z.object({}),
    details: z.unknown(),
    output: z.unknown(),
    title: () => "Pulse",
    start: { progress: 0, message: "Job started" },
    run(context) {
      running.push(context);
      return new Promise(() => {});
    },
  });
  const app = await createApp(
    loadConfig({
      PORT: "0",
      ...data.env,
      ROLE: process.env.BENCH_ROLE ?? "all",
      LOG_LEVEL: "error",
      CONCURRENCY: "1000",
      SHUTDOWN_GRACE_MS: "0",
      // No pings and no time-outs during a measurement.
      PING_INTERVAL_MS: "3600000",
      STALL_TIMEOUT_MS: "3600000",
      // Enough for the scenario with most watchers.
      MAX_CONNECTIONS: "20000",
      // Overrides of a scenario, as JSON.
      ...(JSON.parse(process.env.BENCH_CONFIG ?? "{}") as Record<string, string>),
    }),
    { kinds: [pulse] },
  );
  if (jobs > 0) await createJobs(app.url, jobs, headers);
  while (running.length < jobs) await delay(5);
  const ids = running.map(({ jobId }) => jobId);

  let turn = 0;
  let step = 0;
  return {
    opened: {
      port: Number(new URL(app.url).port),
      watches: {
        trpc: { ...trpcWatch(ids), headers },
        socketio: { ...socketioWatch(ids), headers },
      },
    },
    async emit(messages) {
      await Promise.all(
        messages.map((message) => {
          turn = (turn + 1) % jobs;
          const { progress } = running[turn] as RunContext<unknown, unknown>;
          if (details === undefined) return progress(50, message);
          step += 1;
          return progress(50, message, sampleDetails(details, step));
        }),
      );
      return newestCommit();
    },
    async close() {
      await app.close();
      await data.remove();
    },
  };
});

async function createJobs(
  url: string,
  jobs: number,
  headers: Record<string, string>,
): Promise<void> {
  const response = await fetch(`${url}/trpc/batch.create`, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(
      superjson.serialize({
        jobs: Array.from({ length: jobs }, () => ({ kind: "pulse", input: {} })),
      }),
    ),
  });
  if (!response.ok) throw new Error(`The jobs were not created: ${await response.text()}`);
  const { result } = (await response.json()) as { result: { data: { json: Batch } } };
  if (result.data.json.total !== jobs) throw new Error("Not all jobs were created.");
}

function trpcWatch(ids: readonly string[]): Watch {
  return {
    path: "/trpc",
    says: ids.map((jobId, index) => ({
      after: 0,
      text: JSON.stringify({
        id: index + 1,
        method: "subscription",
        params: { path: "job.onUpdate", input: { json: { jobId } } },
      }),
    })),
    // `started`, and the current state.
    greeting: 2 * ids.length,
  };
}

function socketioWatch(ids: readonly string[]): Watch {
  return {
    path: "/socket.io/?EIO=4&transport=websocket",
    says: [
      { after: 1, text: "40" },
      ...ids.map((jobId) => ({
        after: 3,
        text: `42${JSON.stringify([LEGACY_REQUEST.subscribeJob, { job_id: jobId }])}`,
      })),
    ],
    // Engine.IO's and Socket.IO's open packets, `connection`, and `subscribed` and the current state for each job.
    greeting: 3 + 2 * ids.length,
  };
}
