import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { networkInterfaces } from "node:os";
import { EventSource } from "eventsource";
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { createJobwireClient } from "#client/lib/client.ts";
import { ConfigError, createJobwire, defineKind, KindError } from "./index.ts";
import { AppError } from "#shared/errors.ts";
import type { ServerTypes } from "#shared/kind-types.ts";
import type { Principal } from "#shared/principal.ts";
import { freePort } from "#test/free-port.ts";
import { isMultiProcess, newTestData, type TestData } from "#test/engine/data.fixture.ts";

const ann: Principal = { userId: "ann", tenantId: "acme", scopes: ["*"] };
const bob: Principal = { userId: "bob", tenantId: "acme", scopes: ["*"] };
const JOB = "01a20665-8cab-704e-9437-209e0533c3ad";

let data: TestData;
let gate: PromiseWithResolvers<void>;

beforeEach(async () => {
  data = await newTestData({ isBare: true });
  gate = Promise.withResolvers();
});
afterEach(() => data.remove());

const count = defineKind({
  name: "count",
  input: z.object({ to: z.int().min(0).max(100) }),
  details: z.object({ done: z.int() }),
  output: z.object({ sum: z.int() }),
  async run({ input: { to }, progress, draft }) {
    for (let done = 1; done <= to; done += 1) {
      await progress(Math.floor((100 * done) / to), `Step ${done}`, { done });
      await draft(`${done} `);
    }
    return { sum: (to * (to + 1)) / 2 };
  },
});
const waits = defineKind({
  name: "waits",
  input: z.object({}),
  output: z.null(),
  async run({ signal }) {
    await Promise.race([gate.promise, once(signal, "abort")]);
    return null;
  },
});
const kinds = [count, waits] as const;

function open(env: Record<string, string> = {}) {
  const jobwire = createJobwire({ kinds, env: { ...data.env, LOG_LEVEL: "silent", ...env } });
  onTestFinished(async () => {
    gate.resolve();
    await jobwire.close();
  });
  return jobwire;
}

async function serverOf(): Promise<{ server: Server; url: string }> {
  const server = createServer((req, res) => res.end(`app ${req.url}`));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

function clientOf<App extends ServerTypes>(url: string) {
  const client = createJobwireClient<App>({ url });
  onTestFinished(() => client.close());
  return client;
}

async function all<T>(values: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const value of values) list.push(value);
  return list;
}

describe("creating one", () => {
  test("[E5] opens nothing", async () => {
    open();
    expect(await readdir(data.env.DATA_DIR)).toEqual([]);
  });

  test("[E4] throws for kinds, variables and procedures that cannot be used", () => {
    const twice = defineKind({ ...count, run: async () => ({ sum: 1 }), title: () => "" });
    expect(() => createJobwire({ kinds: [count, twice], env: data.env })).toThrow(KindError);
    expect(() => createJobwire({ kinds: [count, twice], env: data.env })).toThrow(
      'Two kinds have the name "count"',
    );
    expect(() => createJobwire({ kinds, env: { CONCURRENCY: "many" } })).toThrow(ConfigError);
    expect(() =>
      createJobwire({
        kinds,
        env: data.env,
        procedures: ({ router }) => router({ job: router({}) }),
      }),
    ).toThrow('Jobwire has procedures below "job" itself');
  });
});

test("takes names of the environment for the program's own, and those of `env` for misspelt ones", () => {
  vi.stubEnv("AUTH_ISSUERS", "https://example.com");
  onTestFinished(() => void vi.unstubAllEnvs());
  expect(() => createJobwire({ kinds })).not.toThrow();
  expect(() => createJobwire({ kinds, env: { AUTH_ISSUERS: "x" } })).toThrow(
    "AUTH_ISSUERS is unknown; did you mean AUTH_ISSUER?",
  );
});

describe("commands in the process", () => {
  test("[E3] create a job, and watch it to its end", async () => {
    const jobwire = open();
    const job = await jobwire.kinds.count.create(ann, { to: 3 }, { idempotencyKey: "k" });
    expect((await jobwire.kinds.count.create(ann, { to: 3 }, { idempotencyKey: "k" })).id).toBe(
      job.id,
    );
    const events = await all(jobwire.kinds.count.watch(ann, job.id, { lastEventId: "0" }));
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.at(-1)).toMatchObject({ type: "delivered", details: { done: 3 } });
    expect(events.find(({ type }) => type === "created")?.actor).toEqual({
      user: "ann",
      via: "authenticate",
    });
    expect((await jobwire.kinds.count.get(ann, job.id)).output).toEqual({ sum: 6 });
    const frames = await all(jobwire.kinds.count.watchOutput(ann, job.id, { lastEventId: "0" }));
    expect(frames.length).toBeGreaterThan(0);
  });

  test("reach everything that clients reach", async () => {
    const jobwire = open();
    const batch = await jobwire.kinds.count.createMany(ann, [{ to: 1 }, { to: 2 }], { name: "b" });
    const aggregates = await all(jobwire.batches.watch(ann, batch.id));
    expect(aggregates.at(-1)).toMatchObject({ delivered: 2 });
    expect((await jobwire.batches.get(ann, batch.id)).name).toBe("b");
    expect((await jobwire.batches.list(ann)).items).toHaveLength(1);
    const waiting = await jobwire.jobs.create(ann, { kind: "waits", input: {} });
    expect((await jobwire.jobs.cancel(ann, waiting.id, "enough")).status).toBe("ABORTED");
    expect((await jobwire.jobs.list(ann, { status: "ABORTED" })).items).toHaveLength(1);
    const log = await jobwire.jobs.events(ann, { jobId: waiting.id });
    expect(log.items.at(-1)).toMatchObject({ type: "aborted" });
    const changes = jobwire.jobs.watchAll(ann, { lastEventId: "0" });
    expect((await changes.next()).value?.job?.kind).toMatch(/count|waits/);
    await changes.return();
    const another = await jobwire.batches.create(ann, {
      jobs: [{ kind: "waits", input: {} }],
    });
    expect((await jobwire.batches.cancel(ann, another.id)).aborted).toBe(1);
    const retried = await jobwire.jobs.retry(ann, waiting.id);
    expect(retried.status).toBe("PENDING");
    const options = { delayMs: 60_000, priority: 2, expiresInMs: 1000, maxAttempts: 4 };
    const many = await jobwire.kinds.count.createMany(ann, [{ to: 1 }], options);
    const later = [
      await jobwire.kinds.count.create(ann, { to: 1 }, options),
      await jobwire.jobs.create(ann, { kind: "count", input: { to: 1 }, ...options }),
      ...(await jobwire.jobs.list(ann, { batchId: many.id })).items,
    ];
    for (const { startsAt, expiresAt, ...job } of later) {
      expect((expiresAt?.getTime() ?? 0) - (startsAt?.getTime() ?? 0)).toBe(1000);
      expect(job).toMatchObject({ status: "PENDING", priority: 2, maxAttempts: 4 });
    }
    expect(later).toHaveLength(3);
  });

  test("[W1] [W5] show who looks, and say that a principal writes", async () => {
    const jobwire = open();
    const { id } = await jobwire.jobs.create(ann, { kind: "waits", input: {} });
    const { id: batchId } = await jobwire.kinds.waits.createMany(ann, [{}]);
    for (const of of [{ jobId: id }, { batchId }, undefined]) {
      const states = jobwire.presence.watch(ann, of);
      const { value } = await states.next();
      expect(value).toMatchObject({ ...of, count: 1, people: [{ user: "ann" }] });
      await states.return();
    }
    const reviewer = { ...bob, scopes: ["jobs:read", "jobs:review", "tenant"] };
    await jobwire.presence.setTyping(reviewer, id, true);
    for await (const { typing } of jobwire.presence.watch(ann, { jobId: id }, { visible: false }))
      if (typing.people.includes("bob")) break;
    await expect(jobwire.presence.setTyping(bob, id, true)).rejects.toMatchObject({
      code: "NOT_FOUND",
    });
    const refused = jobwire.presence.watch(bob, { jobId: id });
    await expect(refused.next()).rejects.toMatchObject({ code: "NOT_FOUND" });
  });

  test("[E3] check inputs, scopes and ownership as for clients", async () => {
    const jobwire = open();
    const { kinds: commands, jobs } = jobwire;
    await expect(commands.count.create(ann, { to: "x" } as never)).rejects.toMatchObject({
      name: "AppError",
      code: "BAD_REQUEST",
      issues: [{ path: ["input", "to"] }],
    });
    const rows = [{ to: 1 }, { to: 1000 }];
    await expect(commands.count.createMany(ann, rows)).rejects.toMatchObject({
      issues: [{ path: ["jobs", 1, "input", "to"] }],
    });
    const without = { ...ann, scopes: ["jobs:read"] };
    await expect(commands.count.create(without, { to: 1 })).rejects.toMatchObject({
      code: "FORBIDDEN",
      message: /jobs:write/,
    });
    await expect(jobs.get(ann, "x")).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await expect(jobs.get(ann, JOB)).rejects.toMatchObject({ code: "NOT_FOUND" });
    const { id } = await commands.count.create(ann, { to: 1 });
    await expect(jobs.get(bob, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(jobs.waiting(bob, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(all(jobs.watch(bob, id))).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(commands.waits.get(ann, id)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(all(commands.waits.watch(ann, id))).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect((await jobs.get({ ...bob, scopes: ["*", "tenant"] }, id)).id).toBe(id);
  });

  test("a watch ends when its signal aborts, and when its reader leaves", async () => {
    const jobwire = open();
    const { id } = await jobwire.kinds.waits.create(ann, {});
    const leaving = new AbortController();
    const seen: string[] = [];
    for await (const { status } of jobwire.kinds.waits.watch(ann, id, { signal: leaving.signal })) {
      seen.push(status);
      if (status === "PROCESSING") leaving.abort();
    }
    expect(seen.at(-1)).toBe("PROCESSING");
    for await (const { status } of jobwire.kinds.waits.watch(ann, id)) {
      expect(status).toBe("PROCESSING");
      break;
    }
  });

  test("a watch ends when its reader leaves while it waits", async () => {
    const jobwire = open();
    const { id } = await jobwire.kinds.waits.create(ann, {});
    const { kinds: of, jobs } = jobwire;
    for (const entries of [
      of.waits.watch(ann, id),
      of.waits.watchOutput(ann, id),
      jobs.watchAll(ann),
    ]) {
      // More than there are entries.
      const waiting = Array.from({ length: 20 }, () => entries.next());
      expect(await entries.return()).toEqual({ done: true, value: undefined });
      expect((await Promise.all(waiting)).at(-1)).toEqual({ done: true, value: undefined });
    }
  });
});

const withOwn = () =>
  createJobwire({
    kinds,
    env: { ...data.env, PORT: "0", LOG_LEVEL: "silent" },
    authenticate: async ({ headers, token }) => {
      const given = token ?? headers.authorization?.toString();
      if (given === undefined) throw new AppError("UNAUTHENTICATED", "Sign in.");
      return { ...ann, userId: given.replace("Bearer ", "") };
    },
    procedures: ({ router, procedure }) =>
      router({
        hello: procedure
          .input(z.object({ name: z.string() }))
          .query(({ ctx, input }) => `${input.name} and ${ctx.principal.userId}`),
        ticks: procedure.subscription(async function* ({ ctx, signal }) {
          for (let tick = 1; signal?.aborted !== true && tick <= 3; tick += 1) {
            yield `${ctx.principal.userId} ${tick}`;
          }
        }),
        fail: procedure.mutation((): never => {
          throw new Error("secret");
        }),
      }),
  });

describe("own procedures", () => {
  test.each(["ws", "sse"] as const)(
    "[E4] are called by the same client, over %s",
    async (transport) => {
      vi.stubGlobal("EventSource", EventSource);
      onTestFinished(() => void vi.unstubAllGlobals());
      const jobwire = withOwn();
      onTestFinished(async () => void (await jobwire.close()));
      const { url } = await jobwire.listen();
      const client = createJobwireClient<typeof jobwire>({ url, transport, token: "cy" });
      onTestFinished(() => client.close());
      expect(await client.trpc.hello.query({ name: "Di" })).toBe("Di and cy");
      const ticks: string[] = [];
      await new Promise<void>((resolve, reject) => {
        client.trpc.ticks.subscribe(undefined, {
          onData: (tick) => ticks.push(tick),
          onComplete: resolve,
          onError: reject,
        });
      });
      expect(ticks).toEqual(["cy 1", "cy 2", "cy 3"]);
      await expect(client.trpc.fail.mutate()).rejects.toMatchObject({
        message: expect.not.stringContaining("secret"),
        data: { appCode: "INTERNAL" },
      });
      // @ts-expect-error: a field has another type
      await expect(client.trpc.hello.query({ name: 5 })).rejects.toMatchObject({
        data: { appCode: "BAD_REQUEST" },
      });
      const stranger = createJobwireClient<typeof jobwire>({ url, transport });
      onTestFinished(() => stranger.close());
      await expect(stranger.trpc.hello.query({ name: "Di" })).rejects.toMatchObject({
        data: { appCode: "UNAUTHENTICATED" },
      });
      expect((await client.kinds.count.create({ to: 1 })).id).toBeDefined();
    },
  );
});

describe("serving", () => {
  test("on a server of its own, where the options say", async () => {
    const jobwire = open();
    const { url } = await jobwire.listen({ port: 0 });
    const job = await clientOf<typeof jobwire>(url).kinds.count.create({ to: 2 });
    expect(await job.result()).toEqual({ sum: 3 });
  });

  test("below a base path, with it and without it", async () => {
    const jobwire = open({ BASE_PATH: "/jobs/", PORT: "0" });
    const { url } = await jobwire.listen();
    expect(url).toMatch(/\/jobs$/);
    for (const at of [url, url.slice(0, -"/jobs".length)]) {
      const job = await clientOf<typeof jobwire>(at).kinds.count.create({ to: 2 });
      expect(await job.result()).toEqual({ sum: 3 });
      expect(await (await fetch(`${at}/healthz`)).json()).toEqual({ status: "ok" });
    }
  });

  test("[E1] inside another server, which keeps all other requests", async () => {
    const { server, url } = await serverOf();
    const jobwire = open();
    expect(await (await fetch(`${url}/jobwire/healthz`)).text()).toBe("app /jobwire/healthz");
    await jobwire.attach(server);
    expect(await (await fetch(`${url}/jobwire/healthz`)).json()).toEqual({ status: "ok" });
    expect(await (await fetch(`${url}/jobwired?x`)).text()).toBe("app /jobwired?x");
    const job = await clientOf<typeof jobwire>(`${url}/jobwire`).kinds.count.create({ to: 2 });
    expect(await job.result()).toEqual({ sum: 3 });
    await jobwire.close();
    expect((await fetch(`${url}/jobwire/healthz`)).status).toBe(503);
    expect(await (await fetch(`${url}/jobwired?x`)).text()).toBe("app /jobwired?x");
  });

  test("inside another server, METRICS_PORT opens a port for the metrics", async () => {
    const { server, url } = await serverOf();
    const port = await freePort();
    const jobwire = open({ METRICS_PORT: String(port) });
    await jobwire.attach(server);
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect(await metrics.text()).toContain("jobwire_running_jobs 0");
    expect((await fetch(`${url}/jobwire/metrics`)).status).toBe(404);
    await jobwire.close();
    await expect(fetch(`http://127.0.0.1:${port}/metrics`)).rejects.toThrow("fetch failed");
  });

  test("a path or server that cannot be used is refused before anything opens", async () => {
    const { server } = await serverOf();
    const jobwire = open();
    await expect(jobwire.attach(server, { basePath: "jobs" })).rejects.toThrow(
      '`basePath` is "jobs". Give a path such as "/jobs".',
    );
    const tcp = createTcpServer();
    await expect(jobwire.attach(tcp as unknown as Server)).rejects.toThrow(
      "`attach` takes a server of node:http or node:https",
    );
    expect(await readdir(data.env.DATA_DIR)).toEqual([]);
    await jobwire.attach(server, { basePath: "/jobs" });
  });

  test("[E5] happens in one place", async () => {
    const { server } = await serverOf();
    const jobwire = open();
    await jobwire.attach(server);
    for (const again of [
      () => jobwire.attach(server),
      () => jobwire.attach(server, { basePath: "/other" }),
      () => jobwire.listen({ port: 0 }),
    ]) {
      await expect(again()).rejects.toThrow("This Jobwire serves already");
    }
  });

  test("two calls at once: the first one wins", async () => {
    const jobwire = open();
    const [first, second] = await Promise.allSettled([
      jobwire.listen({ port: 0 }),
      jobwire.listen({ port: 0 }),
    ]);
    expect(first.status).toBe("fulfilled");
    expect(second).toMatchObject({ reason: { message: /serves already/ } });
  });

  test("[E5] can be tried again where a port is in use", async () => {
    const { server } = await serverOf();
    const { port } = server.address() as AddressInfo;
    const jobwire = open();
    await expect(jobwire.listen({ port })).rejects.toMatchObject({ code: "EADDRINUSE" });
    const { url } = await jobwire.listen({ port: 0 });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
  });

  test("an address of other machines needs callers that sign in", async () => {
    const jobwire = open();
    await expect(jobwire.listen({ host: "0.0.0.0", port: 0 })).rejects.toThrow(ConfigError);
  });

  test("[E2] inside another server, what arrives elsewhere than at a loopback address is refused, and told why", async () => {
    const { server, url } = await serverOf();
    server.on("connection", (socket) => {
      Object.defineProperty(socket, "localAddress", { value: "::ffff:10.0.0.5" });
    });
    const jobwire = open();
    await jobwire.attach(server);
    const res = await fetch(`${url}/jobwire/healthz`);
    expect([res.status, await res.text()]).toEqual([
      403,
      expect.stringContaining("answers only on loopback addresses"),
    ]);
    const post = await fetch(`${url}/jobwire/trpc/job.create`, { method: "POST", body: "{}" });
    expect(post.status).toBe(403);
    const socket = new WebSocket(`${url.replace("http", "ws")}/jobwire/trpc`);
    await once(socket, "error");
    expect(await (await fetch(`${url}/other`)).text()).toBe("app /other");
    expect((await jobwire.jobs.list(ann)).items).toEqual([]);
    await jobwire.close();

    const meant = createJobwire({
      kinds,
      env: {
        ...data.env,
        LOG_LEVEL: "silent",
        ALLOW_ANONYMOUS: "true",
        LIMIT_TENANT_CREATED_JOBS: "1",
      },
    });
    onTestFinished(async () => void (await meant.close()));
    await meant.attach(server);
    expect((await fetch(`${url}/jobwire/healthz`)).status).toBe(200);
    // Its callers are limited.
    const client = clientOf<typeof meant>(`${url}/jobwire`);
    await client.kinds.count.create({ to: 1 });
    await expect(client.kinds.count.create({ to: 1 })).rejects.toMatchObject({
      data: { appCode: "RATE_LIMITED" },
    });
  });

  const outside = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address;

  test.skipIf(outside === undefined)(
    "inside another server, callers of other machines are refused where none are asked who they are",
    async () => {
      const server = createServer((_req, res) => res.end("app"));
      server.listen(0, "0.0.0.0");
      await once(server, "listening");
      onTestFinished(() => void server.close());
      const { port } = server.address() as AddressInfo;
      const jobwire = open();
      await jobwire.attach(server);
      const res = await fetch(`http://${outside}:${port}/jobwire/healthz`);
      expect(res.status).toBe(403);
      expect(await res.text()).toContain("answers only on loopback addresses");
      expect((await fetch(`http://127.0.0.1:${port}/jobwire/healthz`)).status).toBe(200);
      const socket = new WebSocket(`ws://${outside}:${port}/jobwire/trpc`);
      await once(socket, "error");
      expect(await (await fetch(`http://${outside}:${port}/`)).text()).toBe("app");
    },
  );
});

describe("closing", () => {
  test("twice is once", async () => {
    const jobwire = open();
    await jobwire.listen({ port: 0 });
    const closing = jobwire.close();
    expect(jobwire.close()).toBe(closing);
    expect(await closing).toEqual({ finished: 0, givenBack: 0 });
  });

  test("[E5] before anything was opened leaves nothing open", async () => {
    const jobwire = open();
    expect(await jobwire.close()).toEqual({ finished: 0, givenBack: 0 });
    expect(await readdir(data.env.DATA_DIR)).toEqual([]);
    for (const late of [
      () => jobwire.start(),
      () => jobwire.listen({ port: 0 }),
      () => jobwire.jobs.list(ann),
      () => all(jobwire.jobs.watch(ann, JOB)),
    ]) {
      await expect(late()).rejects.toMatchObject({ code: "UNAVAILABLE", message: /closed/ });
    }
  });

  test("[E5] while it starts closes what has been opened, and says so to the one who started it", async () => {
    const jobwire = open();
    const listening = jobwire.listen({ port: 0 });
    const command = jobwire.jobs.list(ann);
    const closing = jobwire.close();
    await expect(listening).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await expect(command).rejects.toMatchObject({ code: "UNAVAILABLE" });
    await closing;
    const next = open();
    await next.start();
    expect((await next.jobs.list(ann)).items).toEqual([]);
  });

  test("lets watchers see how jobs end, and ends their watches", async () => {
    const jobwire = open({ SHUTDOWN_GRACE_MS: "60000" });
    const { id } = await jobwire.kinds.waits.create(ann, {});
    const watch = jobwire.kinds.waits.watch(ann, id);
    await vi.waitUntil(async () => (await watch.next()).value?.status === "PROCESSING");
    const closing = jobwire.close();
    gate.resolve();
    expect((await watch.next()).value?.status).toBe("DELIVERED");
    expect(await closing).toEqual({ finished: 1, givenBack: 0 });
  });
});

test.skipIf(isMultiProcess)("a start that failed can be tried again", async () => {
  const first = open();
  await first.start();
  const second = open();
  await expect(second.start()).rejects.toMatchObject({ code: "DATA_UNUSABLE" });
  await expect(second.listen({ port: 0 })).rejects.toMatchObject({ code: "DATA_UNUSABLE" });
  await first.close();
  const { url } = await second.listen({ port: 0 });
  expect((await fetch(`${url}/readyz`)).status).toBe(200);
});
