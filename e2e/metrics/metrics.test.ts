/** The metrics of a server that has run jobs, against the rules and the dashboard in deploy/. */
import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  createTRPCClient,
  createWSClient,
  httpLink,
  httpSubscriptionLink,
  splitLink,
  wsLink,
} from "@trpc/client";
import { EventSource } from "eventsource";
import { io } from "socket.io-client";
import superjson from "superjson";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { z } from "zod";
import { createApp, type App } from "#server/app.ts";
import { loadConfig } from "#server/config.ts";
import { defineKind, delivered, Failure } from "#server/kinds/define.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { METRICS } from "#server/metrics/definitions.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { type Rule, rulesIn, usedBy } from "./promql.ts";

const DEPLOY = fileURLToPath(new URL("../../deploy/", import.meta.url));
const read = (path: string) => readFileSync(DEPLOY + path, "utf8");
const WAIT = { timeout: 120_000 };

/** Fails unless the program ends well and without complaints. Resolves to what it wrote. */
function promtool(args: string[], input = ""): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(inject("promtool"), args, { cwd: DEPLOY }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout + stderr);
      else reject(new Error(`promtool ${args.join(" ")}:\n${stdout}${stderr}`));
    });
    child.stdin?.end(input);
  });
}

/** Resolves when all watchers of the newest job watch it. */
let watched = Promise.withResolvers<void>();

const steps = defineKind({
  name: "steps",
  description: "Reports a step, and fails if it is told to.",
  input: z.object({ fails: z.boolean() }),
  output: z.unknown(),
  title: () => "Steps",
  async run({ input, progress }) {
    await watched.promise;
    await progress(50, "Half");
    if (input.fails) throw new Failure("BAD", "It was told to fail.");
    return delivered("Done", null);
  },
});

let data: TestData;
let app: App;
let text: string;
/** The labels of each sample name. */
let scraped: Map<string, Set<string>>;

async function scrape(): Promise<string> {
  return (await fetch(`${app.url}/metrics`)).text();
}

/** Runs a job that delivers and one that fails, each before three watchers. */
async function runJobs(): Promise<void> {
  const { url } = app;
  const socket = createWSClient({ url: `${url.replace("http", "ws")}/trpc` });
  const options = { url: `${url}/trpc`, transformer: superjson };
  const overSocket = createTRPCClient<AppRouter>({
    links: [wsLink({ client: socket, transformer: superjson })],
  });
  const overSse = createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: httpSubscriptionLink({ ...options, EventSource }),
        false: httpLink(options),
      }),
    ],
  });
  const legacy = io(url, { transports: ["websocket"] });
  for (const fails of [false, true]) {
    watched = Promise.withResolvers();
    const { id: jobId } = await overSocket.job.create.mutate({ kind: "steps", input: { fails } });
    const watchers = new Set<unknown>();
    legacy.on("job:update", () => watchers.add(legacy));
    legacy.emit("subscribe:job", { job_id: jobId });
    const over = [overSocket, overSse].map(
      (client) =>
        new Promise<void>((resolve, reject) => {
          client.job.onUpdate.subscribe(
            { jobId, lastEventId: "0" },
            { onData: () => watchers.add(client), onComplete: resolve, onError: reject },
          );
        }),
    );
    await vi.waitUntil(() => watchers.size === 3, WAIT);
    watched.resolve();
    await Promise.all(over);
  }
  // There is none.
  await overSocket.job.get.query({ jobId: randomUUID() }).catch(() => undefined);
  legacy.close();
  await socket.close();
}

beforeAll(async () => {
  data = await newTestData();
  const config = loadConfig({ PORT: "0", ...data.env, LOG_LEVEL: "silent" });
  app = await createApp(config, { kinds: [steps] });
  await runJobs();
  // Garbage is collected sooner or later.
  const garbage: unknown[] = [];
  await vi.waitUntil(async () => {
    garbage.splice(0, garbage.length, ...Array.from({ length: 100_000 }, (_, n) => ({ n })));
    text = await scrape();
    return text.includes("nodejs_gc_duration_seconds_sum");
  }, WAIT);
  scraped = new Map();
  for (const line of text.split("\n")) {
    const [, name, labels = ""] = /^([a-zA-Z_:][\w:]*)(\{.*\})? \S+$/.exec(line) ?? [];
    if (name === undefined) continue;
    const known = scraped.get(name) ?? new Set<string>();
    for (const [, label = ""] of labels.matchAll(/(\w+)="/g)) known.add(label);
    scraped.set(name, known);
  }
});
afterAll(async () => {
  await app.close();
  await data.remove();
});

test("promtool accepts what a server answers, without a complaint about names, types or texts", async () => {
  expect(await promtool(["check", "metrics"], text)).toBe("");
});

test("a server has each metric of docs/metrics.md, with its type, its text and no other label", () => {
  for (const { name, type, help, labels } of Object.values(METRICS)) {
    expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    const sample = type === "histogram" ? `${name}_bucket` : name;
    const own = type === "histogram" ? ["le"] : [];
    expect([name, [...(scraped.get(sample) ?? [])].toSorted()]).toEqual([
      name,
      [...Object.keys(labels), ...own].toSorted(),
    ]);
  }
  const documented = new Set<string>(Object.values(METRICS).map(({ name }) => name));
  const ours = [...text.matchAll(/^# TYPE (jobwire_\w+) /gm)].map(([, name = ""]) => name);
  expect(ours.filter((name) => !documented.has(name))).toEqual([]);
});

function value(sample: string): number {
  const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
  return Number(line?.slice(sample.length));
}

test("what a job and its watchers did is in the figures", () => {
  expect(value('jobwire_job_run_seconds_count{kind="steps",outcome="delivered"}')).toBe(1);
  expect(value('jobwire_job_run_seconds_count{kind="steps",outcome="aborted"}')).toBe(1);
  expect(value('jobwire_job_queue_wait_seconds_count{kind="steps"}')).toBe(2);
  expect(value('jobwire_connections_opened_total{transport="trpc-websocket"}')).toBe(1);
  expect(value('jobwire_connections_opened_total{transport="trpc-sse"}')).toBe(2);
  expect(value('jobwire_connections_opened_total{transport="socketio-websocket"}')).toBe(1);
  for (const transport of ["trpc-websocket", "trpc-sse", "socketio-websocket"]) {
    expect(value(`jobwire_sent_entries_total{transport="${transport}"}`)).toBeGreaterThan(1);
    expect(value(`jobwire_sent_bytes_total{transport="${transport}"}`)).toBeGreaterThan(100);
  }
  expect(value('jobwire_call_errors_total{transport="trpc",code="NOT_FOUND"}')).toBe(1);
  expect(value('jobwire_failed_calls_total{procedure="job.get"}')).toBe(1);
  expect(value('jobwire_engine_operation_seconds_count{operation="createJob"}')).toBe(2);
  expect(value("jobwire_engine_group_size_count")).toBeGreaterThan(4);
  expect(value("jobwire_delivery_lag_seconds_count")).toBeGreaterThan(1);
});

/** Labels that Prometheus itself adds to each sample, or to the results of rules. */
const ADDED = new Set(["job", "instance", "alertname", "alertstate"]);

describe("[M3] the rules and the dashboard use what a server has", () => {
  const rules = rulesIn(read("prometheus/rules.yaml"));
  const alerts = rules.filter(({ kind }) => kind === "alert");
  const dashboard = JSON.parse(read("grafana/jobwire.json")) as object;
  const recorded = new Map(
    rules
      .filter(({ kind }) => kind === "record")
      .map(({ name, expr }) => [name, new Set(usedBy(expr).grouping)]),
  );

  function labelsOf(metric: string): ReadonlySet<string> | undefined {
    if (metric === "up" || metric === "ALERTS") return ADDED;
    return recorded.get(metric) ?? scraped.get(metric);
  }

  /** Says what is wrong with an expression and a template of its labels. */
  function faultsOf(expr: string, template = ""): string[] {
    const { selectors, grouping } = usedBy(expr);
    const known = new Set(ADDED);
    const faults = selectors.flatMap(({ metric, labels }) => {
      const has = labelsOf(metric);
      if (has === undefined) return [`${metric} does not exist`];
      for (const label of has) known.add(label);
      return labels
        .filter((label) => !has.has(label) && !ADDED.has(label))
        .map((label) => `${metric} has no label ${label}`);
    });
    const shown = [...template.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)];
    const named = [...grouping, ...shown.map(([, label = ""]) => label)];
    const unknown = named.filter((label) => !known.has(label)).map((label) => `no label ${label}`);
    if (selectors.length === 0) faults.push(`${expr} selects nothing`);
    return [...faults, ...unknown];
  }

  test("names and labels that do not exist are found", () => {
    expect(faultsOf("rate(jobwire_none_total[5m])")).toEqual(["jobwire_none_total does not exist"]);
    expect(faultsOf('jobwire_watches{tenant="a"}')).toEqual([
      "jobwire_watches has no label tenant",
    ]);
    expect(faultsOf("sum by (user) (jobwire_watches)")).toEqual(["no label user"]);
    expect(faultsOf("jobwire_watches", "{{ $labels.limit }} {{ $value }}")).toEqual([
      "no label limit",
    ]);
    expect(faultsOf("sum by (job) (jobwire_watches)", "{{instance}}")).toEqual([]);
  });

  test("each rule", () => {
    expect(rules.length).toBeGreaterThan(20);
    for (const { name, expr, text: rule } of rules) {
      expect([name, faultsOf(expr, rule.replaceAll("{{ $value", ""))]).toEqual([name, []]);
    }
  });

  test("each panel and variable of the dashboard", () => {
    const { panels, templating, annotations } = z
      .object({
        panels: z.array(
          z.object({
            title: z.string().min(1),
            type: z.enum(["row", "timeseries", "stat"]),
            targets: z.array(z.object({ expr: z.string(), legendFormat: z.string() })).default([]),
            fieldConfig: z.object({ defaults: z.object({ unit: z.string() }) }).optional(),
            gridPos: z.object({ x: z.number(), y: z.number(), w: z.number(), h: z.number() }),
            id: z.number(),
          }),
        ),
        templating: z.object({
          list: z.array(z.object({ name: z.string(), definition: z.string().optional() })),
        }),
        annotations: z.object({ list: z.array(z.object({ expr: z.string() })) }),
      })
      .parse(dashboard);
    for (const { title, type, targets, fieldConfig, gridPos } of panels) {
      expect([title, targets.length > 0]).toEqual([title, type !== "row"]);
      expect([title, fieldConfig !== undefined]).toEqual([title, type !== "row"]);
      expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
      for (const { expr, legendFormat } of targets) {
        expect([title, faultsOf(expr, legendFormat)]).toEqual([title, []]);
      }
    }
    expect(panels.filter(({ type }) => type === "row").map(({ title }) => title)).toEqual([
      "Overview",
      "Delivery",
      "Jobs",
      "Queue",
      "Engine",
      "Limits and sign-ins",
      "Process",
    ]);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const queries = templating.list.filter(({ definition }) => definition !== undefined);
    for (const { name, definition = "" } of queries) {
      expect([name, faultsOf(definition)]).toEqual([name, []]);
    }
    for (const { expr } of annotations.list) expect(faultsOf(expr)).toEqual([]);
  });

  test("each alert says how grave it is, what happened, what to do, and where its page is", () => {
    const page = read("../docs/operations.md").toLowerCase().replaceAll(" ", "-");
    for (const { name, text: rule } of alerts) {
      const has = (pattern: RegExp) => [name, pattern.test(rule)];
      expect(has(/^ +labels: \{ severity: (?:page|ticket) \}$/m)).toEqual([name, true]);
      expect(has(/^ +summary: ".+\."$/m)).toEqual([name, true]);
      expect(has(/^ +description: ".+\. .+\."$/m)).toEqual([name, true]);
      const anchor = name.replaceAll(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
      expect(page).toContain(`\n###-${anchor}\n`);
      expect(rule).toContain(`runbook: docs/operations.md#${anchor}\n`);
    }
  });

  test("each alert has a test with promtool", async () => {
    const tests = read("prometheus/rules.test.yaml");
    const untested = ({ name }: Rule) =>
      !tests.includes(`labels: 'ALERTS{alertname="${name}", alertstate="firing"`);
    expect(alerts.filter(untested)).toEqual([]);
    expect(await promtool(["test", "rules", "prometheus/rules.test.yaml"])).toContain("SUCCESS");
    await promtool(["check", "config", "prometheus/prometheus.yaml"]);
  });
});
