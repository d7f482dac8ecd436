/** A broken network between a server and its Redis, and a replica that takes over from a dead master. */
import { expect, inject, onTestFinished, test, vi } from "vitest";
import {
  ANN,
  at,
  claimOne,
  codeOf,
  DELIVER,
  LEASE_MS,
  listen,
  logOf,
  newJob,
  startedJob,
  STEP,
} from "#test/engine/builders.ts";
import { openStreams } from "#server/streams/open.ts";
import type { JobEvent } from "#shared/events.ts";
import { openTestEngine } from "#test/redis/engine.fixture.ts";
import { openNetwork } from "#test/redis/network.fixture.ts";
import { startRedis, type TestRedis } from "#test/redis/server.fixture.ts";

const PATIENCE = { timeout: 120_000, interval: 10 };

async function start(args: readonly string[] = []): Promise<TestRedis> {
  const redis = await startRedis(inject("redisServer"), { args });
  onTestFinished(() => redis.close());
  return redis;
}

test("[J5] [S5] a process that is cut off from Redis gets errors in time, loses its jobs to others, and catches up later", async () => {
  const redis = await start();
  const network = await openNetwork(redis.port);
  const [here, there] = [await openTestEngine(network.url), await openTestEngine(redis.url)];
  const held = await startedJob(here, at(0));
  const heard = await listen(here, { stream: "job", jobId: held.jobId });
  network.cut();
  // That holds for any number of changes that wait for each other.
  const refused = Array.from({ length: 20 }, () =>
    codeOf(here.change(held.jobId, STEP, at(1), held)),
  );
  expect(await codeOf(here.createJob(newJob(), at(1)))).toBe("UNAVAILABLE");
  expect(new Set(await Promise.all(refused))).toEqual(new Set(["UNAVAILABLE"]));
  // Other calls do not wait for it.
  const { event } = await there.change(held.jobId, { action: "cancel" }, at(2));
  const heardBefore = heard.count;
  network.heal();
  await vi.waitFor(() => expect(heard.count).toBeGreaterThan(heardBefore), PATIENCE);
  await vi.waitFor(() => here.health(), PATIENCE);
  expect((await logOf(here, held.jobId)).at(-1)).toEqual(event);
  expect(await codeOf(here.change(held.jobId, STEP, at(3), held))).toBe("CLAIM_LOST");
});

test("[J3] [S6] a replica that takes over has everything that had reached it, and work continues", async () => {
  const master = await start();
  const replica = await start(["--replicaof", "127.0.0.1", `${master.port}`]);
  const network = await openNetwork(master.port);
  const engine = await openTestEngine(network.url);
  const held = await startedJob(engine, at(0));
  const waiting = await engine.createJob(newJob(), at(0));
  const heard = await listen(engine, { stream: "job", jobId: held.jobId });
  await master.replicated();

  await master.kill();
  // A writer retries until its change is stored.
  let stopped = false;
  const stored: number[] = [];
  const refusals = new Set<string>();
  async function work(): Promise<void> {
    while (!stopped) {
      const change = engine.change(held.jobId, STEP, at(1), held);
      const code = await codeOf(change);
      if (code === undefined) stored.push((await change).event.seq);
      else refusals.add(code);
    }
  }
  const working = work();
  await replica.client.replicaof("NO", "ONE");
  network.leadTo(replica.port);
  await vi.waitFor(() => expect(stored.length).toBeGreaterThan(20), PATIENCE);
  stopped = true;
  await working;
  expect([...refusals].filter((code) => code !== "UNAVAILABLE")).toEqual([]);

  await engine.change(held.jobId, DELIVER, at(2), held);
  const log = await logOf(engine, held.jobId);
  expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
  expect(log.map(({ seq }) => seq)).toEqual(expect.arrayContaining(stored));
  await vi.waitFor(() => expect(heard.events.at(-1)).toEqual(log.at(-1)), PATIENCE);
  const claim = await vi.waitFor(() => claimOne(engine, at(3)), PATIENCE);
  expect(claim.jobId).toBe(waiting.id);
});

test("[J3] [S5] clients move from a silently vanished master to its replacement", async () => {
  const master = await start();
  const replica = await start(["--replicaof", "127.0.0.1", `${master.port}`]);
  const network = await openNetwork(master.port);
  const engine = await openTestEngine(network.url);
  const held = await startedJob(engine, at(0));
  const heard = await listen(engine, { stream: "job", jobId: held.jobId });
  // A listener waits for the queue at that moment.
  const room = { worker: "w1", max: 1, leaseMs: LEASE_MS, now: at(0) };
  expect(await engine.claim(room)).toEqual([]);
  onTestFinished(engine.onWork(() => undefined));
  await master.replicated();

  await replica.client.replicaof("NO", "ONE");
  network.vanish(replica.port);
  const elsewhere = await openTestEngine(replica.url);
  const heardBefore = heard.count;
  await elsewhere.change(held.jobId, STEP, at(1), held);
  await vi.waitFor(() => expect(heard.count).toBeGreaterThan(heardBefore), PATIENCE);
  await vi.waitFor(() => engine.change(held.jobId, DELIVER, at(2), held), PATIENCE);
  const job = await engine.createJob(newJob(), at(3));
  const claim = await vi.waitFor(() => claimOne(engine, at(4)), PATIENCE);
  expect(claim.jobId).toBe(job.id);
  expect((await logOf(elsewhere, held.jobId)).map(({ type }) => type)).toEqual([
    "created",
    "started",
    "progress",
    "delivered",
  ]);
});

test.each([0, 5])(
  "[S8] a replica with less data takes over, and %i changes later all watchers see its data",
  async (instead) => {
    const master = await start();
    const replica = await start(["--replicaof", "127.0.0.1", `${master.port}`]);
    const network = await openNetwork(master.port);
    const engine = await openTestEngine(network.url);
    const held = await startedJob(engine, at(0));
    await master.replicated();
    await replica.client.replicaof("NO", "ONE");
    const streams = openStreams(engine, { pollMs: 100 });
    onTestFinished(() => streams.close());
    const principal = { tenantId: ANN.tenant, userId: ANN.owner, scopes: ["*"] };
    const seen: JobEvent[] = [];
    const taken = (async () => {
      for await (const { value } of await streams.job(principal, held.jobId)) seen.push(value);
    })();
    for (const _lost of Array.from({ length: 3 }))
      await engine.change(held.jobId, STEP, at(1), held);
    await vi.waitFor(() => expect(seen.at(-1)?.seq).toBe(5), PATIENCE);

    const elsewhere = await openTestEngine(replica.url);
    for (const _new of Array.from({ length: instead })) {
      await elsewhere.change(held.jobId, STEP, at(2), held);
    }
    await master.kill();
    network.leadTo(replica.port);
    await vi.waitFor(
      () => expect(seen.at(-1)).toMatchObject({ seq: 2 + instead, gap: true }),
      PATIENCE,
    );
    // The new master continues the work of the old one.
    await engine.change(held.jobId, DELIVER, at(3), held);
    await taken;
    const log = await logOf(elsewhere, held.jobId);
    expect(log).toHaveLength(3 + instead);
    expect(seen.at(-1)).toEqual(log.at(-1));
  },
);
