/** Callers with invalid credentials, and an `authenticate` hook that fails in every way. */
import { fileURLToPath } from "node:url";
import type { AnyTRPCProcedure } from "@trpc/server";
import { afterAll, beforeAll, expect, test } from "vitest";
import { WebSocket } from "ws";
import { type RunningServer, startServer } from "#e2e/server.ts";
import { isOpen } from "#server/auth/permissions.ts";
import { createRouter } from "#server/transports/trpc/router.ts";
import type { Target } from "./attack.ts";
import { ask, settles } from "./requests.ts";

const APP = fileURLToPath(new URL("kinds-app.ts", import.meta.url));
const { procedures } = createRouter({ intervalMs: 1000, timeoutMs: 1000 }, ["good"])._def;
/** The router's procedures are flat, by dotted path, although their type is nested. */
const PATHS = Object.entries(procedures as unknown as Record<string, AnyTRPCProcedure>).map(
  ([path, procedure]) => [path, procedure._def.type] as const,
);
const UNAUTHORIZED = /"code":"UNAUTHORIZED"/;

let server: RunningServer;
let target: Target;
beforeAll(async () => {
  server = await startServer({ main: APP });
  target = { host: "127.0.0.1", port: Number(new URL(server.url).port) };
});
afterAll(() => server.stop());

/** Sends one message on a WebSocket. Resolves to the received text, once `until` matches it or the server hangs up. */
async function overSocket(path: string, how: string, says: string, until: RegExp): Promise<string> {
  const ws = new WebSocket(`ws://127.0.0.1:${target.port}${path}`, {
    headers: { "X-Authenticate": how },
  });
  let text = "";
  const { promise, resolve } = Promise.withResolvers<void>();
  ws.on("open", () => ws.send(says));
  ws.on("message", (data: Buffer) => {
    text += `${data.toString()}\n`;
    if (until.test(text)) resolve();
  });
  ws.on("error", () => {}).on("close", () => resolve());
  await settles(promise);
  ws.terminate();
  return text;
}

const call = (path: string, type: string) =>
  JSON.stringify({ id: 1, method: type, params: { path, input: { json: {} } } });

test.each(PATHS.filter(([path]) => !isOpen(path)))(
  "%s, a %s, is UNAUTHORIZED over HTTP and WebSocket",
  async (path, type) => {
    const headers = { "X-Authenticate": "refuse" };
    const over =
      type === "mutation"
        ? await ask(target, `/trpc/${path}`, {
            method: "POST",
            headers: { ...headers, "Content-Type": "application/json" },
            body: '{"json":{}}',
          })
        : await ask(target, `/trpc/${path}?input=${encodeURIComponent('{"json":{}}')}`, {
            headers: { ...headers, Accept: "text/event-stream, application/json" },
            until: /UNAUTHORIZED|"stale"/,
          });
    expect(over.text).toMatch(UNAUTHORIZED);
    expect(over.text).not.toContain("stale");
    const told = await overSocket("/trpc", "refuse", call(path, type), /UNAUTHORIZED|"stale"/);
    expect(told).toMatch(UNAUTHORIZED);
    expect(told).not.toContain("stale");
  },
);

/** Socket.IO's answer to CONNECT. */
const GREETED = /^4[04]/m;
const LEGACY = "/socket.io/?EIO=4&transport=websocket";

async function servesOthers(): Promise<void> {
  expect(await ask(target, "/trpc/job.list")).toMatchObject({ status: 200 });
  expect(await overSocket(LEGACY, "", "40", GREETED)).toMatch(/^40/m);
}

test.each(["throw", "throw-nothing", "reject", "reject-nothing", "reject-undefined"])(
  "[H13] where authenticate does %s, callers on every transport get a retryable error, and others are served",
  async (how) => {
    const headers = { "X-Authenticate": how };
    const refused = await ask(target, "/trpc/job.list", { headers });
    expect(refused.status).toBe(503);
    expect(refused.text).not.toMatch(/thrown|rejected/);
    const told = await overSocket("/trpc", how, call("job.list", "query"), /"id":1/);
    expect(told).toMatch(/SERVICE_UNAVAILABLE/);
    expect(told).not.toMatch(/thrown|rejected/);
    // The connection is broken off, so that the client reconnects.
    expect(await overSocket(LEGACY, how, "40", GREETED)).not.toMatch(GREETED);
    await servesOthers();
  },
);

test.each([
  ["refuse", 401],
  ["resolve-nothing", 500],
])(
  "where authenticate does %s, the caller is refused, and others are served",
  async (how, status) => {
    const headers = { "X-Authenticate": how };
    expect(await ask(target, "/trpc/job.list", { headers })).toMatchObject({ status });
    expect(await overSocket("/trpc", how, call("job.list", "query"), /"id":1/)).toMatch(/"error"/);
    expect(await overSocket(LEGACY, how, "40", GREETED)).toMatch(/^44/m);
    await servesOthers();
  },
);

test("where authenticate never answers, others are served", async () => {
  void ask(target, "/trpc/job.list", { headers: { "X-Authenticate": "hang" } });
  void overSocket("/trpc", "hang", call("job.list", "query"), /./);
  void overSocket("/socket.io/?EIO=4&transport=websocket", "hang", "40", /^4/m);
  expect(await ask(target, "/trpc/job.list")).toMatchObject({ status: 200 });
});
