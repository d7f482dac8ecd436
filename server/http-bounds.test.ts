/** A whole server against clients that send raw HTTP. */
import { type Socket, connect } from "node:net";
import { createTRPCClient, httpLink } from "@trpc/client";
import superjson from "superjson";
import { afterEach, beforeEach, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { type App, type AppParts, createApp } from "./app.ts";
import { loadConfig } from "./config.ts";
import { SAMPLES } from "./kinds/article/samples.ts";
import { defineKind, delivered } from "./kinds/define.ts";

const PATIENT = { timeout: 120_000 };

let data: TestData;
beforeEach(async () => {
  data = await newTestData();
});
afterEach(() => data.remove());

/** Reports endlessly, so that the events soon exceed the kernel's buffer for a client that does not read. */
const busy = defineKind({
  name: "busy",
  description: "Reports without end.",
  input: z.object({}),
  output: z.unknown(),
  title: () => "Busy",
  start: { progress: 0, message: "Begun" },
  async run({ progress, signal }) {
    while (!signal.aborted) await progress(50, "x".repeat(2000));
    return delivered("Done", null);
  },
});
const idle = defineKind({
  name: "idle",
  description: "Waits until it is cancelled.",
  input: z.object({}),
  output: z.unknown(),
  title: () => "Idle",
  start: { progress: 0, message: "Waiting" },
  async run({ signal }) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return delivered("Done", null);
  },
});

async function start(env: Record<string, string> = {}, parts: AppParts = {}): Promise<App> {
  const config = loadConfig({
    PORT: "0",
    ...data.env,
    LOG_LEVEL: "silent",
    SHUTDOWN_GRACE_MS: "0",
    ...env,
  });
  const app = await createApp(config, { kinds: [busy, idle], sites: [SAMPLES], ...parts });
  onTestFinished(async () => void (await app.close()));
  return app;
}

function open({ url }: App, text: string): Socket {
  const socket = connect({ port: Number(new URL(url).port), host: "127.0.0.1" });
  socket.on("error", () => undefined);
  onTestFinished(() => void socket.destroy());
  socket.write(text);
  return socket;
}

async function all(socket: Socket): Promise<string> {
  let answer = "";
  for await (const chunk of socket.setEncoding("latin1")) answer += chunk as string;
  return answer;
}

const get = (path: string, host = "localhost") =>
  `GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

const events = (jobId: string) =>
  get(`/trpc/job.onUpdate?input=${encodeURIComponent(JSON.stringify({ json: { jobId } }))}`);

test("[H3] a client that does not read an event stream loses its connection, and idle streams stay open", async () => {
  const app = await start({ STALL_TIMEOUT_MS: "1000", PING_INTERVAL_MS: "3600000" });
  const client = createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${app.url}/trpc`, transformer: superjson })],
  });
  const create = async (kind: string) => (await client.job.create.mutate({ kind, input: {} })).id;
  const watches = async () => {
    const text = await (await fetch(`${app.url}/metrics`)).text();
    return Number(/^jobwire_watches (\d+)$/m.exec(text)?.[1]);
  };

  const quiet = open(app, events(await create("idle"))).resume();
  await expect.poll(watches, PATIENT).toBe(1);
  // One after the other, so that the idle stream outlives several timeouts.
  const jobId = await create("busy");
  for (let turn = 0; turn < 2; turn++) {
    open(app, events(jobId)).pause();
    await expect.poll(watches, PATIENT).toBe(2);
    await expect.poll(watches, PATIENT).toBe(1);
  }
  expect(quiet.closed).toBe(false);
});

test("[H4] a body that comes too slowly is answered with 408", async () => {
  const app = await start({ REQUEST_TIMEOUT_MS: "1000" });
  const head =
    "POST /trpc/job.create HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json";
  const answer = await all(open(app, `${head}\r\nContent-Length: 100\r\n\r\n{"json"`));
  expect(answer).toMatch(/^HTTP\/1\.1 408 /);
});

test("a page with cookies can read why its address is too long", async () => {
  const app = await start({ CORS_ORIGINS: "https://app.example.com" });
  const head = get(`/trpc/job.list?${"x".repeat(20_000)}`);
  const origin = "Origin: https://app.example.com";
  const answer = await all(open(app, head.replace("\r\n", `\r\n${origin}\r\n`)));
  expect(answer).toMatch(/^HTTP\/1\.1 431 [^]*"code":"PAYLOAD_TOO_LARGE"/);
  expect(answer).toContain("\r\nAccess-Control-Allow-Origin: https://app.example.com\r\n");
  expect(answer).toContain("\r\nAccess-Control-Allow-Credentials: true\r\n");
});

test("[H5] more than a thousand requests in one packet close their sender's connection", async () => {
  const app = await start();
  const text = "GET /trpc/job.list HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1300);
  // The first request may get its answer before the connection closes.
  expect(await all(open(app, text)).catch(() => "")).not.toMatch(/HTTP\/1\.1[^]*HTTP\/1\.1/);
  expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
});

test("a connection beyond MAX_CONNECTIONS is closed", async () => {
  const app = await start({ MAX_CONNECTIONS: "1" });
  const first = open(app, "");
  await new Promise((resolve) => first.once("connect", resolve));
  expect(await all(open(app, get("/healthz"))).catch(() => "")).toBe("");
  first.write(get("/healthz"));
  expect(await all(first)).toMatch(/^HTTP\/1\.1 200 /);
});

// The program does not recognise the short form of 127.0.0.1 as a loopback address, but packets stay on this machine.
const REACHABLE = { HOST: "127.1", ALLOW_ANONYMOUS: "true" };

test("[H8] a server that other machines reach answers only to known names", async () => {
  const app = await start({ ...REACHABLE, ALLOWED_HOSTS: "jobs.example.com" });
  const socketio = "/socket.io/?EIO=4&transport=polling";
  for (const path of ["/trpc/system.info", socketio, "/socket.io/socket.io.js", "/"]) {
    const answer = await all(open(app, get(path, "evil.test")));
    expect(answer).toMatch(/^HTTP\/1\.1 403 /);
    expect(answer).toMatch(/Host \\?"evil\.test\\?" is not allowed\. Add it to ALLOWED_HOSTS\./);
    expect(await all(open(app, get(path, "jobs.example.com:8080")))).not.toMatch(
      /^HTTP\/1\.1 403 /,
    );
  }
  for (const path of ["/healthz", "/readyz", "/metrics", "/samples/"]) {
    expect(await all(open(app, get(path, "evil.test")))).toMatch(/^HTTP\/1\.1 200 /);
  }
});

test("a server with authentication that other machines reach answers to every name", async () => {
  const app = await start(REACHABLE, {
    authenticate: async () => LOCAL_PRINCIPAL,
  });
  expect(await all(open(app, get("/trpc/system.info", "evil.test")))).toMatch(/^HTTP\/1\.1 200 /);
});

test("[H8] the path decides if a page of another site may embed it", async () => {
  const app = await start();
  const embed = async (path: string) => {
    const answer = await all(
      open(app, get(path).replace("\r\n\r\n", "\r\nSec-Fetch-Site: cross-site\r\n\r\n")),
    );
    return Number(answer.slice("HTTP/1.1 ".length).slice(0, 3));
  };
  for (const path of [
    "/trpc",
    "/trpc/",
    "/trpc/job.list",
    "/socket.io",
    "/socket.io/?EIO=4&transport=polling",
    "/socket.io-msgpack",
    "/socket.io-msgpack/?EIO=4&transport=polling",
    "/socket.io-msgpack/socket.io.js?EIO=4&transport=polling",
    "/socket.io/socket.io.js/x?EIO=4&transport=polling",
    "/socket.io/x.js",
  ]) {
    expect([path, await embed(path)]).toEqual([path, 403]);
  }
  for (const path of [
    "/healthz",
    "/readyz",
    "/metrics",
    "/samples/",
    "/socket.io/socket.io.js",
    "/socket.io/socket.io.esm.min.js?x",
    "/socket.io/socket.io.min.js.map",
  ]) {
    expect([path, await embed(path)]).toEqual([path, 200]);
  }
  // Without a built page the answer is 503.
  for (const path of ["/", "/jobs/1"]) expect(await embed(path)).not.toBe(403);
});

test.each([
  ["/healthz", /"status":"ok"/],
  ["/trpc/system.info", /"engine":/],
  ["/socket.io/?EIO=4&transport=polling", /0\{"sid":/],
  ["/socket.io/socket.io.min.js", /Socket\.IO v4/],
  ["/samples", /\r\nLocation: \/samples\/\r\n/],
])("%s gets the same answer in absolute form", async (path, answer) => {
  const app = await start();
  const { host } = new URL(app.url);
  const ask = (target: string) =>
    all(open(app, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
  expect(await ask(path)).toMatch(answer);
  expect(await ask(app.url + path)).toMatch(answer);
});
