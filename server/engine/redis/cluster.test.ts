/** A Redis Cluster: tenants lie on different nodes, and a replica replaces a node that dies. */
import { expect, inject, onTestFinished, test, vi } from "vitest";
import {
  ANN,
  at,
  claimOne,
  codeOf,
  DELIVER,
  listen,
  logOf,
  newId,
  newJob,
  startedJob,
  STEP,
} from "#test/engine/builders.ts";
import { startRedisCluster, type TestCluster } from "#test/redis/cluster.fixture.ts";
import { openTestEngine } from "#test/redis/engine.fixture.ts";
import type { TestRedis } from "#test/redis/server.fixture.ts";
import { examineRedis } from "./examine.ts";

const PATIENCE = { timeout: 120_000, interval: 10 };
// A test waits several times, each time as long as a cluster may take on a slow machine.
vi.setConfig({ testTimeout: 240_000 });
const TENANTS = Array.from({ length: 12 }, (_, index) => `tenant-${index}`);

async function start(options: { replicas?: boolean } = {}): Promise<TestCluster> {
  const cluster = await startRedisCluster(inject("redisServer"), options);
  onTestFinished(() => cluster.close());
  return cluster;
}

/** Returns the node that has this key. */
async function nodeOf(cluster: TestCluster, key: string): Promise<TestRedis> {
  const slot = await cluster.client.cluster("KEYSLOT", key);
  const ranges = await cluster.client.cluster("SLOTS");
  const [, , master] = ranges.find(([from, to]) => from <= slot && slot <= to) ?? [];
  const node = cluster.nodes.find(({ port }) => port === master?.[1]);
  if (!node) throw new Error(`No node has ${key}.`);
  return node;
}

/** Moves the slot of a key as `redis-cli --cluster reshard` does. Calls `onMoment` after no, one and all keys have moved. */
async function moveSlot(cluster: TestCluster, key: string, onMoment: () => Promise<unknown>) {
  const from = await nodeOf(cluster, key);
  const to = cluster.nodes[(cluster.nodes.indexOf(from) + 1) % cluster.nodes.length] as TestRedis;
  const slot = await cluster.client.cluster("KEYSLOT", key);
  const [source, target] = [await from.client.cluster("MYID"), await to.client.cluster("MYID")];
  await to.client.cluster("SETSLOT", slot, "IMPORTING", source);
  await from.client.cluster("SETSLOT", slot, "MIGRATING", target);
  for (const atOnce of [0, 1, 1000]) {
    const keys = await from.client.cluster("GETKEYSINSLOT", slot, atOnce);
    if (atOnce > 0) await from.client.migrate("127.0.0.1", to.port, "", 0, 5000, "KEYS", ...keys);
    await onMoment();
  }
  for (const { client } of [to, from, ...cluster.nodes]) {
    await client.cluster("SETSLOT", slot, "NODE", target);
  }
  expect(await nodeOf(cluster, key)).toBe(to);
}

test("[S1] tenants lie on all nodes, and each process receives the jobs and hints of all tenants", async () => {
  const cluster = await start();
  const [here, there] = [await openTestEngine(cluster.url), await openTestEngine(cluster.url)];
  const ids = new Map<string, string>();
  for (const tenant of TENANTS) {
    const job = await here.createJob(newJob({ tenant }), new Date());
    ids.set(job.id, tenant);
  }
  const sizes = await Promise.all(cluster.nodes.map(({ client }) => client.dbsize()));
  expect(sizes.filter((size) => size === 0)).toEqual([]);
  const heard = await Promise.all(
    Array.from(ids.keys(), (jobId) => listen(here, { stream: "job", jobId })),
  );
  const request = { worker: "w", max: 50, leaseMs: 60_000, now: new Date() };
  const claims = await there.claim({ ...request, start: () => ({ progress: 0, message: "Go" }) });
  expect(claims.map(({ jobId }) => jobId).toSorted()).toEqual([...ids.keys()].toSorted());
  await Promise.all(claims.map((claim) => there.change(claim.jobId, DELIVER, new Date(), claim)));
  for (const each of heard) {
    await vi.waitFor(() => expect(each.events.map(({ seq }) => seq)).toEqual([2, 3]), PATIENCE);
  }
  for (const [jobId, tenant] of ids) {
    expect(await here.getSummary(jobId)).toMatchObject({ tenant, status: "DELIVERED" });
  }
});

test("[J3] [S6] when nodes die, their replicas take over and all work continues", async () => {
  const cluster = await start({ replicas: true });
  const engine = await openTestEngine(cluster.url);
  const held = await startedJob(engine, at(0));
  const waiting = await engine.createJob(newJob(), at(0));
  const heard = await listen(engine, { stream: "job", jobId: held.jobId });
  const dying = new Set([
    await nodeOf(cluster, "jobwire:{acme}:n"),
    await nodeOf(cluster, "jobwire:{:turns}:n"),
  ]);
  let stored = 0;
  for (const node of dying) {
    await node.replicated();
    await node.kill();
    // A writer retries until its change is stored, and a listener watches.
    const before = { stored, heard: heard.events.length };
    await vi.waitFor(async () => {
      const code = await codeOf(engine.change(held.jobId, STEP, at(1), held));
      expect([undefined, "UNAVAILABLE"]).toContain(code);
      if (code === undefined) stored += 1;
      expect(stored - before.stored).toBeGreaterThan(20);
      expect(heard.events.length).toBeGreaterThan(before.heard);
    }, PATIENCE);
    await vi.waitFor(() => engine.health(), PATIENCE);
  }

  await engine.change(held.jobId, DELIVER, at(2), held);
  const log = await logOf(engine, held.jobId);
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  expect(log.length).toBeGreaterThanOrEqual(stored + 3);
  const claim = await vi.waitFor(() => claimOne(engine, at(3)), PATIENCE);
  expect(claim.jobId).toBe(waiting.id);
});

test("[S5] [S6] a tenant whose slot moves to another node waits, and continues there", async () => {
  const cluster = await start();
  const engine = await openTestEngine(cluster.url);
  const held = await startedJob(engine, at(0));
  const heard = await listen(engine, { stream: "job", jobId: held.jobId });
  // The move takes longer than any command waits.
  await moveSlot(cluster, "jobwire:{acme}:n", async () => {
    const codes = await Promise.all([
      codeOf(engine.change(held.jobId, STEP, at(1), held)),
      codeOf(engine.createJob(newJob(), at(1))),
      codeOf(engine.readEvents(held.jobId, 0, 10)),
      codeOf(engine.appendDraft(held, "word")),
    ]);
    expect(new Set(codes)).toEqual(new Set(["UNAVAILABLE"]));
  });

  await vi.waitFor(async () => {
    await engine.change(held.jobId, STEP, at(2), held);
    expect(heard.events.length).toBeGreaterThan(2);
  }, PATIENCE);
  await engine.change(held.jobId, DELIVER, at(3), held);
  const log = await logOf(engine, held.jobId);
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  const { id } = await engine.createJob(newJob(), at(4));
  const { items, feed } = await engine.listJobs({ ...ANN, limit: 10 });
  expect(items.map((job) => job.id)).toEqual([id, held.jobId]);
  expect(feed).toBe(log.length + 1);
});

test("[P8] the slot of the API keys may move to another node: no key counts meanwhile, and all do there", async () => {
  const cluster = await start();
  const engine = await openTestEngine(cluster.url);
  const hash = "a".repeat(64);
  const key = { id: newId(), tenant: "acme", user: "reports", scopes: ["jobs:read"], label: "" };
  await engine.apiKeys.create({ ...key, createdAt: at(0), expiresAt: null }, hash);
  // The move takes longer than any command waits.
  await moveSlot(cluster, "jobwire:{:api-keys}:n", async () => {
    expect(await codeOf(engine.apiKeys.find(hash))).toBe("UNAVAILABLE");
    expect(await codeOf(engine.apiKeys.revoke(key.id, at(1)))).toBe("UNAVAILABLE");
  });
  const found = await vi.waitFor(() => engine.apiKeys.find(hash), PATIENCE);
  expect(found).toMatchObject({ ...key, revokedAt: null });
  await engine.apiKeys.revoke(key.id, at(2));
  expect(await engine.apiKeys.find(hash)).toMatchObject({ revokedAt: at(2) });
});

test("[S6] the directory's slot, and the ring's, may move too", async () => {
  const cluster = await start();
  const engine = await openTestEngine(cluster.url);
  const first = await engine.createJob(newJob(), new Date());
  for (const key of ["jobwire:{:directory}:n", "jobwire:{:turns}:n"]) {
    await moveSlot(cluster, key, async () => undefined);
  }
  const later = await engine.createJob(newJob(), new Date());
  for (const { id } of [first, later]) {
    const claim = await vi.waitFor(() => claimOne(engine, new Date()), PATIENCE);
    expect(claim.jobId).toBe(id);
  }
});

test("[J3] a command that failed while the cluster was down is not executed afterwards", async () => {
  const cluster = await start();
  const engine = await openTestEngine(cluster.url);
  const { id } = await engine.createJob(newJob(), at(0));
  await Promise.all(cluster.nodes.map((node) => node.kill()));
  // The connections notice with the first command.
  expect(await codeOf(engine.health())).toBe("UNAVAILABLE");
  expect(await codeOf(engine.change(id, { action: "cancel" }, at(1)))).toBe("UNAVAILABLE");
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await vi.waitFor(() => engine.health(), PATIENCE);
  const log = await vi.waitFor(() => logOf(engine, id), PATIENCE);
  expect(log.map(({ type }) => type)).toEqual(["created"]);
});

test.each([
  [
    "says nothing",
    async (node: TestRedis) => node.pause(),
    async (node: TestRedis) => node.resume(),
  ],
  ["is gone", (node: TestRedis) => node.kill(), (node: TestRedis) => node.start()],
])(
  "[S5] a cluster that %s makes commands fail with UNAVAILABLE, and has lost nothing when it recovers",
  async (_, away, back) => {
    const cluster = await start();
    const engine = await openTestEngine(cluster.url);
    const held = await startedJob(engine, at(0));
    const heard = await listen(engine, { stream: "job", jobId: held.jobId });
    await Promise.all(cluster.nodes.map(away));
    const codes = [
      codeOf(engine.change(held.jobId, STEP, at(1), held)),
      codeOf(engine.createJob(newJob(), at(1))),
      codeOf(engine.readEvents(held.jobId, 0, 10)),
      codeOf(engine.claim({ worker: "w", max: 1, leaseMs: 1000, now: at(1) })),
    ];
    expect(new Set(await Promise.all(codes))).toEqual(new Set(["UNAVAILABLE"]));
    await Promise.all(cluster.nodes.map(back));
    await vi.waitFor(() => engine.health(), PATIENCE);
    await vi.waitFor(async () => {
      await engine.change(held.jobId, STEP, at(2), held);
      expect(heard.events.length).toBeGreaterThan(0);
    }, PATIENCE);
    expect((await logOf(engine, held.jobId)).length).toBeGreaterThanOrEqual(3);
  },
);

test("the doctor examines each master, and says when the cluster is down or its nodes are gone", async () => {
  const cluster = await start();
  await (await openTestEngine(cluster.url)).health();
  const examine = async () => {
    const options = { now: () => new Date() };
    return examineRedis({ url: cluster.url, prefix: "jobwire" }, options);
  };
  const found = await examine();
  expect(found.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
  expect(found[0]?.found).toContain("a cluster with 3 masters");
  const { nodes } = cluster;
  expect(
    found.filter(({ check }) => check.startsWith("redis role ")).map(({ check }) => check),
  ).toEqual(expect.arrayContaining(nodes.map(({ port }) => `redis role 127.0.0.1:${port}`)));
  const asked = nodes.find(({ port }) => cluster.url.endsWith(`:${port}`));
  await Promise.all(nodes.filter((node) => node !== asked).map((node) => node.kill()));
  await vi.waitFor(
    async () => expect((await examine())[0]?.found).toContain("a cluster that is down"),
    PATIENCE,
  );
  await asked?.kill();
  expect(await examine()).toMatchObject([{ check: "redis", verdict: "fail" }]);
});
