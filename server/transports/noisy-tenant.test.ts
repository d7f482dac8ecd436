/** A tenant far beyond each of its limits, on every transport, takes nothing from another tenant. */
import superjson from "superjson";
import { io } from "socket.io-client";
import { afterEach, expect, onTestFinished, test, vi } from "vitest";
import { WebSocket } from "ws";
import { z } from "zod";
import type { App } from "#server/app.ts";
import { defineKind, type RunContext } from "#server/kinds/define.ts";
import type { JobEvent } from "#shared/events.ts";
import { LEGACY, LEGACY_REQUEST, type LegacyJobPayload, legacyOfJob } from "#shared/legacy.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { freePort } from "#test/free-port.ts";
import { startAppWithTokens, tokenFor } from "#test/transports/signed-in.fixture.ts";
import { openClient, watchJob } from "#test/transports/trpc.fixture.ts";

const TIMES = 10;
const MOST = {
  LIMIT_ADDRESS_CONNECTIONS: 12,
  LIMIT_ADDRESS_UNAUTHENTICATED: 4,
  LIMIT_ADDRESS_FAILED_SIGN_INS: 4,
  LIMIT_USER_CONNECTIONS: 6,
  LIMIT_USER_CALLS: 5,
  LIMIT_USER_SUBSCRIPTIONS: 6,
  LIMIT_TENANT_WAITING_JOBS: 8,
  LIMIT_TENANT_CREATED_JOBS: 16,
  LIMIT_TENANT_BYTES: 400,
};
const LIMIT_NAMES = Object.keys(MOST).map((name) => name.replace("LIMIT_", "").toLowerCase());
/** Calls are counted over ten seconds. */
const CALLS = MOST.LIMIT_USER_CALLS * 10;
const EVENTS = 60;
const JOB = { kind: "steps", input: {} };

let data: TestData | undefined;
afterEach(async () => {
  await data?.remove();
  data = undefined;
});

type Headers = Record<string, string>;

/** Makes `count` of something at once. */
const many = <T>(count: number, make: (n: number) => Promise<T>): Promise<T[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => make(n)));

function noisyTenant(app: App) {
  /** Each limit has an address and a user of its own, so that none is reached before it. */
  let last = 0;
  const caller = async (user: string, tenant = "noisy"): Promise<Headers> => {
    const address = `203.0.${last >> 8}.${last & 255}`;
    last += 1;
    const token = await tokenFor(user, { tenant });
    return { authorization: `Bearer ${token}`, "x-forwarded-for": address };
  };

  async function call(path: string, headers: Headers, input?: unknown): Promise<void> {
    const init =
      input === undefined ? {} : { method: "POST", body: JSON.stringify({ json: input }) };
    const json = { ...headers, "content-type": "application/json" };
    await (await fetch(`${app.url}/trpc/${path}`, { headers: json, ...init })).text();
  }

  /** Resolves once the upgrade is answered. The connection stays open. */
  async function open(path: string, headers: Headers): Promise<WebSocket> {
    const socket = new WebSocket(app.url.replace("http", "ws") + path, { headers });
    onTestFinished(() => socket.terminate());
    const answered = new Promise<void>((resolve) => {
      socket.once("open", resolve);
      socket.once("error", () => resolve());
    });
    await answered;
    return socket;
  }

  async function stream(headers: Headers): Promise<void> {
    const over = new AbortController();
    onTestFinished(() => over.abort());
    const { signal } = over;
    const { body } = await fetch(`${app.url}/trpc/feed.onUpdate`, { headers, signal });
    await body?.getReader().read();
  }

  async function legacy(transport: string, headers: Headers): Promise<void> {
    const socket = io(app.url, {
      transports: [transport],
      extraHeaders: headers,
      forceNew: true,
      reconnection: false,
    });
    onTestFinished(() => void socket.disconnect());
    const closed = new Promise<void>((resolve) => {
      socket.once("connect_error", () => resolve());
      socket.io.once("close", () => resolve());
    });
    await Promise.race([new Promise<void>((resolve) => socket.once("connect", resolve)), closed]);
    if (!socket.connected) return;
    const subscribed = socket.emitWithAck(LEGACY_REQUEST.subscribeJob, { job_id: "none" });
    await Promise.race([subscribed, closed]);
  }

  /** Sends all requests on one WebSocket, and resolves when each is answered. */
  async function ask(count: number, headers: Headers, method: string, path: string): Promise<void> {
    const socket = await open("/trpc", headers);
    const answered = new Set<unknown>();
    socket.on("message", (text: Buffer) => {
      answered.add((JSON.parse(text.toString()) as { id: unknown }).id);
    });
    for (let id = 1; id <= count; id += 1) {
      socket.send(JSON.stringify({ id, method, params: { path } }));
    }
    await vi.waitFor(() => expect(answered.size).toBeGreaterThanOrEqual(count));
  }

  const connections = TIMES * MOST.LIMIT_USER_CONNECTIONS;
  return [
    async () => {
      const headers = await caller("of one address");
      await many(TIMES * MOST.LIMIT_ADDRESS_CONNECTIONS, () => open("/trpc", headers));
    },
    async () => {
      const { "x-forwarded-for": address = "" } = await caller("nobody");
      const stranger = { "x-forwarded-for": address };
      await many(TIMES * MOST.LIMIT_ADDRESS_UNAUTHENTICATED, () =>
        open("/trpc?connectionParams=1", stranger),
      );
    },
    async () => {
      const headers = await caller("nobody");
      await many(TIMES * MOST.LIMIT_ADDRESS_FAILED_SIGN_INS, (n) =>
        call("job.list", { ...headers, authorization: `Bearer bad.${n}.token` }),
      );
    },
    () => many(connections, async () => open("/trpc", await caller("of sockets"))),
    () => many(connections, async () => stream(await caller("of streams"))),
    () => many(connections, async () => legacy("websocket", await caller("of Socket.IO"))),
    () => many(connections, async () => legacy("polling", await caller("of polling"))),
    async () => {
      const headers = await caller("of calls");
      await many(TIMES * CALLS, () => call("job.list", headers));
    },
    async () => ask(TIMES * CALLS, await caller("of calls on a socket"), "query", "job.list"),
    async () => {
      const headers = await caller("of subscriptions");
      await ask(TIMES * MOST.LIMIT_USER_SUBSCRIPTIONS, headers, "subscription", "feed.onUpdate");
    },
    async () => {
      const headers = await caller("of jobs");
      for (let n = 0; n < TIMES * MOST.LIMIT_TENANT_WAITING_JOBS; n += 1) {
        await call("job.create", headers, JOB);
      }
    },
    async () => {
      const headers = await caller("of batches", "noisy, too");
      for (let n = 0; n < TIMES; n += 1) {
        await call("batch.create", headers, { jobs: Array.from({ length: 6 }, () => JOB) });
      }
    },
    async () => {
      const headers = await caller("of large jobs", "large");
      const input = { text: "x".repeat(MOST.LIMIT_TENANT_BYTES / 4) };
      for (let n = 0; n < TIMES; n += 1) await call("job.create", headers, { ...JOB, input });
    },
  ];
}

test("[R1] while a tenant is at ten times its limits, another's watchers miss no event and its calls are all answered", async () => {
  data = await newTestData();
  const port = await freePort();
  const { promise: running, resolve: began } = Promise.withResolvers<RunContext<unknown>>();
  const steps = defineKind({
    name: JOB.kind,
    description: "Reports progress when it is told to.",
    input: z.object({ text: z.string().optional() }),
    output: z.unknown(),
    title: () => "Steps",
    start: { progress: 0, message: "started" },
    run(context) {
      began(context);
      return new Promise(() => {});
    },
  });
  const limits = Object.entries(MOST).map(([name, most]) => [name, `${most}`]);
  const app = await startAppWithTokens(data, {
    env: {
      ...(Object.fromEntries(limits) as Record<string, string>),
      TRUST_PROXY: "loopback",
      METRICS_PORT: `${port}`,
      // The quiet tenant's job runs, and all others wait.
      CONCURRENCY: "1",
      SHUTDOWN_GRACE_MS: "0",
    },
    kinds: [steps],
  });
  onTestFinished(() => void app.close());
  const token = await tokenFor("ann", { tenant: "quiet" });
  const ws = openClient(app.url, "ws", token);
  const { id: jobId } = await ws.job.create.mutate(JOB);
  const context = await running;

  const watches = [ws, openClient(app.url, "sse", token)].map((client) =>
    watchJob(client, { jobId }),
  );
  const told = await Promise.all(
    ["websocket", "polling"].map(async (transport) => {
      const socket = io(app.url, { transports: [transport], auth: { token }, forceNew: true });
      onTestFinished(() => void socket.disconnect());
      const updates: LegacyJobPayload[] = [];
      socket.on(LEGACY.jobUpdate, (payload: LegacyJobPayload) => updates.push(payload));
      expect(await socket.emitWithAck(LEGACY_REQUEST.subscribeJob, { job_id: jobId })).toEqual({
        ok: true,
      });
      return updates;
    }),
  );
  await vi.waitFor(() => {
    for (const { data: events } of watches) expect(events.length).toBeGreaterThan(0);
    for (const updates of told) expect(updates.length).toBeGreaterThan(0);
  });

  const seen = () => [
    ...watches.map(({ data: events }) => events.at(-1)?.message),
    ...told.map((updates) => updates.at(-1)?.message),
  ];
  /** Each user has calls of its own. */
  const messageFor = async (user: string) => {
    const theirs = await tokenFor(user, { tenant: "quiet", scope: "jobs:read tenant" });
    return (await openClient(app.url, "sse", theirs).job.get.query({ jobId })).message;
  };
  const answers: string[] = [];
  let isNoisy = true;
  const noise = Promise.all(noisyTenant(app).map((make) => make())).then(() => (isNoisy = false));
  for (let n = 0; n < EVENTS || isNoisy; n += 1) {
    const message = `step ${n}`;
    await context.progress(50, message);
    if (n < CALLS / 2) answers.push((await ws.job.get.query({ jobId })).message);
    else answers.push(await messageFor(`reader ${n}`));
    await vi.waitFor(() => expect(seen()).toEqual(Array(4).fill(message)));
  }
  await noise;
  expect(answers).toEqual(answers.map((_, n) => `step ${n}`));

  const log = await logOf(app, jobId, token);
  for (const { data: events, errors } of watches) {
    expect(events).toEqual(log.slice(-events.length));
    expect(errors).toEqual([]);
  }
  const payloads = log.flatMap((event) => legacyOfJob(event).map(({ payload }) => payload));
  for (const updates of told) expect(updates).toEqual(payloads.slice(-updates.length));

  // The noise was beyond each of its limits.
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  const refused = LIMIT_NAMES.map((name) => [
    name,
    Number(new RegExp(`jobwire_rate_limited_total{limit="${name}"} (\\d+)`).exec(metrics)?.[1]),
  ]);
  expect(refused).toEqual(
    LIMIT_NAMES.map((name) => [name, expect.toSatisfy((count: number) => count > 0)]),
  );
});

async function logOf(app: App, jobId: string, token: string): Promise<JobEvent[]> {
  const log: JobEvent[] = [];
  let cursor: unknown;
  do {
    const input = encodeURIComponent(JSON.stringify({ json: { jobId, cursor } }));
    const response = await fetch(`${app.url}/trpc/job.events?input=${input}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const { result } = (await response.json()) as {
      result: { data: Parameters<typeof superjson.deserialize>[0] };
    };
    const page = superjson.deserialize<{ items: JobEvent[]; nextCursor: unknown }>(result.data);
    log.push(...page.items);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return log;
}
