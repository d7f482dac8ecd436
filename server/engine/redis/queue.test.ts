/** Jobs of a batch share entries of the queue, but each job behaves as if it had its own. */
import { expect, test, vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { DELIVER, newBatch, newJob } from "#test/engine/builders.ts";
import { advanceTime } from "#test/redis/advance-time.ts";
import { entriesIn } from "#test/redis/queue-entries.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";

const PATIENCE = { timeout: 120_000, interval: 10 };
const LEASE_MS = 60_000;
const QUEUE = "{jobwire}:jobs";
/** The tests advance this clock. */
const T0 = Date.now();

const { redis, open } = useRedis();

async function batchOf(engine: Engine, size: number): Promise<string[]> {
  const { batch, jobs } = newBatch(size);
  await engine.createBatch(batch, jobs, new Date(T0));
  return jobs.map(({ id }) => id);
}

const begin = () => ({ progress: 0, message: "Job started" });
function take(engine: Engine, max: number, later = 0): Promise<Claim[]> {
  return engine.claim({
    worker: "w",
    max,
    leaseMs: LEASE_MS,
    now: new Date(T0 + later),
    start: begin,
  });
}

function deliver(engine: Engine, claims: readonly Claim[]) {
  return Promise.all(claims.map((each) => engine.change(each.jobId, DELIVER, new Date(T0), each)));
}

const jobsOf = (claims: readonly Claim[]) => claims.map(({ jobId }) => jobId);

const entries = (list: "wait" | "active") => entriesIn(redis().client, list);

async function nothingIsLeft(): Promise<void> {
  await vi.waitFor(async () => {
    expect([...(await entries("wait")), ...(await entries("active"))]).toEqual([]);
  }, PATIENCE);
}

test("a batch costs the queue a tenth of its jobs", async () => {
  const engine = await open();
  const ids = await batchOf(engine, 95);
  expect(await entries("wait")).toHaveLength(10);
  const claims = await take(engine, 100);
  expect(jobsOf(claims)).toEqual(ids);
  await deliver(engine, claims);
  await nothingIsLeft();
});

test("[J5] jobs for which a worker has no room go to others, in their order", async () => {
  const [here, there] = [await open(), await open()];
  const ids = await batchOf(here, 25);
  const mine = await take(here, 3);
  const theirs = await take(there, 30);
  expect(jobsOf(mine)).toEqual(ids.slice(0, 3));
  expect(jobsOf(theirs)).toEqual(ids.slice(3));
  await Promise.all([deliver(here, mine), deliver(there, theirs)]);
  await nothingIsLeft();
});

test("a claim returns the requested number of jobs, however entries group them", async () => {
  const engine = await open();
  const ids = await batchOf(engine, 100);
  const given: string[] = [];
  for (const max of [1, 25, 13, 17, 9, 35]) {
    const claims = await take(engine, max);
    expect(claims).toHaveLength(max);
    given.push(...jobsOf(claims));
  }
  expect(given.toSorted()).toEqual(ids.toSorted());
});

test("[J6] only the jobs of the dead worker are released", async () => {
  const [here, there] = [await open(), await open()];
  const ids = await batchOf(here, 10);
  const dead = await take(here, 6);
  const alive = await take(there, 2);
  await advanceTime(redis(), "jobwire", LEASE_MS / 2);
  await there.renew(alive, LEASE_MS, new Date(T0 + LEASE_MS / 2));
  await advanceTime(redis(), "jobwire", LEASE_MS / 2 + 1);
  const found = await take(there, 20, LEASE_MS + 1);
  expect(jobsOf(found).toSorted()).toEqual([...jobsOf(dead), ...ids.slice(8)].toSorted());
  await Promise.all([deliver(there, alive), deliver(there, found.slice(-2))]);
});

test("[J6] a job with an expired claim is found, although others of its entry were renewed", async () => {
  const engine = await open();
  const ids = await batchOf(engine, 4);
  const [given, ...kept] = await take(engine, 4);
  await advanceTime(redis(), "jobwire", LEASE_MS / 2);
  await engine.renew(kept, LEASE_MS, new Date(T0 + LEASE_MS / 2));
  await advanceTime(redis(), "jobwire", LEASE_MS / 2 + 1);
  const found = await take(engine, 4, LEASE_MS + 1);
  expect([given?.jobId, jobsOf(found)]).toEqual([ids[0], [ids[0]]]);
  await deliver(engine, [...kept, ...found.filter(({ started }) => started)]);
});

test("[J6] a claim of a process that died is found when its lease ends, though others of its entry were renewed", async () => {
  const [here, there] = [await open(), await open()];
  const ids = await batchOf(here, 4);
  const [, ...kept] = await take(here, 4);
  await advanceTime(redis(), "jobwire", LEASE_MS / 2);
  await here.renew(kept, LEASE_MS, new Date(T0 + LEASE_MS / 2));
  await here.close();
  await advanceTime(redis(), "jobwire", LEASE_MS / 2 + 1);
  expect(jobsOf(await take(there, 4, LEASE_MS + 1))).toEqual(ids.slice(0, 1));
  await advanceTime(redis(), "jobwire", LEASE_MS / 2);
  const others = await take(there, 4, LEASE_MS * 1.5 + 1);
  expect(jobsOf(others).toSorted()).toEqual(ids.slice(1).toSorted());
});

test("[J8] an entry is removed completely although another process cancels one of its jobs", async () => {
  const [here, there] = [await open(), await open()];
  const [first, ...others] = await batchOf(here, 5);
  const claims = await take(here, 5);
  await there.change(first as string, { action: "cancel" }, new Date(T0));
  await deliver(here, claims.slice(1));
  expect(jobsOf(claims.slice(1))).toEqual(others);
  // This process got no hint. The lock expires, and the process that finds the entry sees that no job of it is left.
  await advanceTime(redis(), "jobwire", LEASE_MS + 1);
  expect(await take(there, 5, LEASE_MS + 1)).toEqual([]);
  await nothingIsLeft();
});

test("[J3] jobs whose entry was lost are queued again, even while others of that entry run", async () => {
  const engine = await open();
  const ids = await batchOf(engine, 10);
  const mine = await take(engine, 6);
  const [rest] = await entries("wait");
  expect(rest?.places.map(({ jobId }) => jobId)).toEqual(ids.slice(6));
  await redis().client.lrem(`${QUEUE}:wait`, 0, rest?.name ?? "");
  await redis().client.del(`${QUEUE}:${rest?.name}`);
  engine.onWork(() => undefined);
  const found: Claim[] = [];
  await vi.waitFor(async () => {
    found.push(...(await take(engine, 10)));
    expect(jobsOf(found).toSorted()).toEqual(ids.slice(6).toSorted());
  }, PATIENCE);
  await deliver(engine, [...mine, ...found]);
  await nothingIsLeft();
});

test("claims keep the order of jobs, even in a process that does not know their entries", async () => {
  const engine = await open();
  for (let single = 0; single < 40; single += 1) {
    await engine.createJob(newJob(), new Date(T0));
  }
  await take(engine, 40);
  const ids = await batchOf(engine, 120);
  const given: string[] = [];
  while (given.length < 120) given.push(...jobsOf(await take(engine, 15)));
  expect(given).toEqual(ids);
});

test("a worker with room for one job splits an entry only once", async () => {
  const engine = await open();
  const ids = await batchOf(engine, 10);
  const given = jobsOf(await take(engine, 1));
  expect(await entries("wait")).toHaveLength(9);
  while (given.length < 10) given.push(...jobsOf(await take(engine, 1)));
  expect(given).toEqual(ids);
});

test("[J6] a lost claim is found though its worker has no room, and others of the entry are renewed", async () => {
  const [here, there] = [await open(), await open()];
  const ids = await batchOf(here, 3);
  const [, ...kept] = await take(here, 3);
  await advanceTime(redis(), "jobwire", LEASE_MS + 1);
  await here.renew(kept, LEASE_MS, new Date(T0 + LEASE_MS / 2));
  await here.renew(kept, LEASE_MS, new Date(T0 + LEASE_MS + 1));
  const found = await vi.waitFor(async () => {
    const claims = await take(there, 3, LEASE_MS + 1);
    expect(claims).toHaveLength(1);
    return claims;
  }, PATIENCE);
  expect(jobsOf(found)).toEqual(ids.slice(0, 1));
});

test("an entry without data is removed, and its jobs are queued again", async () => {
  const engine = await open();
  const ids = await batchOf(engine, 5);
  const [entry] = await entries("wait");
  await redis().client.del(`${QUEUE}:${entry?.name}`);
  engine.onWork(() => undefined);
  const found: Claim[] = [];
  await vi.waitFor(async () => {
    found.push(...(await take(engine, 5)));
    expect(jobsOf(found).toSorted()).toEqual(ids.toSorted());
  }, PATIENCE);
  await deliver(engine, found);
  await nothingIsLeft();
});

test("[J6] a job that temporarily cannot be claimed does not block others", async () => {
  const engine = await open();
  const [sick, well] = [newJob({ tenant: "sick" }), newJob({ tenant: "well" })];
  await engine.createJob(sick, new Date(T0));
  await engine.createJob(well, new Date(T0));
  // Scripts that use this key fail.
  await redis().client.del(`jobwire:{sick}:log:${sick.id}`);
  await redis().client.set(`jobwire:{sick}:log:${sick.id}`, "no list");
  const given: string[] = [];
  await vi.waitFor(async () => {
    given.push(...jobsOf(await take(engine, 1).catch(() => [])));
    expect(given).toEqual([well.id]);
  }, PATIENCE);
});

test("[J5] [J6] each job of a batch ends once, however workers claim, end, lose and release jobs", async () => {
  const workers = [await open(), await open(), await open()];
  const ids = await batchOf(workers[0] as Engine, 60);
  let later = 0;
  const held = new Map<Engine, Claim[]>(workers.map((each) => [each, []]));
  const ended: string[] = [];
  // In each turn a worker ends some jobs and releases others, which another worker finds.
  for (let turn = 0; ended.length < ids.length; turn += 1) {
    expect(turn).toBeLessThan(2000);
    const worker = workers[turn % 3] as Engine;
    const claims = [...(held.get(worker) ?? []), ...(await take(worker, 1 + (turn % 7), later))];
    const toEnd = claims.splice(0, turn % 4);
    const ends = await Promise.allSettled(
      toEnd.map((each) =>
        worker.change(
          each.jobId,
          each.started ? DELIVER : { action: "fail", error: { code: "CRASHED", message: "Gone" } },
          new Date(T0 + later),
          each,
        ),
      ),
    );
    for (const [index, end] of ends.entries()) {
      if (end.status === "fulfilled") ended.push(toEnd[index]?.jobId ?? "");
    }
    held.set(worker, turn % 5 === 0 ? [] : claims);
    if (turn % 11 === 10) {
      later += LEASE_MS + 1;
      await advanceTime(redis(), "jobwire", LEASE_MS + 1);
    }
  }
  expect(ended.toSorted()).toEqual(ids.toSorted());
});
