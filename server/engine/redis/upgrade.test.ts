import { SCHEMA_VERSION } from "./connect.ts";
import { expect, test, vi } from "vitest";
import type { OwnerFilter } from "#shared/principal.ts";
import { ANN, at, BOB, newBatch, newJob, START } from "#test/engine/builders.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";
import { DELIVER, logOf } from "#test/engine/builders.ts";
import version3 from "#test/engine/old-data/redis-3.json" with { type: "json" };
import version4 from "#test/engine/old-data/redis-4.json" with { type: "json" };
import { advanceTime } from "#test/redis/advance-time.ts";
import { createKeys } from "./keys.ts";
import { createScripts } from "./scripts.ts";

const { redis, open } = useRedis();
const keys = createKeys("jobwire");
/** Its name is not the same text in a key. */
const EVE = { tenant: "a {b}:c", owner: "e*:feed" };

/** Makes the data that of version 2, in which tenants had no lists and each owner's revs began at 1. */
async function makeOld(...owners: { tenant: string; owner: string }[]): Promise<void> {
  const { client } = redis();
  for (const each of owners) {
    const [t, o] = [keys.tenant(each.tenant), keys.owner(each)];
    const ids = await client.zrange(`${o}:feed`, "0", "-1");
    for (const [index, id] of ids.entries()) await client.zadd(`${o}:feed`, index + 1, id);
    await client.set(`${o}:rev`, ids.length);
    const lists = await client.keys(`${t}:jobs:*`);
    await client.del(`${t}:feed`, `${t}:rev`, `${t}:kinds`, `${t}:batches`, ...lists);
  }
  await client.set(keys.schema, "2");
}

test("data of version 2 gets the lists and feeds of tenants, also where the upgrade runs twice", async () => {
  const before = await open();
  const made: string[] = [];
  for (const owner of [ANN, BOB, ANN, EVE]) {
    const { batch, jobs } = newBatch(2, owner);
    await before.createBatch(batch, jobs, at(0));
    const { id } = await before.createJob(newJob({ ...owner, kind: "report" }), at(0));
    await before.change(id, START, at(1));
    if (owner.tenant === ANN.tenant) made.unshift(id, ...jobs.map((job) => job.id).toReversed());
  }
  const feedOf = async (engine: typeof before, of: OwnerFilter, after = 0) =>
    (await engine.readFeed(of, after, 99)).changes.map(({ job }) => job.id);
  const owned = { ann: await feedOf(before, ANN), bob: await feedOf(before, BOB) };
  await before.close();

  for (let round = 0; round < 2; round++) {
    await makeOld(ANN, BOB, EVE);
    const [engine, other] = await Promise.all([open(), open()]);
    expect(await redis().client.get(keys.schema)).toBe(`${SCHEMA_VERSION}`);
    expect(await feedOf(engine, ANN)).toEqual(owned.ann);
    expect(await feedOf(engine, BOB)).toEqual(owned.bob);
    // A cursor from before never passes a change.
    expect(await feedOf(engine, BOB, 1)).toEqual(
      expect.arrayContaining(owned.bob.slice(1)) as string[],
    );
    const all = await engine.readFeed({ tenant: ANN.tenant }, 0, 99);
    expect(all.changes.map(({ job }) => job.id).toSorted()).toEqual(made.toSorted());
    expect(all.changes.at(-1)?.rev).toBe(all.head);
    expect(await feedOf(engine, { tenant: EVE.tenant })).toEqual(await feedOf(engine, EVE));
    const listed = await engine.listJobs({ tenant: ANN.tenant, limit: 99 });
    expect(listed.items.map(({ id }) => id)).toEqual(made);
    const reports = await engine.listJobs({
      tenant: ANN.tenant,
      kind: "report",
      status: "PROCESSING",
      limit: 99,
    });
    expect(reports.items).toHaveLength(3);
    expect((await engine.listBatches({ tenant: ANN.tenant, limit: 99 })).items).toHaveLength(3);

    const job = await other.createJob(newJob(EVE), at(2));
    const { changes } = await other.readFeed({ tenant: EVE.tenant }, 0, 99);
    expect(changes.at(-1)?.job.id).toBe(job.id);
    await Promise.all([engine.close(), other.close()]);
  }
});

test("[E12] settled jobs of version 4 are deleted by their kinds, however often the upgrade was interrupted", async () => {
  const before = await open();
  const { client } = redis();
  const kinds = ["finished", "mail", "mail"];
  const ids: string[] = [];
  for (const [second, kind] of kinds.entries()) {
    const { id } = await before.createJob(newJob({ kind }), at(0));
    await before.change(id, { action: "cancel" }, at(second));
    ids.push(id);
  }
  await before.close();
  // As version 4 stored it.
  const t = keys.tenant(ANN.tenant);
  const sets = [keys.finished(ANN.tenant, "mail"), keys.finished(ANN.tenant, "finished")];
  await client.zunionstore(`${t}:finished`, 2, ...sets);
  await client.del(...sets);
  await client.zadd(`${t}:finished`, 0, "a job that is gone");
  await client.set(keys.schema, "4");

  expect(await createScripts(client)("split-finished", t, 2)).toBe(2);
  const engine = await open();
  expect(await client.exists(`${t}:finished`)).toBe(0);
  expect(await engine.prune(at(9), 9, new Map([["mail", at(2)]]))).toBe(2);
  expect((await engine.listJobs({ ...ANN, limit: 9 })).items.map(({ id }) => id)).toEqual([ids[2]]);
});

/** Restores data, as if it were written now: times in these sorted sets of tenants are later then. */
async function restore(data: typeof version3 | typeof version4, ...sets: string[]): Promise<void> {
  const { client } = redis();
  for (const [name = "", ...args] of data.commands) await client.call(name, ...args.map(String));
  const found = await Promise.all(sets.map((set) => client.keys(`old:{*}:${set}`)));
  for (const set of found.flat()) {
    for (const member of await client.zrange(set, "0", "-1")) {
      await client.zincrby(set, Date.now() - data.writtenAt, member);
    }
  }
}
const oldId = (n: number) => `0198c5a0-0000-7000-8000-0000000000${`${n}`.padStart(2, "0")}`;

test("[Q3] [J3] jobs of version 3 get their places in the queue, however often the upgrade was interrupted", async () => {
  // Jobs of two tenants in all states, and BullMQ's entries. One lease has ended, and no delay.
  await restore(version3, "open");
  const { client } = redis();
  const run = createScripts(client);
  for (let interrupted = 0; interrupted < 3; interrupted += 1) {
    await run("index-open", "old:{acme}", 1);
  }
  const [engine, other] = await Promise.all([open({ prefix: "old" }), open({ prefix: "old" })]);
  expect(await client.get("old:schema")).toBe(`${SCHEMA_VERSION}`);
  const before = ["{old}:jobs:*", "old:workers", "old:{*}:open"];
  expect((await Promise.all(before.map((pattern) => client.keys(pattern)))).flat()).toEqual([]);
  expect(await engine.usage("acme")).toMatchObject({ waitingJobs: 5 });
  expect(await engine.usage("globex")).toMatchObject({ waitingJobs: 3 });

  engine.onWork(() => undefined);
  const given = new Map<string, Awaited<ReturnType<typeof engine.claim>>[number]>();
  const take = async (...ids: number[]) => {
    await vi.waitFor(async () => {
      const claims = await other.claim({
        worker: "w",
        max: 9,
        leaseMs: 3_600_000,
        now: new Date(),
        start: () => ({ progress: 0, message: "Begun" }),
      });
      for (const claim of claims) given.set(claim.jobId, claim);
      expect([...given.keys()].toSorted()).toEqual(ids.map(oldId).toSorted());
    });
  };
  // Released, without a runner, and waiting; 8 was cancelled.
  await take(5, 6, 7, 9, 10);
  expect(given.get(oldId(6))).toMatchObject({ started: null, job: { status: "PROCESSING" } });
  // The claim of a worker that went on holds.
  const token = Number(await client.hget(`old:{acme}:job:${oldId(2)}`, "token"));
  const held = { jobId: oldId(2), token };
  expect(await other.renew([held], 3_000_000, new Date())).toEqual([]);
  await advanceTime(redis(), "old", 3_000_000);
  await take(2, 3, 4, 5, 6, 7, 9, 10);
  expect(given.get(oldId(3))?.trace).toMatch(/^00-/);
  for (const claim of given.values()) await other.change(claim.jobId, DELIVER, new Date(), claim);
  expect((await logOf(engine, oldId(4))).map(({ type }) => type)).toEqual([
    "created",
    "started",
    "retrying",
    "started",
    "delivered",
  ]);
  expect(await engine.usage("acme")).toMatchObject({ waitingJobs: 0 });
});

test("[Q3] [J3] [Q5] jobs of version 4 get places in the queues of their kinds, and those that run count", async () => {
  await restore(version4, "queue", "delayed", "leased");
  const { client } = redis();
  const run = createScripts(client);
  for (let interrupted = 0; interrupted < 2; interrupted += 1) {
    await run("split-queue", "old:{acme}", 1);
  }
  const [engine, other] = await Promise.all([open({ prefix: "old" }), open({ prefix: "old" })]);
  expect(await client.get("old:schema")).toBe(`${SCHEMA_VERSION}`);
  const before = ["old:{*}:queue", "old:{:turns}:turns", "old:{:turns}:told"];
  expect((await Promise.all(before.map((pattern) => client.keys(pattern)))).flat()).toEqual([]);
  expect(await engine.usage("acme")).toMatchObject({ waitingJobs: 6 });
  expect(await engine.usage("globex")).toMatchObject({ waitingJobs: 2 });

  engine.onWork(() => undefined);
  // Job 2 runs, and jobs 6, 8 and 9 are of its kind.
  const limits = new Map([["article", { concurrency: 3 }]]);
  const given: string[] = [];
  const look = async () => {
    const request = { worker: "w", max: 9, leaseMs: 7_200_000, now: new Date(), limits };
    given.push(...(await other.claim(request)).map(({ jobId }) => jobId));
    return given;
  };
  const ids = (...of: number[]) => of.map(oldId);
  await vi.waitFor(async () => expect(await look()).toEqual(expect.arrayContaining(ids(7, 5))));
  expect(given.toSorted()).toEqual(ids(5, 6, 7, 8));
  // The runners of jobs 2 and 3 are gone, and the delay of job 4 is over. It waits as job 9 does, until one of three ends.
  await advanceTime(redis(), "old", 3_600_000);
  await vi.waitFor(async () => expect(await look()).toEqual(expect.arrayContaining(ids(2, 3))));
  expect(await look()).toHaveLength(6);
  await engine.change(oldId(2), { action: "cancel" }, new Date());
  await vi.waitFor(async () => expect(await look()).toHaveLength(7));
  await engine.change(oldId(6), { action: "cancel" }, new Date());
  await vi.waitFor(async () => expect(await look()).toHaveLength(8));
  expect(given.slice(6).toSorted()).toEqual(ids(4, 9));
});
