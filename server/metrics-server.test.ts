import { afterEach, beforeEach, expect, test } from "vitest";
import { pino } from "pino";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { type App, createApp } from "./app.ts";
import { loadConfig } from "./config.ts";

let data: TestData;
let app: App;
let metricsUrl: string;

beforeEach(async () => {
  data = await newTestData();
  const logged: { msg: string; url?: string }[] = [];
  const log = pino({}, { write: (line) => void logged.push(JSON.parse(line)) });
  const env = { PORT: "0", METRICS_PORT: "0", AUTH_API_KEYS: "true", SHUTDOWN_GRACE_MS: "0" };
  app = await createApp(loadConfig({ ...data.env, ...env }), { log });
  metricsUrl = logged.find(({ msg }) => msg === "metrics")?.url ?? "";
});
afterEach(async () => {
  await app.close();
  await data.remove();
});

test("METRICS_PORT serves the metrics without sign-in, and nothing else", async () => {
  const answer = await fetch(metricsUrl);
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain("jobwire_watches 0");
  for (const path of ["/", "/healthz", "/metrics/", "/trpc/system.info", "/socket.io/"]) {
    const other = await fetch(new URL(path, metricsUrl));
    expect([path, other.status, await other.text()]).toEqual([
      path,
      404,
      "Not found. Use /metrics.\n",
    ]);
  }
  expect((await fetch(metricsUrl, { method: "POST", body: "x" })).status).toBe(405);
});

test("the main port then has no metrics, for any caller", async () => {
  const answer = await fetch(`${app.url}/metrics`);
  expect(answer.status).toBe(404);
  expect(await answer.text()).toBe("Metrics have a port of their own here.\n");
});

test("METRICS_PORT closes with the server", async () => {
  await app.close();
  await expect(fetch(metricsUrl)).rejects.toThrow("fetch failed");
});
