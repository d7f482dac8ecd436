/** Every process is stopped with SIGTERM and restarted, one after the other, without a visible effect for clients. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createTRPCClient, createWSClient, httpLink, wsLink } from "@trpc/client";
import { Emitter } from "@socket.io/redis-emitter";
import { Redis } from "ioredis";
import { io } from "socket.io-client";
import superjson from "superjson";
import { afterAll, afterEach, beforeAll, expect, inject, onTestFinished, test, vi } from "vitest";
import { v7 as newId } from "uuid";
import { joinRaw } from "#test/transports/socketio-raw-client.ts";
import { GuideClient, TRANSPORTS, VERSIONS } from "#e2e/legacy/guide-client.ts";
import { runStrict, STRICT_KINDS } from "#e2e/legacy/python.ts";
import { run } from "#test/command/run.ts";
import type { AppRouter } from "#server/transports/trpc/router.ts";
import type { JobEvent } from "#shared/events.ts";
import { type Cluster, startCluster } from "./cluster.ts";
import { type Watcher, OPEN_WATCHER } from "./watchers.ts";

const SLOW = { kind: "steps", input: { steps: 150, everyMs: 100 } };
/** Between the calls of a client: so many calls that each step meets some, and not all that the machine can make. */
const PACE_MS = 20;
const PATIENCE = { timeout: 120_000, interval: 20 };
const QUICK = { kind: "steps", input: { steps: 1, everyMs: 1 } };

/** All tests share it: each restarts what it stopped. */
let cluster: Cluster;
beforeAll(async () => {
  cluster = await startCluster(
    { gateways: 2, workers: 2 },
    {
      CONCURRENCY: "20",
      MAX_ATTEMPTS: "20",
      SHUTDOWN_GRACE_MS: "100",
      // A busy machine takes its time to move every client.
      HANDOVER_MS: "8000",
      // No worker dies here, and one that a busy machine holds up is not to be taken for dead.
      LEASE_MS: "20000",
    },
  );
});
afterEach(() => cluster.redis.resume());
afterAll(() => cluster.stop());

function overHttp(url: string) {
  return createTRPCClient<AppRouter>({
    links: [httpLink({ url: `${url}/trpc`, transformer: superjson })],
  });
}

function overSocket(url: string) {
  const client = createWSClient({ url: `${url.replace("http", "ws")}/trpc` });
  onTestFinished(() => void client.close());
  return createTRPCClient<AppRouter>({ links: [wsLink({ client, transformer: superjson })] });
}

/** The gateway that the proxy assigns to a new client. */
async function whoServes(): Promise<string | undefined> {
  const handshake = await fetch(`${cluster.url}/socket.io/?EIO=4&transport=polling`);
  return /"sid":"([\w-]+)\./.exec(await handshake.text())?.[1];
}

/** Creates and reads jobs in a loop. `stop` resolves to their number. */
function callOn(client: ReturnType<typeof overHttp>): { stop(): Promise<number> } {
  let going = true;
  const calls = (async () => {
    let count = 0;
    for (; going; count += 1) {
      const { id } = await client.job.create.mutate(QUICK);
      expect((await client.job.get.query({ jobId: id })).id).toBe(id);
      await delay(PACE_MS);
    }
    return count;
  })();
  calls.catch(() => undefined);
  return {
    stop() {
      going = false;
      return calls;
    },
  };
}

test("the doctor finds nothing wrong with gateways behind HAProxy, as deployed, nor with their Redis", async () => {
  const env = { REDIS_URL: cluster.redis.url, PORT: "0" };
  for (const args of [
    ["doctor", cluster.url, "--json"],
    ["doctor", "--json"],
  ]) {
    const { out } = await run(args, { env });
    const wrong = out.split("\n").filter((line) => /"verdict":"(?:fail|warn)"/.test(line));
    // Those two depend on the machine.
    expect(wrong.filter((line) => !/"check":"(?:open files|redis memory)"/.test(line))).toEqual([]);
    expect(out).toContain(args.length === 2 ? '"check":"redis role"' : '"check":"polling"');
  }
});

test("[J10] [S5] a rolling restart loses nothing, and no client sees an error", async () => {
  const client = overHttp(cluster.url);
  const jobs = await Promise.all(Array.from({ length: 6 }, () => client.job.create.mutate(SLOW)));
  const watchers: Watcher[] = jobs.flatMap(({ id }) =>
    OPEN_WATCHER.map((watch) => watch(cluster.url, id)),
  );
  const calls = [callOn(overHttp(cluster.url)), callOn(overSocket(cluster.url))];
  for (const [index, gateway] of cluster.gateways.entries()) {
    await gateway.restart();
    // The next gateway stops once the proxy knows that this one is back.
    await vi.waitFor(async () => expect(await whoServes()).toBe(`gateway-${index + 1}`), PATIENCE);
  }
  for (const worker of cluster.workers) await worker.restart();
  for (const { stop } of calls) expect(await stop()).toBeGreaterThan(20);
  await Promise.all(watchers.map(({ done }) => done));

  for (const [index, { id }] of jobs.entries()) {
    const { items: log } = await client.job.events.query({ jobId: id, limit: 1000 });
    expect(log.at(-1)).toMatchObject({ type: "delivered" });
    // A job that was given back uses no retry; one whose worker was found dead does.
    const { retries } = await client.job.get.query({ jobId: id });
    expect(retries).toBe(0);
    const mine = watchers.slice(index * OPEN_WATCHER.length, (index + 1) * OPEN_WATCHER.length);
    expect(mine.flatMap((watcher) => watcher.faults(log))).toEqual([]);
  }
  watchers.forEach((watcher) => watcher.leave());
});

test("[S4] [S6] python-socketio reconnects after every hand-over, idle and busy", async () => {
  const client = overHttp(cluster.url);
  const gate = join(cluster.workers[0]?.dataDir ?? "", "gate");
  const create = (held: { after: string } | { until: string }) =>
    client.job.create.mutate({ kind: "steps", input: { steps: 1, everyMs: 100, ...held } });
  const [idle, busy] = await Promise.all([create({ after: gate }), create({ until: gate })]);
  const jobs = (["websocket", "polling"] as const).flatMap((transport) =>
    [idle, busy].map(({ id: jobId }) => ({ jobId, transport })),
  );
  const clients = STRICT_KINDS.flatMap((kind) =>
    runStrict(inject("python"), kind, { url: cluster.url, clients: jobs }),
  );
  onTestFinished(() => Promise.all(clients.map((each) => each.end())).then(() => undefined));
  const all = (told: RegExp) => {
    for (const { lines } of clients) expect(lines.at(-1)).toMatch(told);
  };
  await vi.waitFor(() => all(/"PROCESSING"/), PATIENCE);
  for (const [index, gateway] of cluster.gateways.entries()) {
    await gateway.restart();
    await vi.waitFor(async () => expect(await whoServes()).toBe(`gateway-${index + 1}`), PATIENCE);
  }
  await writeFile(gate, "");
  await vi.waitFor(() => all(/^\["job:update".*"DELIVERED"/), { timeout: 120_000 });
  for (const each of clients) {
    expect(each.lines.filter((line) => line.startsWith('["disconnect"')).length).toBeGreaterThan(0);
    expect(each.stderr()).toBe("");
  }
});

test("[L5] the older browser client moves between gateways with a single subscription", async () => {
  const client = overHttp(cluster.url);
  const [early, long] = await Promise.all([
    client.job.create.mutate(QUICK),
    client.job.create.mutate({ kind: "steps", input: { steps: 5000, everyMs: 100 } }),
  ]);
  const clients = VERSIONS.flatMap(([, connect]) =>
    TRANSPORTS.map((transports) => new GuideClient(connect, cluster.url, transports)),
  );
  onTestFinished(() => clients.forEach((each) => each.disconnect()));
  for (const each of clients) for (const { id } of [early, long]) each.subscribeToJob(id);
  const all = (expected: (each: GuideClient) => void) =>
    vi.waitFor(() => clients.forEach(expected), { timeout: 120_000, interval: 20 });
  await all((each) => {
    expect(each.endsOf(early.id)).toEqual({ told: 1, shows: true });
    expect(each.shown.get(long.id)).toContain("job:update PROCESSING");
  });
  const [first, second] = cluster.gateways;
  // The first hands over, the second is killed: the other gateway knows both sessions.
  await first?.restart();
  await vi.waitFor(async () => expect(await whoServes()).toBe("gateway-1"), PATIENCE);
  await second?.kill("SIGKILL");
  await all((each) => expect(each.connects).toBeGreaterThan(1));
  // An end that is told just before a gateway dies may be told again (L5), so it comes after that.
  await overHttp(first?.url ?? "").job.cancel.mutate({ jobId: long.id });
  await all((each) => {
    expect(each.endsOf(long.id).told).toBe(1);
    expect(each.shown.get(long.id)?.at(-1)).toBe("job:update ABORTED");
  });
  for (const each of clients) {
    expect(each.endsOf(early.id)).toEqual({ told: 1, shows: true });
    expect(each.errors).toEqual([]);
  }
  await second?.restart();
});

test("a gateway without workers accepts jobs and reports it; they run once a worker starts", async () => {
  const [gateway] = cluster.gateways;
  for (const worker of cluster.workers) await worker.kill("SIGTERM");
  const client = overHttp(gateway?.url ?? "");
  const { id } = await client.job.create.mutate(QUICK);
  const readyz = async () => (await fetch(`${gateway?.url}/readyz`)).json();
  await vi.waitFor(
    async () =>
      expect(await readyz()).toEqual({
        status: "ready",
        workers: 0,
        note: expect.stringContaining("There is no worker") as string,
      }),
    PATIENCE,
  );
  expect(await client.job.get.query({ jobId: id })).toMatchObject({ status: "PENDING" });
  await cluster.workers[0]?.restart();
  await vi.waitFor(
    async () => expect((await client.job.get.query({ jobId: id })).status).toBe("DELIVERED"),
    PATIENCE,
  );
  expect(await readyz()).toEqual({ status: "ready", workers: 1 });
  await cluster.workers[1]?.restart();
});

test("[S9] a cursor of one gateway, on one transport, resumes on another", async () => {
  const [first, second] = cluster.gateways.map(({ url }) => url) as [string, string];
  const { id } = await overHttp(first).job.create.mutate({
    kind: "steps",
    input: { steps: 20, everyMs: 20 },
  });
  const take = (url: string, after: string, count: number) =>
    new Promise<JobEvent[]>((resolve, reject) => {
      const seen: JobEvent[] = [];
      const subscription = overSocket(url).job.onUpdate.subscribe(
        { jobId: id, lastEventId: after },
        {
          onData({ data }) {
            if (seen.push(data) < count) return;
            subscription.unsubscribe();
            resolve(seen);
          },
          onComplete: () => resolve(seen),
          onError: reject,
        },
      );
    });
  const before = await take(first, "0", 5);
  const after = await take(second, `${before.at(-1)?.seq}`, Number.POSITIVE_INFINITY);
  const { items: log } = await overHttp(second).job.events.query({ jobId: id, limit: 100 });
  const seqs = [...before.slice(0, 5), ...after].flatMap(({ seq, skipped = 0 }) =>
    Array.from({ length: skipped + 1 }, (_, index) => seq - skipped + index),
  );
  expect(seqs).toEqual(log.map(({ seq }) => seq));
});

test("[S5] [S7] while Redis does not answer, watchers stay connected, receive the stale state, and catch up afterwards", async () => {
  const client = overHttp(cluster.url);
  const { id } = await client.job.create.mutate({
    kind: "steps",
    input: { steps: 40, everyMs: 100 },
  });
  const watchers = OPEN_WATCHER.map((watch) => watch(cluster.url, id));
  const states: boolean[] = [];
  const trpc = overSocket(cluster.url);
  const subscription = trpc.system.onState.subscribe(undefined, {
    onData: ({ stale }) => states.push(stale),
  });
  await vi.waitFor(() => {
    expect(states).toEqual([false]);
    expect(watchers.every(({ begun }) => begun())).toBe(true);
  }, PATIENCE);
  cluster.redis.pause();
  await vi.waitFor(() => expect(states).toEqual([false, true]), PATIENCE);
  const refused = client.job.get.query({ jobId: id });
  await expect(refused).rejects.toMatchObject({ data: { appCode: "UNAVAILABLE" } });
  const [gateway] = cluster.gateways;
  // New watchers wait for Redis too. They connect to the gateway directly: HAProxy sends no clients to an unready one.
  const late = OPEN_WATCHER.map((watch) => watch(`${gateway?.url}`, id));
  const readyz = await fetch(`${gateway?.url}/readyz`);
  expect([readyz.status, await readyz.json()]).toMatchObject([503, { status: "unavailable" }]);
  cluster.redis.resume();
  await vi.waitFor(() => expect(states).toEqual([false, true, false]), PATIENCE);
  subscription.unsubscribe();
  const all = [...watchers, ...late];
  await Promise.all(all.map(({ done }) => done));
  const { items: log } = await client.job.events.query({ jobId: id, limit: 1000 });
  expect(all.flatMap((watcher) => watcher.faults(log))).toEqual([]);
  all.forEach((watcher) => watcher.leave());
});

test("[J8] a cancel stops the code that runs in a worker", async () => {
  const client = overHttp(cluster.url);
  const { id } = await client.job.create.mutate({
    kind: "steps",
    input: { steps: 1000, everyMs: 100 },
  });
  const running = async () => {
    const texts = await Promise.all(
      cluster.workers.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()),
    );
    return texts.map((text) => Number(/^jobwire_running_jobs (\d+)$/m.exec(text)?.[1]));
  };
  await vi.waitFor(
    async () => expect((await running()).toSorted((a, b) => a - b)).toEqual([0, 1]),
    PATIENCE,
  );
  await client.job.cancel.mutate({ jobId: id });
  await vi.waitFor(async () => expect(await running()).toEqual([0, 0]), PATIENCE);
  expect(await client.job.get.query({ jobId: id })).toMatchObject({ status: "ABORTED" });
});

test("[L5] a client that moves to another gateway has one connection, and keeps its new subscriptions", async () => {
  const trpc = overHttp(cluster.url);
  const [first, second] = await Promise.all([
    trpc.job.create.mutate(SLOW),
    trpc.job.create.mutate(SLOW),
  ]);
  const [here, there] = cluster.gateways.map(({ url }) => url);
  const before = await joinRaw(here ?? "");
  before.ask("subscribe:job", { job_id: first.id });
  await vi.waitFor(() => expect(before.told()).toContain("subscribed"), PATIENCE);
  const after = await joinRaw(there ?? "", before.pid);
  expect(after.pid).toBe(before.pid);
  await before.closed;
  after.ask("subscribe:job", { job_id: second.id });
  await vi.waitFor(() => expect(after.told()).toContain("subscribed"), PATIENCE);
  const back = await joinRaw(here ?? "", after.pid);
  await after.closed;
  await vi.waitFor(() => {
    for (const { id } of [first, second]) expect(back.frames.join("")).toContain(id);
  }, PATIENCE);
  back.close();
  for (const { id } of [first, second]) await trpc.job.cancel.mutate({ jobId: id });
});

test("[L1] an event of another service reaches the clients of every gateway, and job updates arrive once", async () => {
  const told = new Map<string, unknown[]>();
  const sockets = cluster.gateways.map(({ url }) => {
    const socket = io(url, { transports: ["websocket"], forceNew: true });
    socket.onAny((name: string, payload: unknown) => {
      told.set(socket.id ?? "", [...(told.get(socket.id ?? "") ?? []), [name, payload]]);
    });
    onTestFinished(() => void socket.close());
    return socket;
  });
  await vi.waitFor(() => expect(sockets.every(({ connected }) => connected)).toBe(true), PATIENCE);
  for (const [index, { id = "" }] of sockets.entries()) {
    expect(id).not.toBe("");
    expect(sockets[index]?.io.engine.id).toMatch(`gateway-${index + 1}.`);
  }
  const redis = new Redis(cluster.redis.url);
  onTestFinished(() => redis.disconnect());
  new Emitter(redis, { key: "jobwire:socket.io" }).emit("notice", { text: "Maintenance at six" });
  const notice = ["notice", { text: "Maintenance at six" }];
  await vi.waitFor(() => {
    for (const { id = "" } of sockets) expect(told.get(id)).toContainEqual(notice);
  }, PATIENCE);

  told.clear();
  const jobId = (
    await overHttp(cluster.url).job.create.mutate({
      kind: "steps",
      input: { steps: 5, everyMs: 20 },
      idempotencyKey: newId(),
    })
  ).id;
  for (const socket of sockets) socket.emit("subscribe:job", { job_id: jobId });
  const updatesOf = (id: string) =>
    (told.get(id) ?? []).filter((each) => (each as [string])[0] === "job:update");
  await vi.waitFor(() => {
    for (const { id = "" } of sockets) {
      expect(updatesOf(id).at(-1)).toMatchObject(["job:update", { status: "DELIVERED" }]);
    }
  }, PATIENCE);
  for (const { id = "" } of sockets) {
    const texts = updatesOf(id).map((each) => JSON.stringify(each));
    expect(new Set(texts).size).toBe(texts.length);
  }
});
