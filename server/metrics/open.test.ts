import { beforeEach, expect, test } from "vitest";
import type { Storage } from "#server/engine/storage.ts";
import { LIMIT_NAMES } from "#server/limits/limits.ts";
import { byStreamKind, newCounts } from "#server/streams/counts.ts";
import { CONNECTION_KINDS, type ConnectionUsage, newSent } from "#server/transports/usage.ts";
import { ERROR_CODES } from "#shared/errors.ts";
import { createMetrics, type Metrics } from "./open.ts";

const STORED = { unsettledJobs: 12, bytes: 4096, disk: { freeBytes: 10, sizeBytes: 100 } };

let metrics: Metrics;
let storage: Storage["storage"];
let time: number;
let reads: number;
let counts: ReturnType<typeof newUsage>;
/** `undefined`: it cannot be read. */
let paused: boolean | undefined;
const newUsage = () => byStreamKind(() => ({ ...newCounts(), watches: 0, streams: 0 }));

beforeEach(() => {
  time = Date.parse("2026-11-30T12:00:00Z");
  reads = 0;
  storage = undefined;
  counts = newUsage();
  paused = true;
  metrics = createMetrics(
    {
      version: "1.2.3",
      role: "all",
      kinds: ["article", "report"],
      concurrency: 7,
      now: () => new Date(time),
    },
    {
      streams: () => ((reads += 1), counts),
      running: () => 3,
      isDraining: () => true,
      isPaused: async () => {
        if (paused === undefined) throw new Error("The data cannot be read.");
        return paused;
      },
      engine: () => ({ name: "sqlite", isAvailable: () => true, ...(storage && { storage }) }),
    },
  );
});

/** The samples of our own metrics. */
async function samples(): Promise<Map<string, number>> {
  const { text } = await metrics.expose();
  const lines = text.split("\n").filter((line) => line.startsWith("jobwire_"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

test("[M1] no text that a client, a job or a tenant chose becomes a series", async () => {
  metrics.serve([{ procedures: ["job.get"] }]);
  const report = (kind: string, procedure: string) => {
    metrics.runner.waited(kind, 1);
    metrics.runner.recovered(kind);
    metrics.runner.ended(kind, "delivered", 1);
    metrics.transports.callFailed("trpc", "NOT_FOUND", procedure);
  };
  report("article", "job.get");
  report("report", "job.nothing");
  report("removed", "job.nothing");
  const before = [...(await samples()).keys()];
  const hostile = [
    "__proto__",
    "constructor",
    "toString",
    'a"} 1\njobwire_x 1',
    "",
    "x".repeat(1e6),
  ];
  const many = Array.from({ length: 1000 }, (_, n) => `kind-${n}`);
  for (const text of [...hostile, ...many]) report(text, text);
  const after = await samples();
  expect([...after.keys()]).toEqual(before);
  expect(after.get('jobwire_failed_calls_total{procedure="other"}')).toBe(2 + 1006);
  expect(after.get('jobwire_jobs_recovered_total{kind="other"}')).toBe(1 + 1006);
  expect(after.get('jobwire_failed_calls_total{procedure="job.get"}')).toBe(1);
});

test("[M1] counters with known labels begin with 0", async () => {
  metrics.serve([{ procedures: ["job.get", "job.list"] }]);
  const figures = await samples();
  const names = [
    ...LIMIT_NAMES.map((limit) => `jobwire_rate_limited_total{limit="${limit}"}`),
    ...ERROR_CODES.map((code) => `jobwire_call_errors_total{transport="socketio",code="${code}"}`),
    ...CONNECTION_KINDS.map((kind) => `jobwire_sent_entries_total{transport="${kind}"}`),
    'jobwire_sign_ins_total{method="oidc",outcome="failed"}',
    'jobwire_credentials_refused_total{reason="unchecked"}',
    'jobwire_jobs_recovered_total{kind="report"}',
    'jobwire_failed_calls_total{procedure="job.list"}',
    'jobwire_job_events_total{type="requeued"}',
    'jobwire_connections_stalled_total{transport="http"}',
    "jobwire_connections_dropped_total",
  ];
  for (const name of names) expect([name, figures.get(name)]).toEqual([name, 0]);
});

test("numbers that are counted elsewhere are read at each scrape", async () => {
  const sent = newSent();
  let open = 1;
  const usage = (): ConnectionUsage[] => [
    { kind: "trpc-websocket", open, opened: 5, sent, full: 1, stalled: 2 },
    { kind: "trpc-sse", open: 0, opened: 4, sent: newSent() },
  ];
  metrics.serve([{ usage }, {}]);
  await samples();
  Object.assign(sent, { entries: 10, bytes: 2000 });
  open = 3;
  Object.assign(counts.job, { watches: 4, streams: 2, delivered: 20, folded: 6, paused: 1 });
  Object.assign(counts.feed, { watches: 1, streams: 1, gaps: 1 });
  const figures = await samples();
  expect(Object.fromEntries([...figures].filter(([, value]) => value !== 0))).toEqual({
    'jobwire_connections{transport="trpc-websocket"}': 3,
    'jobwire_connections_opened_total{transport="trpc-websocket"}': 5,
    'jobwire_connections_opened_total{transport="trpc-sse"}': 4,
    'jobwire_connections_full{transport="trpc-websocket"}': 1,
    'jobwire_connections_stalled_total{transport="trpc-websocket"}': 2,
    'jobwire_sent_entries_total{transport="trpc-websocket"}': 10,
    'jobwire_sent_bytes_total{transport="trpc-websocket"}': 2000,
    jobwire_watches: 5,
    jobwire_watched_streams: 3,
    'jobwire_delivered_entries_total{stream="job"}': 20,
    'jobwire_folded_entries_total{stream="job"}': 6,
    'jobwire_watch_pauses_total{stream="job"}': 1,
    'jobwire_stream_gaps_total{stream="feed"}': 1,
    jobwire_running_jobs: 3,
    jobwire_worker_draining: 1,
    jobwire_paused: 1,
    jobwire_concurrency: 7,
    jobwire_engine_available: 1,
    'jobwire_build_info{version="1.2.3",role="all",engine="sqlite"}': 1,
  });
});

async function storageSamples(): Promise<Record<string, number>> {
  const all = [...(await samples())];
  return Object.fromEntries(all.filter(([name]) => /_(unsettled|data)_/.test(name)));
}

test("how full the store is has no value where it is not known", async () => {
  expect(await storageSamples()).toEqual({});
  storage = async () => STORED;
  expect(await storageSamples()).toEqual({
    jobwire_unsettled_jobs: 12,
    jobwire_data_bytes: 4096,
    jobwire_data_disk_free_bytes: 10,
    jobwire_data_disk_size_bytes: 100,
  });
  storage = () => Promise.reject(new Error("the disk is gone"));
  expect(await storageSamples()).toEqual({});
});

test("the lag is the age of a delivered change, and 0 for one of a clock that is ahead", async () => {
  metrics.onDelivered(new Date(time - 40));
  metrics.onDelivered(new Date(time + 60_000));
  const figures = await samples();
  expect(figures.get("jobwire_delivery_lag_seconds_sum")).toBe(0.04);
  expect(figures.get('jobwire_delivery_lag_seconds_bucket{le="0.001"}')).toBe(1);
  expect(figures.get('jobwire_delivery_lag_seconds_bucket{le="0.05"}')).toBe(2);
});

test("[M2] requests that arrive while a scrape is computed share it, and the next one is new", async () => {
  const [one, other] = await Promise.all([metrics.expose(), metrics.expose()]);
  expect(one).toBe(other);
  expect(reads).toBe(1);
  await metrics.expose();
  expect(reads).toBe(2);
});

test("[M2] no metric lists the sockets of the process", async () => {
  const { text } = await metrics.expose();
  expect(text).not.toMatch(/nodejs_active_/);
  expect(text).toContain("nodejs_eventloop_lag_max_seconds");
});

test("[O8] what is paused stays as it was last read while the data cannot be read", async () => {
  expect((await samples()).get("jobwire_paused")).toBe(1);
  paused = undefined;
  expect((await samples()).get("jobwire_paused")).toBe(1);
  paused = false;
  expect((await samples()).get("jobwire_paused")).toBe(0);
});
