/** A whole server against clients that speak HTTP byte by byte. */
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
import { defineKind } from "./kinds/define.ts";

const PATIENT = { timeout: 30_000 };

let data: TestData;
beforeEach(async () => {
  data = await newTestData();
});
afterEach(() => data.remove());

/** Reports without end: soon that is more than the kernel keeps for a client that does not read. */
const busy = defineKind({
  name: "busy",
  description: "Reports without end.",
  input: z.object({}),
  title: () => "Busy",
  start: { progress: 0, message: "Begun" },
  async run({ progress, signal }) {
    while (!signal.aborted) await progress(50, "x".repeat(2000));
    return { status: "delivered", message: "Done", output: null };
  },
});
const idle = defineKind({
  name: "idle",
  description: "Waits until it is cancelled.",
  input: z.object({}),
  title: () => "Idle",
  start: { progress: 0, message: "Waiting" },
  async run({ signal }) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
    return { status: "delivered", message: "Done", output: null };
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
  const app = await createApp(config, { kinds: [busy, idle], ...parts });
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

test("[H3] a client that does not read an event stream is cut off, and idle streams live on", async () => {
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
  // One after the other, so that the idle stream sees several time-outs pass.
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

test("[H5] more than a thousand requests in one packet cost their sender the connection", async () => {
  const app = await start();
  const text = "GET /trpc/job.list HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(1300);
  // Perhaps the first was answered before the connection was closed.
  expect(await all(open(app, text)).catch(() => "")).not.toMatch(/HTTP\/1\.1[^]*HTTP\/1\.1/);
  expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
});

test("one connection more than MAX_CONNECTIONS is closed", async () => {
  const app = await start({ MAX_CONNECTIONS: "1" });
  const first = open(app, "");
  await new Promise((resolve) => first.once("connect", resolve));
  expect(await all(open(app, get("/healthz"))).catch(() => "")).toBe("");
  first.write(get("/healthz"));
  expect(await all(first)).toMatch(/^HTTP\/1\.1 200 /);
});

// The short form of 127.0.0.1 is none that the program knows as this machine's own, and yet the packets stay here.
const REACHABLE = { HOST: "127.1" };

test("[H8] a server that others reach answers to the names that it knows", async () => {
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

test("a server that others reach and that authenticates answers to every name", async () => {
  const app = await start(REACHABLE, {
    authenticate: async () => LOCAL_PRINCIPAL,
  });
  expect(await all(open(app, get("/trpc/system.info", "evil.test")))).toMatch(/^HTTP\/1\.1 200 /);
});

test("[H8] what a page of another site embeds is data or not by its path", async () => {
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
  // Where the page is not built it is a 503.
  for (const path of ["/", "/jobs/1"]) expect(await embed(path)).not.toBe(403);
});

test.each([
  ["/healthz", /"status":"ok"/],
  ["/trpc/system.info", /"engine":/],
  ["/socket.io/?EIO=4&transport=polling", /0\{"sid":/],
  ["/socket.io/socket.io.min.js", /Socket\.IO v4/],
  ["/samples", /\r\nLocation: \/samples\/\r\n/],
])("%s is the same where its address is the target of the request", async (path, answer) => {
  const app = await start();
  const { host } = new URL(app.url);
  const ask = (target: string) =>
    all(open(app, `GET ${target} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`));
  expect(await ask(path)).toMatch(answer);
  expect(await ask(app.url + path)).toMatch(answer);
});
