/** Jobs and batches that go to another tenant, and what is left of that where the process dies between two of its steps. */
import { expect, inject, onTestFinished, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import type { Owner } from "#shared/principal.ts";
import {
  at,
  BLOCK,
  claimOne,
  codeOf,
  DELIVER,
  draftOf,
  listen,
  logOf,
  newBatch,
  newJob,
  START,
  STEP,
} from "#test/engine/builders.ts";
import { startRedisCluster } from "#test/redis/cluster.fixture.ts";
import { openTestEngine, useRedis } from "#test/redis/engine.fixture.ts";
import { contentsOf, keep, keysOf, lastingKeysOf } from "#test/redis/stored.ts";
import { createAssign } from "./assign.ts";
import type { Client } from "./client.ts";
import { createKeys } from "./keys.ts";
import { createNewest } from "./newest.ts";
import { createScripts, type RunScript } from "./scripts.ts";
import { createStagedBatches } from "./staged-batches.ts";
import { createTenantDirectory } from "./tenant-directory.ts";

const { redis, open } = useRedis();
const keys = createKeys("jobwire");
const FROM: Owner = { tenant: "local", owner: "local" };
const EVE: Owner = { tenant: "other", owner: "eve" };
const CANCEL = { action: "cancel" } as const;
const RETRY = { action: "retry" } as const;

/** Assigns in a process that dies after so many calls of Redis: all later ones fail. */
function createMortalAssign(client: Client, calls: number) {
  let left = calls;
  const underWay: Promise<unknown>[] = [];
  function call<T>(send: () => Promise<T>): Promise<T> {
    left -= 1;
    if (left < 0) return Promise.reject(new Error("The process was killed."));
    const sent = send();
    underWay.push(sent);
    return sent;
  }
  const mortal = new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      // It is no command.
      if (name === "nodes") return value.bind(target) as unknown;
      return (...args: unknown[]) => call(() => value.apply(target, args) as Promise<unknown>);
    },
  });
  const scripts = createScripts(client);
  const run: RunScript = (...args) => call(() => scripts(...args));
  const tenants = createTenantDirectory(mortal, run, keys);
  const parts = { redis: mortal, run, keys, tenants, newest: createNewest(), op: () => "op.1" };
  const staged = createStagedBatches({ ...parts, ring: { tell: async () => undefined } });
  const assign = createAssign({ ...parts, staged });
  return async (from: Owner, to: Owner) => {
    const outcome = await assign(from, to, 99).catch(() => undefined);
    await Promise.allSettled(underWay);
    return outcome;
  };
}

async function assignAll(engine: Engine, from: Owner, to: Owner, limit = 3) {
  let sum = 0;
  for (;;) {
    const { moved, unsettled } = await engine.assign(from, to, limit);
    if (moved === 0) return { moved: sum, unsettled };
    sum += moved;
  }
}

const idsOf = async (engine: Engine, of: Owner) =>
  (await engine.listJobs({ ...of, limit: 999 })).items.map(({ id }) => id);

async function settled(engine: Engine, given: Partial<Parameters<typeof newJob>[0]> = {}) {
  const job = newJob({ ...FROM, ...given });
  await engine.createJob(job, at(0));
  const claim = await claimOne(engine, at(1));
  await engine.change(job.id, START, at(1), claim);
  await engine.appendDraft(claim, "Once upon");
  await engine.appendDraft(claim, " a time");
  await engine.appendLines(claim, [{ at: at(1), level: "info", message: "line" }]);
  await engine.change(job.id, STEP, at(2), claim);
  await engine.change(job.id, BLOCK, at(3), claim);
  return job.id;
}

/** A job with a draft and a log line, one with an idempotency key, and a batch, of which one job was deleted already. */
async function prepare(engine: Engine) {
  const written = await settled(engine);
  const own = await engine.createJob(newJob({ ...EVE, idempotencyKey: "used" }), at(0));
  const keyed = await engine.createJob(newJob({ ...FROM, idempotencyKey: "free" }), at(0));
  const used = await engine.createJob(newJob({ ...FROM, idempotencyKey: "used" }), at(0));
  const { batch, jobs } = newBatch(3, { ...FROM, idempotencyKey: "free" });
  await engine.createBatch(batch, jobs, at(0));
  const ids = [keyed.id, used.id, ...jobs.map(({ id }) => id)];
  const [deleted = "", ...kept] = jobs.map(({ id }) => id);
  for (const id of ids) await engine.change(id, CANCEL, at(id === deleted ? 1 : 9));
  expect(await engine.prune(at(2), 9)).toBe(1);
  return { own: own.id, batch: batch.id, moving: [written, keyed.id, used.id, ...kept] };
}

async function seenOf(engine: Engine, batch: string, jobs: readonly string[]) {
  const seen = jobs.map(async (id) => {
    const { tenant: _tenant, owner: _owner, ...rest } = (await engine.getJob(id)) ?? {};
    const lines = await engine.readLines(id, 0, 9);
    return { ...rest, log: await logOf(engine, id), draft: await draftOf(engine, id), lines };
  });
  const { tenant: _tenant, owner: _owner, ...counted } = (await engine.getBatch(batch)) ?? {};
  return { jobs: await Promise.all(seen), batch: counted };
}

/** Feeds have the order of the calls, so only their jobs are compared. */
async function storedIn(client: Client): Promise<Record<string, unknown>> {
  const contents = await contentsOf(client, "jobwire:{*");
  for (const name of Object.keys(contents).filter((each) => each.endsWith(":feed"))) {
    contents[name] = (await client.zrange(name, "0", "-1")).toSorted();
  }
  return contents;
}

/**
 * Kills a process after 0, `every`, 2 × `every` … calls, and each time repeats its work with another process. Returns the number
 * of calls.
 */
async function killAtEachStep(client: Client, url: string, every: number): Promise<number> {
  const [engine, watcher] = [await openTestEngine(url), await openTestEngine(url)];
  const { own, batch, moving } = await prepare(engine);
  const seen = await seenOf(watcher, batch, moving);
  const before = await keep(client, "jobwire:{*");
  const count = moving.length + 1;
  expect(await assignAll(engine, FROM, EVE)).toMatchObject({ moved: count });
  const after = await storedIn(client);
  expect(await idsOf(engine, EVE)).toEqual([own, ...moving.toReversed()]);

  let isDone = false;
  let calls = -every;
  while (!isDone) {
    calls += every;
    await before.restore();
    isDone = (await createMortalAssign(client, calls)(FROM, EVE)) !== undefined;
    // Also a process that remembers the other tenant reads all of it, and each job is in a list.
    for (const each of [engine, watcher]) {
      expect(await seenOf(each, batch, moving)).toEqual(seen);
      const listed = [...(await idsOf(each, FROM)), ...(await idsOf(each, EVE))];
      expect(new Set(listed)).toEqual(new Set([own, ...moving]));
    }
    for (const id of moving) {
      const copies = await Promise.all(
        [FROM, EVE].map(({ tenant }) => client.hmget(keys.job(tenant, id), "v", "moving")),
      );
      const there = copies.filter(([version]) => version !== null);
      // Of two copies neither can change.
      const unmarked = there.filter(([, mark]) => mark === null);
      expect(there.length === 2 && unmarked.length > 0).toBe(false);
    }
    await assignAll(watcher, FROM, EVE);
    expect(await storedIn(client)).toEqual(after);
  }
  return calls;
}

test("[S5] a process that dies after any step of an assignment loses nothing, and a repeated call finishes it", async () => {
  expect(await killAtEachStep(redis().client, redis().url, 1)).toBeGreaterThan(50);
});

test("[S5] so it is in a cluster, where the two tenants lie on different nodes", async () => {
  const cluster = await startRedisCluster(inject("redisServer"));
  onTestFinished(() => cluster.close());
  const slots = [FROM, EVE].map(({ tenant }) =>
    cluster.client.cluster("KEYSLOT", keys.tenant(tenant)),
  );
  const [one = 0, other = 0] = await Promise.all(slots);
  expect(Math.floor(one / 5462)).not.toBe(Math.floor(other / 5462));
  expect(await killAtEachStep(cluster.client, cluster.url, 5)).toBeGreaterThan(50);
});

test("[S6] in a cluster, the old tenant keeps its jobs until a replica of the new one's node has them", async () => {
  const cluster = await startRedisCluster(inject("redisServer"), { replicas: true });
  onTestFinished(() => cluster.close());
  const engine = await openTestEngine(cluster.url);
  const id = await settled(engine);
  const slot = await cluster.client.cluster("KEYSLOT", keys.tenant(EVE.tenant));
  const replica = cluster.nodes[3 + Math.floor(slot / 5462)];
  replica?.pause();
  expect(await codeOf(engine.assign(FROM, EVE, 9))).toBe("UNAVAILABLE");
  expect(await cluster.client.exists(keys.job(FROM.tenant, id))).toBe(1);
  expect(await engine.getSummary(id)).toMatchObject(EVE);
  replica?.resume();
  await vi.waitFor(async () =>
    expect(await engine.assign(FROM, EVE, 9)).toMatchObject({ moved: 1 }),
  );
  expect(await keysOf(cluster.client, "jobwire:{local}:job:*")).toEqual([]);
});

/** The call of a dying process after which a condition holds for the first time. */
async function diesWhen(client: Client, condition: () => Promise<boolean>): Promise<void> {
  const before = await keep(client, "jobwire:{*");
  for (let calls = 1; ; calls += 1) {
    const isDone = (await createMortalAssign(client, calls)(FROM, EVE)) !== undefined;
    if (await condition()) return;
    if (isDone) throw new Error("The condition never held.");
    await before.restore();
  }
}

test.each([
  ["before it is copied", async (id: string) => redis().client.exists(keys.job("local", id))],
  ["after it is copied", async (id: string) => redis().client.exists(keys.job("other", id))],
  [
    "after it is deleted in its old tenant",
    async (id: string) => 1 - (await redis().client.exists(keys.job("local", id))),
  ],
])(
  "[J3] a job that an interrupted assignment left %s changes only once it has arrived",
  async (_, state) => {
    const [engine, other] = [await open(), await open()];
    const id = await settled(engine, { kind: "report" });
    const isMarked = async () => {
      const marks = [FROM, EVE].map(({ tenant }) =>
        redis().client.hexists(keys.job(tenant, id), "moving"),
      );
      return (await Promise.all(marks)).includes(1);
    };
    await diesWhen(redis().client, async () => (await state(id)) === 1 && (await isMarked()));
    const seen = await engine.getJob(id);
    for (const each of [engine, other]) {
      expect(await codeOf(each.change(id, { action: "approve" }, at(9)))).toBe("UNAVAILABLE");
      expect(await each.prune(at(99), 9)).toBe(0);
    }
    expect(await engine.getJob(id)).toEqual(seen);

    expect(await assignAll(other, FROM, EVE)).toMatchObject({ moved: 1 });
    await engine.change(id, { action: "approve" }, at(9));
    expect(await other.getJob(id)).toMatchObject({ ...EVE, status: "DELIVERED" });
    expect((await logOf(other, id)).map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
    expect((await other.readFeed(EVE, 0, 9)).changes).toMatchObject([{ job: { id } }]);
    expect(await other.prune(at(99), 9)).toBe(1);
  },
);

test("jobs on their way to one user do not go to another, and the error names the first", async () => {
  const engine = await open();
  const id = await settled(engine);
  const isCopied = async () => (await redis().client.exists(keys.job(EVE.tenant, id))) === 1;
  await diesWhen(redis().client, isCopied);
  for (const to of [
    { tenant: "other", owner: "ann" },
    { tenant: "local", owner: "ann" },
  ]) {
    const refused = engine.assign(FROM, to, 9);
    await expect(refused).rejects.toMatchObject({ code: "BAD_REQUEST" });
    await expect(refused).rejects.toThrow('user "eve" of tenant "other"');
  }
  await assignAll(engine, FROM, EVE);
  expect(await engine.getSummary(id)).toMatchObject(EVE);
});

test("jobs that have not settled stay, with all others of their batches, until they have", async () => {
  const engine = await open();
  const { batch, jobs } = newBatch(3, FROM);
  await engine.createBatch(batch, jobs, at(0));
  const waiting = await engine.createJob(newJob(FROM), at(0));
  const claim = await claimOne(engine, at(1));
  await engine.change(claim.jobId, START, at(1), claim);
  const [, cancelled, last] = jobs.map(({ id }) => id);
  await engine.change(cancelled ?? "", CANCEL, at(1));
  await engine.change(last ?? "", CANCEL, at(1));
  const left = await assignAll(engine, FROM, EVE);
  expect(left).toMatchObject({ moved: 0, unsettled: { count: 4 } });
  expect(left.unsettled.some.toSorted()).toEqual([claim.jobId, waiting.id].toSorted());

  await engine.change(claim.jobId, DELIVER, at(2), claim);
  expect(await assignAll(engine, FROM, EVE)).toEqual({
    moved: 4,
    unsettled: { count: 1, some: [waiting.id] },
  });
  expect(await engine.getBatch(batch.id)).toMatchObject({
    ...EVE,
    counts: { DELIVERED: 1, ABORTED: 2 },
  });
  expect(await engine.listJobs({ ...EVE, batchId: batch.id, limit: 9 })).toMatchObject({
    items: [{ id: last }, { id: cancelled }, { id: claim.jobId }],
  });
  await engine.change(waiting.id, CANCEL, at(2));
  expect(await assignAll(engine, FROM, EVE)).toMatchObject({ moved: 1, unsettled: { count: 0 } });
  expect((await lastingKeysOf(redis().client, "jobwire:{local}:*")).toSorted()).toEqual([
    "jobwire:{local}:n",
    "jobwire:{local}:rev",
  ]);
});

test("[S2] other processes hear of the changes in the new tenant, once they have read there", async () => {
  const [engine, other] = [await open(), await open()];
  const { batch, jobs } = newBatch(1, FROM);
  await engine.createBatch(batch, jobs, at(0));
  const [{ id } = newJob()] = jobs;
  await engine.change(id, CANCEL, at(1));
  const [job, draft, counts] = await Promise.all([
    listen(other, { stream: "job", jobId: id }),
    listen(other, { stream: "draft", jobId: id }),
    listen(other, { stream: "batch", batchId: batch.id }),
  ]);
  await assignAll(engine, FROM, EVE);
  // Each hint makes a watcher read, which finds the new tenant.
  await vi.waitFor(() => expect(job.count * draft.count * counts.count).toBeGreaterThan(0));
  const before = [job.count, draft.count, counts.count];
  expect((await logOf(other, id)).map(({ seq }) => seq)).toEqual([1, 2]);
  expect(await other.getBatch(batch.id)).toMatchObject(EVE);
  await vi.waitFor(() => {
    const now = [job.count, draft.count, counts.count];
    now.forEach((count, index) => expect(count).toBeGreaterThan(before[index] ?? 0));
  });
  await engine.change(id, RETRY, at(2));
  const claim = await claimOne(engine, at(3));
  await engine.change(id, START, at(3), claim);
  const [drafted, counted] = [draft.count, counts.count];
  await engine.appendDraft(claim, "text");
  await engine.change(id, DELIVER, at(4), claim);
  await vi.waitFor(() => expect(job.events.map(({ seq }) => seq)).toEqual([3, 4, 5]));
  await vi.waitFor(() => expect(draft.count - drafted).toBeGreaterThan(0));
  await vi.waitFor(() => expect(counts.count - counted).toBeGreaterThan(0));
  for (const each of [job, draft, counts]) each.end();
});

test("a process that remembers a job in the earlier tenant changes it in the new one", async () => {
  const [engine, other] = [await open(), await open()];
  const job = await other.createJob(newJob(FROM), at(0));
  await other.change(job.id, CANCEL, at(1));
  await assignAll(engine, FROM, EVE);
  // It computes the change from the record that it remembers.
  await other.change(job.id, RETRY, at(2));
  const claim = await claimOne(other, at(3));
  expect(claim.job).toMatchObject({ ...EVE, version: 3 });
  await other.change(job.id, START, at(3), claim);
  await other.appendDraft(claim, "text");
  expect(await other.renew([claim], 1000, at(4))).toEqual([]);
  await other.change(job.id, DELIVER, at(5), claim);
  expect(await engine.getSummary(job.id)).toMatchObject({ ...EVE, status: "DELIVERED" });
  expect(await keysOf(redis().client, "jobwire:{local}:job:*")).toEqual([]);
  expect(await codeOf(other.change(newJob().id, RETRY, at(6)))).toBe("NOT_FOUND");
});

test("the deletion of a job in a process that read it in the earlier tenant leaves the new entry of the directory", async () => {
  const engine = await open();
  const id = await settled(engine);
  const run = createScripts(redis().client);
  const stale = createTenantDirectory(redis().client, run, keys);
  expect(await stale.of(id)).toBe("local");
  await assignAll(engine, FROM, EVE);
  await stale.forget("local", [id]);
  expect(await engine.getSummary(id)).toMatchObject(EVE);
  expect(await stale.find(id, async (tenant) => (tenant === "other" ? tenant : undefined))).toBe(
    "other",
  );
});

test("two commands at the same time move each job once", async () => {
  const engines = [await open(), await open()];
  const [engine] = engines as [Engine];
  const { own, batch, moving } = await prepare(engine);
  const seen = await seenOf(engine, batch, moving);
  await vi.waitFor(async () => {
    await Promise.all(engines.map((each) => assignAll(each, FROM, EVE, 2)));
  });
  expect(await seenOf(engine, batch, moving)).toEqual(seen);
  expect(await idsOf(engine, EVE)).toEqual([own, ...moving.toReversed()]);
  expect(await idsOf(engine, FROM)).toEqual([]);
  expect(await lastingKeysOf(redis().client, "jobwire:{local}:*")).toEqual([
    "jobwire:{local}:n",
    "jobwire:{local}:rev",
  ]);
});

test("a part of a log that is sent twice is copied once, and a job without its whole log is not stored", async () => {
  const run = createScripts(redis().client);
  const prefix = keys.tenant(EVE.tenant);
  const copy = (before: number, ...part: string[]) =>
    run("copy-list", prefix, "log", "1", before, part);
  const put = () => run("put-copy", prefix, "job", "1", ["3", "0", "0"], ["moving", "1"]);
  for (const _time of [1, 2]) await copy(0, "a", "b");
  expect(await put()).toBe(0);
  for (const _time of [1, 2]) await copy(2, "c");
  expect(await redis().client.lrange(`${prefix}:log:1`, 0, -1)).toEqual(["a", "b", "c"]);
  expect([await put(), await put()]).toEqual([1, 1]);
  await copy(0, "z");
  expect(await redis().client.llen(`${prefix}:log:1`)).toBe(3);
});

test("[J3] changes at the same moment are not lost, whichever comes first", async () => {
  const [engine, other] = [await open(), await open()];
  const { batch, jobs } = newBatch(10, FROM);
  await engine.createBatch(batch, jobs, at(0));
  const alone = Array.from({ length: 10 }, () => newJob(FROM));
  for (const job of alone) await engine.createJob(job, at(0));
  const all = [...jobs, ...alone].map(({ id }) => id);
  for (const id of all) await engine.change(id, CANCEL, at(0));
  const changes = new Map(all.map((id) => [id, 2]));
  const refusals = new Set(["UNAVAILABLE"]);
  const work = all.map(async (id, index) => {
    for (let round = 0; round < 6; round += 1) {
      const by = (index + round) % 2 === 0 ? engine : other;
      const code = await codeOf(by.change(id, round % 2 === 0 ? RETRY : CANCEL, at(1)));
      if (code === undefined) {
        changes.set(id, (changes.get(id) ?? 0) + 1);
      } else {
        refusals.add(code);
        round -= 1;
      }
    }
  });
  let isDone = false;
  const assigning = (async () => {
    while (!isDone) await engine.assign(FROM, EVE, 4);
  })();
  await Promise.all(work);
  isDone = true;
  await assigning;
  expect([...refusals]).toEqual(["UNAVAILABLE"]);
  expect(await assignAll(engine, FROM, EVE)).toMatchObject({ unsettled: { count: 0 } });
  expect(new Set(await idsOf(engine, EVE))).toEqual(new Set(all));
  expect(await idsOf(engine, FROM)).toEqual([]);
  for (const id of all) {
    const log = await logOf(engine, id);
    expect(log.map(({ seq }) => seq)).toEqual(log.map((_, index) => index + 1));
    expect(log).toHaveLength(changes.get(id) ?? 0);
    expect(await other.getSummary(id)).toMatchObject({ ...EVE, version: log.length });
  }
  expect(await engine.getBatch(batch.id)).toMatchObject({ ...EVE, counts: { ABORTED: 10 } });
  expect(await engine.usage(FROM.tenant)).toEqual({ waitingJobs: 0, bytes: 0 });
});
