/** Repeated `kill -9` during the work: no event that a watcher saw is lost, and every job settles. */
import { fileURLToPath } from "node:url";
import { createTRPCClient, createWSClient, httpSubscriptionLink, wsLink } from "@trpc/client";
import { EventSource } from "eventsource";
import { io } from "socket.io-client";
import superjson from "superjson";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { timesOf } from "#test/long-run.ts";
import { checkRecord } from "#test/streams/check-record.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import type { BatchAggregate } from "#shared/batch.ts";
import type { JobEvent } from "#shared/events.ts";
import type { LegacyBatchPayload, LegacyJobPayload } from "#shared/legacy.ts";
import { type RunningServer, startServer } from "./server.ts";

/** The program with a kind whose jobs cost little, so that the machine is busy with their events. */
const STEPS = fileURLToPath(new URL("cluster/app.ts", import.meta.url));
const JOBS = timesOf(24, 50);
/** Numbers of settled jobs at which the server is killed. */
const KILL_AT = [JOBS * 0.1, JOBS * 0.4, JOBS * 0.7];

let server: RunningServer;

beforeAll(async () => {
  server = await startServer({ main: STEPS, env: { CONCURRENCY: "5", MAX_ATTEMPTS: "20" } });
});

afterAll(async () => {
  await server.stop();
});

test("[S1] [S2] [S5] [S6] [S9] [S11] [J3] [J6] [B2] a batch survives three kills, and all watchers see the same events", async () => {
  const socket = createWSClient({
    url: `${server.url.replace("http", "ws")}/trpc`,
    retryDelayMs: () => 20,
  });
  const trpc = createTRPCClient<AppRouter>({
    links: [wsLink({ client: socket, transformer: superjson })],
  });
  const batch = await trpc.batch.create.mutate({
    name: "killed",
    jobs: Array.from({ length: JOBS }, () => ({
      kind: "steps",
      input: { steps: 12, everyMs: 20 },
    })),
  });
  const { items: jobs } = await trpc.job.list.query({ batchId: batch.id, limit: 200 });
  expect(jobs).toHaveLength(JOBS);

  const seen = new Map<string, JobEvent[]>();
  const aggregates: BatchAggregate[] = [];
  const watchers = jobs.map(
    ({ id }) =>
      new Promise<void>((resolve, reject) => {
        const events: JobEvent[] = [];
        seen.set(id, events);
        trpc.job.onUpdate.subscribe(
          { jobId: id, lastEventId: "0" },
          { onData: ({ data }) => events.push(data), onComplete: resolve, onError: reject },
        );
      }),
  );
  // The same over SSE, whose client also reconnects by itself.
  const events = createTRPCClient<AppRouter>({
    links: [
      httpSubscriptionLink({ url: `${server.url}/trpc`, transformer: superjson, EventSource }),
    ],
  });
  const seenOverSse = new Map<string, JobEvent[]>();
  const sseWatchers = jobs.slice(0, 10).map(
    ({ id }) =>
      new Promise<void>((resolve, reject) => {
        const record: JobEvent[] = [];
        seenOverSse.set(id, record);
        events.job.onUpdate.subscribe(
          { jobId: id, lastEventId: "0" },
          { onData: ({ data }) => record.push(data), onComplete: resolve, onError: reject },
        );
      }),
  );
  const batchWatcher = new Promise<void>((resolve, reject) => {
    trpc.batch.onUpdate.subscribe(
      { batchId: batch.id },
      { onData: ({ data }) => aggregates.push(data), onComplete: resolve, onError: reject },
    );
  });

  const legacy = io(server.url, { reconnectionDelay: 20, reconnectionDelayMax: 20 });
  const legacyBatch: LegacyBatchPayload[] = [];
  const legacyJobs = new Map<string, LegacyJobPayload[]>();
  legacy.on("connect", () => {
    legacy.emit("subscribe:batch", { batch_id: batch.id });
    for (const { id } of jobs.slice(0, 10)) legacy.emit("subscribe:job", { job_id: id });
  });
  legacy.on("batch:update", (payload: LegacyBatchPayload) => legacyBatch.push(payload));
  legacy.on("job:update", (payload: LegacyJobPayload) => {
    legacyJobs.set(payload.job_id, [...(legacyJobs.get(payload.job_id) ?? []), payload]);
  });

  for (const settled of KILL_AT) {
    await vi.waitFor(
      () => {
        const newest = [...seen.values()].map((events) => events.at(-1)?.status);
        expect(newest.filter((status) => status === "DELIVERED").length).toBeGreaterThan(settled);
        expect(newest).toContain("PROCESSING");
      },
      { timeout: 120_000, interval: 10 },
    );
    await server.kill("SIGKILL");
    await server.restart();
  }
  await Promise.all([...watchers, ...sseWatchers, batchWatcher]);

  for (const [jobId, events] of seen) {
    const { items: log } = await trpc.job.events.query({ jobId, limit: 1000 });
    expect(checkRecord(log, [{ after: 0, seen: events }])).toEqual([]);
    expect(events).toHaveLength(log.length);
    expect(events.at(-1)?.type).toBe("delivered");
    const starts = log.filter(({ type }) => type === "started").map(({ attempt }) => attempt);
    expect(starts).toEqual(starts.map((_, index) => index + 1));
    // A kill ended every attempt but the last, and the log has a retry for each.
    const broken = log.filter(({ type }) => type === "retrying").map(({ attempt }) => attempt);
    expect(broken).toEqual(starts.slice(0, -1));
  }
  for (const [jobId, record] of seenOverSse) expect(record).toEqual(seen.get(jobId));
  const interrupted = [...seen.values()].filter((events) => (events.at(-1)?.attempt ?? 0) > 1);
  expect(interrupted.length).toBeGreaterThanOrEqual(KILL_AT.length);

  const versions = aggregates.map(({ version }) => version);
  expect(versions).toEqual([...new Set(versions)].toSorted((a, b) => a - b));
  expect(aggregates.at(-1)).toMatchObject({
    total: JOBS,
    completed: JOBS,
    delivered: JOBS,
    progress: 100,
    status: "completed",
  });

  await vi.waitFor(() => {
    expect(legacyBatch.at(-1)).toMatchObject({ completed: JOBS, status: "completed" });
    for (const { id } of jobs.slice(0, 10)) {
      expect(legacyJobs.get(id)?.at(-1)).toMatchObject({ status: "DELIVERED", progress: 100 });
    }
  });
  for (const updates of legacyJobs.values()) {
    const statuses = updates.map(({ status }) => status);
    expect(new Set(statuses.slice(statuses.indexOf("DELIVERED")))).toEqual(new Set(["DELIVERED"]));
  }
  legacy.close();
  await socket.close();
});
