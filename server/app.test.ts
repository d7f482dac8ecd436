import { execFile } from "node:child_process";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { createTRPCClient, createWSClient, httpLink, splitLink, wsLink } from "@trpc/client";
import { pino } from "pino";
import superjson from "superjson";
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import {
  engineName,
  isMultiProcess,
  newTestData,
  onRedis,
  type TestData,
} from "#test/engine/data.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import { LOCAL_PRINCIPAL } from "#shared/principal.ts";
import { type App, type AppParts, createApp } from "./app.ts";
import { type Config, loadConfig } from "./config.ts";
import { defineKind, delivered } from "./kinds/define.ts";

/** In the order in which startup reads them: TLS, the server, the runner, transports, retention. */
const READ_AT_START = [
  "TLS_CERT_FILE",
  "REQUEST_TIMEOUT_MS",
  "MAX_CONNECTIONS",
  "HOST",
  "PORT",
  "ROLE",
  "CONCURRENCY",
  "PING_INTERVAL_MS",
  "ALLOW_EIO3",
  "FRONTEND_URL",
  "ALLOWED_HOSTS",
  "RETENTION_DAYS",
];

const ROOT = fileURLToPath(new URL("..", import.meta.url));

let data: TestData;
let gate: PromiseWithResolvers<void>;

beforeEach(async () => {
  data = await newTestData();
  gate = Promise.withResolvers();
});
afterEach(() => data.remove());

const waits = defineKind({
  name: "waits",
  description: "Waits until it may end.",
  input: z.object({}),
  output: z.unknown(),
  title: () => "Waits",
  start: { progress: 0, message: "Waiting" },
  async run() {
    await gate.promise;
    return delivered("Done", null);
  },
});

async function start(env: Record<string, string> = {}, parts: AppParts = {}): Promise<App> {
  const config = loadConfig({ PORT: "0", ...data.env, LOG_LEVEL: "silent", ...env });
  const app = await createApp(config, { kinds: [waits], ...parts });
  onTestFinished(async () => {
    gate.resolve();
    await app.close();
  });
  return app;
}

function clientOf({ url }: App) {
  const socket = createWSClient({
    url: `${url.replace("http", "ws")}/trpc`,
    lazy: { enabled: true, closeMs: 0 },
  });
  onTestFinished(() => void socket.close());
  return createTRPCClient<AppRouter>({
    links: [
      splitLink({
        condition: ({ type }) => type === "subscription",
        true: wsLink({ client: socket, transformer: superjson }),
        false: httpLink({ url: `${url}/trpc`, transformer: superjson }),
      }),
    ],
  });
}

const create = (app: App) => clientOf(app).job.create.mutate({ kind: "waits", input: {} });
const readyz = async (app: App) => {
  const res = await fetch(`${app.url}/readyz`);
  return [res.status, await res.json()];
};

test("a server answers as soon as it has started, with everything mounted", async () => {
  const app = await start();
  expect(app.url).toMatch(/^http:\/\/localhost:\d+$/);
  expect(await readyz(app)).toMatchObject([200, { status: "ready" }]);
  expect((await fetch(`${app.url}/socket.io/?EIO=4&transport=polling`)).status).toBe(200);
  const info = await clientOf(app).system.info.query();
  expect(info).toMatchObject({
    engine: engineName,
    limits: { concurrency: 10, maxAttempts: 3 },
  });
  expect(await clientOf(app).kind.list.query()).toMatchObject([{ name: "waits" }]);
});

test("a server has the kinds and the pages of its caller alone; without any, it refuses each job", async () => {
  const site = { path: "/guide/", dir: join(ROOT, "docs"), notFound: "No such page." };
  const app = await start({}, { kinds: [waits], sites: [site] });
  const page = await fetch(`${app.url}/guide/glossary.md`);
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining("# Glossary")]);
  await app.close();

  const bare = await start({}, { kinds: [] });
  const client = clientOf(bare);
  expect(await client.kind.list.query()).toEqual([]);
  const request = { kind: "article", input: {} };
  const message = 'There is no kind "article". This server has none.';
  await expect(client.job.create.mutate(request)).rejects.toMatchObject({
    message,
    data: { appCode: "NOT_FOUND" },
  });
  await expect(client.batch.create.mutate({ jobs: [request] })).rejects.toMatchObject({
    message: expect.stringContaining(message),
    data: { appCode: "BAD_REQUEST" },
  });
  expect((await client.job.list.query()).items).toEqual([]);
});

test("[J16] two kinds of one name stop the start, and leave the data to the next one", async () => {
  await expect(start({}, { kinds: [waits, waits] })).rejects.toThrow(
    'Two kinds have the name "waits"',
  );
  expect(await readyz(await start())).toMatchObject([200, { status: "ready" }]);
});

const ignore = { onData() {} };

/** Our own metrics. Prometheus must be able to parse every line. */
async function figuresOf(app: App): Promise<Record<string, number>> {
  const lines = (await (await fetch(`${app.url}/metrics`)).text()).trim().split("\n");
  const samples = lines.filter((line) => line !== "" && !line.startsWith("#"));
  const read = samples.map((line) => {
    const [, name = line, value] = /^([a-z_:][a-z0-9_:]*(?:\{.*\})?) (\S+)$/i.exec(line) ?? [];
    return [name, Number(value)] as const;
  });
  expect(read.filter(([, value]) => Number.isNaN(value))).toEqual([]);
  return Object.fromEntries(read.filter(([name]) => name.startsWith("jobwire_")));
}

describe("metrics", () => {
  test("have the names and texts that Prometheus expects", async () => {
    const app = await start();
    const res = await fetch(`${app.url}/metrics`);
    expect(res.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await res.text();
    for (const [name, type] of [
      ["jobwire_job_events_total", "counter"],
      ["jobwire_watches", "gauge"],
      ["jobwire_watched_streams", "gauge"],
      ["jobwire_running_jobs", "gauge"],
    ] as const) {
      expect(text).toMatch(new RegExp(`^# HELP ${name} [A-Z].*\\.$`, "m"));
      expect(text).toContain(`# TYPE ${name} ${type}\n`);
    }
    expect(text).toContain("process_cpu_seconds_total ");
  });

  test("count each event once, and have the current numbers of open watches", async () => {
    const app = await start();
    const client = clientOf(app);
    const job = await client.job.create.mutate({ kind: "waits", input: {}, idempotencyKey: "k" });
    await client.job.create.mutate({ kind: "waits", input: {}, idempotencyKey: "k" });
    await client.batch.create.mutate({
      jobs: [
        { kind: "waits", input: {} },
        { kind: "waits", input: {} },
      ],
    });
    const watching = [
      client.job.onUpdate.subscribe({ jobId: job.id, follow: true }, ignore),
      client.job.onUpdate.subscribe({ jobId: job.id, follow: true }, ignore),
      client.feed.onUpdate.subscribe(undefined, ignore),
    ];
    await vi.waitFor(async () =>
      expect(await figuresOf(app)).toMatchObject({
        'jobwire_job_events_total{type="created"}': 3,
        'jobwire_job_events_total{type="started"}': 3,
        'jobwire_job_queue_wait_seconds_count{kind="waits"}': 3,
        'jobwire_connections{transport="trpc-websocket"}': 1,
        jobwire_watches: 3,
        jobwire_watched_streams: 2,
        jobwire_running_jobs: 3,
      }),
    );
    gate.resolve();
    watching.forEach((each) => each.unsubscribe());
    await vi.waitFor(async () =>
      expect(await figuresOf(app)).toMatchObject({
        'jobwire_job_events_total{type="delivered"}': 3,
        'jobwire_job_run_seconds_count{kind="waits",outcome="delivered"}': 3,
        jobwire_watches: 0,
        jobwire_watched_streams: 0,
        jobwire_running_jobs: 0,
      }),
    );
  });
});

describe("stopping", () => {
  test("reports that it is stopping, lets jobs end, and closes once however often `close` is called", async () => {
    const app = await start();
    const { id } = await create(app);
    const client = clientOf(app);
    await vi.waitFor(async () =>
      expect(await client.job.get.query({ jobId: id })).toMatchObject({ status: "PROCESSING" }),
    );
    const closing = app.close();
    expect(app.close()).toBe(closing);
    expect(await readyz(app)).toEqual([
      503,
      { status: "unavailable", reason: "The server is stopping." },
    ]);
    gate.resolve();
    await closing;
    await expect(fetch(`${app.url}/healthz`)).rejects.toThrow("fetch failed");
    const again = await start();
    expect(await clientOf(again).job.get.query({ jobId: id })).toMatchObject({
      status: "DELIVERED",
      attempt: 1,
    });
  });

  test("ends a kept-alive connection with an answer, never between two", async () => {
    const app = await start();
    const { id } = await create(app);
    await vi.waitFor(async () =>
      expect(await clientOf(app).job.get.query({ jobId: id })).toMatchObject({
        status: "PROCESSING",
      }),
    );
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    const ask = async () => {
      const [res] = await once(request(`${app.url}/healthz`, { agent }).end(), "response");
      const { headers, socket } = res as IncomingMessage;
      (res as IncomingMessage).resume();
      await once(res as IncomingMessage, "end");
      return { connection: headers.connection, port: socket.localPort };
    };
    const { port } = await ask();
    const closing = app.close();
    // The server still answers other clients.
    expect((await readyz(app))[0]).toBe(503);
    expect(await ask()).toEqual({ connection: "close", port });
    gate.resolve();
    await closing;
  });

  test("releases jobs that do not end in time", async () => {
    const app = await start({ SHUTDOWN_GRACE_MS: "0" });
    const { id } = await create(app);
    await vi.waitFor(async () =>
      expect(await clientOf(app).job.get.query({ jobId: id })).toMatchObject({
        status: "PROCESSING",
      }),
    );
    await app.close();
    gate.resolve();
    const again = await start();
    await vi.waitFor(async () =>
      expect(await clientOf(again).job.get.query({ jobId: id })).toMatchObject({
        status: "DELIVERED",
        attempt: 2,
        retries: 0,
      }),
    );
  });

  test("answers calls that are in progress", async () => {
    const asked = Promise.withResolvers<void>();
    const app = await start(
      {},
      {
        authenticate: async () => {
          asked.resolve();
          await gate.promise;
          return LOCAL_PRINCIPAL;
        },
      },
    );
    const created = create(app);
    await asked.promise;
    const closing = app.close();
    await vi.waitFor(() => expect(fetch(app.url)).rejects.toThrow("fetch failed"));
    gate.resolve();
    const { id } = await created;
    await closing;
    expect(await clientOf(await start()).job.get.query({ jobId: id })).toMatchObject({ id });
  });

  test("and starting again works on the same port and data, many times over", async () => {
    gate.resolve();
    const first = await start();
    const { port } = new URL(first.url);
    const { id } = await create(first);
    await first.close();
    for (let n = 0; n < 3; n++) {
      const app = await start({ PORT: port });
      expect(app.url).toBe(first.url);
      expect(await clientOf(app).job.get.query({ jobId: id })).toMatchObject({ id });
      await app.close();
    }
  });

  test("leaves nothing that keeps the process alive", async () => {
    const program = `
      import { createApp } from "#server/app.ts";
      import { loadConfig } from "#server/config.ts";
      const app = await createApp(loadConfig({ PORT: "0", LOG_LEVEL: "silent", ...${JSON.stringify(data.env)} }));
      await (await fetch(app.url + "/metrics")).text();
      const ws = new WebSocket(app.url.replace("http", "ws") + "/trpc");
      await new Promise((resolve) => (ws.onopen = resolve));
      await app.close();
      console.log("closed");`;
    const args = ["--input-type=module-typescript", "--eval", program];
    // A process that stays alive does not end before the time limit of the test, however slow the machine is.
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    expect(stdout).toBe("closed\n");
  });
});

/** A configuration whose variable `name` cannot be read: the step of the start that needs it fails. */
function without(name: string, config: Config, onRead = () => {}): Config {
  return new Proxy(config, {
    get(target, key, receiver) {
      if (key !== name) return Reflect.get(target, key, receiver) as unknown;
      onRead();
      throw new Error(`no ${name}`);
    },
  });
}

describe("a start that fails", () => {
  test.skipIf(isMultiProcess)(
    "[J11] because the data is in use does not affect the other server",
    async () => {
      const app = await start();
      await expect(start()).rejects.toMatchObject({ code: "DATA_UNUSABLE" });
      expect(await readyz(app)).toMatchObject([200, { status: "ready" }]);
    },
  );

  test("closes the parts that earlier steps opened, whichever step fails", async () => {
    const program = `
      import { createApp } from "#server/app.ts";
      import { loadConfig, VARIABLES } from "#server/config.ts";
      ${without.toString()}
      const env = { LOG_LEVEL: "silent", ...${JSON.stringify(data.env)} };
      const first = await createApp(loadConfig({ PORT: "0", ...env }));
      await first.close();
      const config = loadConfig({ ...env, PORT: new URL(first.url).port });
      for (const name of ${JSON.stringify(READ_AT_START)}) {
        const message = await createApp(without(name, config)).then(
          () => "started",
          (error) => error.message,
        );
        console.log(message);
      }
      await (await createApp(config)).close();
      console.log("closed");`;
    const args = ["--input-type=module-typescript", "--eval", program];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
    expect(stdout.trim().split("\n")).toEqual([
      ...READ_AT_START.map((name) => `no ${name}`),
      "closed",
    ]);
  });

  test.runIf(onRedis)("rejects with its reason, even if Redis stops meanwhile", async () => {
    const redis = await startRedis(inject("redisServer"));
    onTestFinished(() => redis.close());
    const config = loadConfig({ ...data.env, PORT: "0", REDIS_URL: redis.url });
    const parts = { log: pino({ level: "silent" }) };
    const starting = createApp(
      without("FRONTEND_URL", config, () => void redis.kill()),
      parts,
    );
    await expect(starting).rejects.toThrow("no FRONTEND_URL");
  });

  test("because the port is in use closes the data", async () => {
    const app = await start();
    const other = await newTestData();
    onTestFinished(() => other.remove());
    const { port } = new URL(app.url);
    await expect(start({ ...other.env, PORT: port })).rejects.toMatchObject({
      code: "EADDRINUSE",
    });
    const elsewhere = await start({ ...other.env });
    expect(await readyz(elsewhere)).toMatchObject([200, { status: "ready" }]);
  });
});

test("a client that offers another protocol than WebSocket is answered in plain HTTP", async () => {
  const app = await start();
  const headers = {
    Connection: "Upgrade, HTTP2-Settings",
    Upgrade: "h2c",
    "HTTP2-Settings": "AAMAAABkAAQ",
  };
  const asked = request(`${app.url}/healthz`, { headers }).end();
  const [res] = await once(asked, "response");
  expect((res as { statusCode: number }).statusCode).toBe(200);
  asked.destroy();
});
