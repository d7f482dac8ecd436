import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
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

test("refused credentials and sign-ins are counted by their reason, whatever they were", async () => {
  const signIn = (token: string) =>
    fetch(`${app.url}/auth/sign-in`, {
      method: "POST",
      headers: { "content-type": "application/json", origin: app.url },
      body: JSON.stringify({ token }),
    });
  expect((await signIn("jobwire_no_key")).status).toBe(401);
  expect((await fetch(`${app.url}/auth/me`)).status).toBe(401);
  const authorization = "Bearer jobwire_another";
  const calls = ["job.list", "job.none"].map((path) =>
    fetch(`${app.url}/trpc/${path}`, { headers: { authorization } }),
  );
  for (const answer of await Promise.all(calls)) expect(answer.status).toBeGreaterThanOrEqual(400);
  const text = await (await fetch(metricsUrl)).text();
  for (const line of [
    'jobwire_credentials_refused_total{reason="invalid"} 3',
    'jobwire_credentials_refused_total{reason="missing"} 1',
    'jobwire_sign_ins_total{method="token",outcome="refused"} 1',
    'jobwire_sign_ins_total{method="token",outcome="accepted"} 0',
    'jobwire_call_errors_total{transport="auth",code="UNAUTHENTICATED"} 2',
    'jobwire_failed_calls_total{procedure="job.list"} 1',
    'jobwire_failed_calls_total{procedure="other"} 1',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
});

test("METRICS_PORT closes with the server", async () => {
  await app.close();
  await expect(fetch(metricsUrl)).rejects.toThrow("fetch failed");
});

test("a start on a port that is in use names the variable that set it", async () => {
  const { port } = new URL(metricsUrl);
  const other = await newTestData();
  onTestFinished(() => other.remove());
  const log = pino({ level: "silent" });
  const startWith = (env: Record<string, string>) =>
    createApp(loadConfig({ ...other.env, ...env }), { log });
  const starting = startWith({ PORT: "0", METRICS_PORT: port });
  await expect(starting).rejects.toMatchObject({ code: "EADDRINUSE", variable: "METRICS_PORT" });
  await expect(startWith({ PORT: port })).rejects.toMatchObject({ variable: "PORT" });
});
