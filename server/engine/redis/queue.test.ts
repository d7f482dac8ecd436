/**
 * The queue of several processes: jobs of a process that died at any step are found, none runs twice at a time, and the ring
 * may be lost.
 */
import { setTimeout as delay } from "node:timers/promises";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { codeOf, DELIVER, logOf, newBatch, newJob, release } from "#test/engine/builders.ts";
import { summaryOf } from "#shared/job.ts";
import { MAX_DELAY_MS, MAX_JOB_EVENTS } from "#shared/limits.ts";
import { timesOf } from "#test/long-run.ts";
import { advanceTime } from "#test/redis/advance-time.ts";
import { countCommands } from "#test/redis/count-commands.ts";
import { openTestEngine, useRedis } from "#test/redis/engine.fixture.ts";
import { openNetwork } from "#test/redis/network.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";
import { openRedisEngine } from "./open.ts";
import { encodeSummary } from "./records.ts";

const PATIENCE = { timeout: 120_000, interval: 10 };
const LEASE_MS = 60_000;

const { redis, open } = useRedis();

const begin = () => ({ progress: 0, message: "Begun" });
function take(engine: Engine, max: number, leaseMs = LEASE_MS): Promise<Claim[]> {
  return engine.claim({ worker: "w", max, leaseMs, now: new Date(), start: begin });
}

const jobsOf = (claims: readonly Claim[]) => claims.map(({ jobId }) => jobId);
const typesOf = async (engine: Engine, id: string) =>
  (await logOf(engine, id)).map(({ type }) => type);

const expiring = (tenant: string) => newJob({ tenant, expiresInMs: 3_600_000 });
const pass = (ms: number) => advanceTime(redis(), "jobwire", ms);
const forgetRing = async () => {
  const keys = await redis().client.keys("jobwire:{:turns}:*");
  expect(keys.length).toBeGreaterThan(0);
  await redis().client.del(keys);
};

async function batchOf(engine: Engine, size: number, tenant = "acme"): Promise<string[]> {
  const { batch, jobs } = newBatch(size, { tenant });
  await engine.createBatch(batch, jobs, new Date());
  return jobs.map(({ id }) => id);
}

/** A process whose connection can end, and another one that waits for work. */
async function openDying() {
  const network = await openNetwork(redis().port);
  const dying = await openTestEngine(network.url);
  const survivor = await open();
  survivor.onWork(() => undefined);
  return { network, dying, survivor };
}

/** Requests contain these. */
const THE_RING = "{:turns}";
const THE_CLAIM = "\r\nready\r\n$";
const THE_START = "Begun";
const THE_END = "\r\nempty\r\n";

/** The last step of a claim before its process dies, and whether the job was started and held then. */
const DEATHS = [
  ["before the jobs of a turn are taken", "dieBefore", THE_CLAIM, false, false],
  ["after they were taken", "loseAnswersTo", THE_CLAIM, false, true],
  ["before they are started", "dieBefore", THE_START, false, true],
  ["after they were started", "loseAnswersTo", THE_START, true, true],
  ["before the ring is told how it ended", "dieBefore", THE_END, undefined, true],
] as const;

const leased = () => redis().client.zcard("jobwire:{acme}:leased");

async function letLeasesEnd(survivor: Engine, count: number, held: string[]): Promise<void> {
  await vi.waitFor(async () => expect(await leased()).toBe(count), PATIENCE);
  const early = await take(survivor, 10);
  expect(jobsOf(early).filter((id) => held.includes(id))).toEqual([]);
  await pass(LEASE_MS + 1);
}

test.each(DEATHS)(
  "[J5] [J6] a process that dies in a claim, %s, loses no job, and none is given twice",
  async (_, die, text, isStarted, isHeld) => {
    const { network, dying, survivor } = await openDying();
    const ids = [...(await batchOf(dying, 3)), ...(await batchOf(dying, 2, "globex"))];
    network[die](text);
    const lost = take(dying, 10).catch(() => []);
    await vi.waitFor(() => expect(network.isDead()).toBe(true), PATIENCE);
    if (isHeld) await letLeasesEnd(survivor, 3, ids.slice(0, 3));
    const found = new Map<string, Claim>();
    await vi.waitFor(async () => {
      for (const claim of await take(survivor, 10)) {
        expect([...found.keys()]).not.toContain(claim.jobId);
        found.set(claim.jobId, claim);
      }
      expect([...found.keys()].toSorted()).toEqual(ids.toSorted());
    }, PATIENCE);
    for (const claim of found.values()) {
      expect(isStarted ?? claim.started === null).toBe(claim.started === null);
      await survivor.change(claim.jobId, DELIVER, new Date(), claim);
      expect(await typesOf(survivor, claim.jobId)).toEqual(["created", "started", "delivered"]);
    }
    // It was cut off only: what it holds is of no use any more.
    network.reset();
    for (const claim of [...(await lost), ...(await take(dying, 10).catch(() => []))]) {
      expect(await codeOf(dying.change(claim.jobId, DELIVER, new Date(), claim))).toBe(
        "CLAIM_LOST",
      );
    }
    expect(await survivor.usage("acme")).toMatchObject({ waitingJobs: 0 });
  },
);

/** The ways to store a job that waits, and the delay after which it can be claimed. */
const STORED = [
  ["created", undefined, 0],
  ["released", release(), 0],
  ["released for later", release(30_000), 30_000],
] as const;

test.each(STORED)(
  "[Q3] [J3] a job that was %s is found, though its process died before it told the ring",
  async (_, change, ms) => {
    const { network, dying, survivor } = await openDying();
    const { id } = await dying.createJob(newJob(), new Date());
    const [held] = await take(dying, 1);
    const fresh = newJob({ tenant: "globex" });
    const [waiting, isStored] = change
      ? [id, async () => (await survivor.getSummary(id))?.status === "PENDING"]
      : [fresh.id, async () => (await survivor.getSummary(fresh.id)) !== undefined];
    network.dieBefore(THE_RING);
    const died = change
      ? codeOf(dying.change(id, change, new Date(), held))
      : codeOf(dying.createJob(fresh, new Date()));
    await vi.waitFor(async () => expect(await isStored()).toBe(true), PATIENCE);
    await vi.waitFor(() => expect(network.isDead()).toBe(true), PATIENCE);
    const early = ms > 0 ? await take(survivor, 9) : [];
    expect(early).toEqual([]);
    await pass(ms);
    await vi.waitFor(
      async () => expect(jobsOf(await take(survivor, 9))).toEqual([waiting]),
      PATIENCE,
    );
    await died;
  },
);

test("[J3] a ring that Redis lost is filled again: ready jobs, delays, leases and weights", async () => {
  const engine = await openRedisEngine({
    url: redis().url,
    checkEveryMs: 20,
    weights: new Map([["globex", 2]]),
  });
  onTestFinished(() => engine.close());
  const ids = await batchOf(engine, 3);
  const [running, delayed] = await take(engine, 2);
  if (delayed) await engine.change(delayed.jobId, release(30_000), new Date(), delayed);
  await forgetRing();
  engine.onWork(() => undefined);
  const found: string[] = [];
  const look = (id = "") =>
    vi.waitFor(async () => {
      found.push(...jobsOf(await take(engine, 10)));
      expect(found).toContain(id);
    }, PATIENCE);
  await look(ids[2]);
  await pass(30_000);
  await look(delayed?.jobId);
  // Running jobs went on, and no other claim got them.
  expect(found).toEqual([ids[2], delayed?.jobId]);
  await pass(30_001);
  await look(running?.jobId);
  expect(await redis().client.hgetall("jobwire:{:turns}:steps")).toEqual({ globex: "13860" });
});

test("[J5] a ring that names tenants without ready jobs gives the jobs of the others", async () => {
  const engine = await open();
  const [id] = await batchOf(engine, 1);
  const { client } = redis();
  const strange = Array.from({ length: 30 }, (_, n) => `gone ${n}`);
  for (const tenant of strange) {
    await client.zadd("jobwire:{:turns}:turns:article", 0, tenant);
    await client.hset("jobwire:{:turns}:tenants", tenant, "0 1 0\narticle");
    await client.zadd("jobwire:{:turns}:alarms", 0, tenant);
  }
  expect(jobsOf(await take(engine, 1))).toEqual([id]);
  expect(await take(engine, 1)).toEqual([]);
  expect(await client.zrange("jobwire:{:turns}:turns:article", "0", "-1")).toEqual([]);
  expect(await client.hlen("jobwire:{:turns}:tenants")).toBe(0);
});

test("[Q1] processes take turns from one ring, and a tenant's jobs keep their order between them", async () => {
  const [here, there] = [await open(), await open()];
  const many = await batchOf(here, 12);
  const few = await batchOf(there, 6, "globex");
  const given: string[] = [];
  for (let round = 0; round < 6; round += 1) {
    given.push(...jobsOf(await take(round % 2 === 0 ? here : there, 2)));
  }
  const inTurn = few.flatMap((id, n) => [many[n], id]);
  expect(given).toEqual(inTurn);
  expect(jobsOf(await take(there, 9))).toEqual(many.slice(6));
});

test("a process that waits is woken by what others store, by ends of delays and of leases", async () => {
  const [here, there] = [await open(), await open({ checkEveryMs: 60_000 })];
  const work = vi.fn<() => void>();
  there.onWork(work);
  const woken = async () => {
    await vi.waitFor(() => expect(work).toHaveBeenCalled(), PATIENCE);
    // It looks until nothing comes, as a runner does.
    const claims = await take(there, 9);
    work.mockClear();
    return claims;
  };
  await woken();
  await here.createJob(newJob(), new Date());
  const [held] = await woken();
  if (held) await there.change(held.jobId, release(200), new Date(), held);
  const again = await vi.waitFor(async () => {
    const [claim] = await woken();
    expect(claim?.jobId).toBe(held?.jobId);
    return claim;
  }, PATIENCE);
  expect(await there.renew(again ? [again] : [], 200, new Date())).toEqual([]);
  await vi.waitFor(async () => expect(jobsOf(await woken())).toEqual([held?.jobId]), PATIENCE);
});

test("[Q2] a claim gives jobs whose delays ended before, however many these are", async () => {
  const engine = await open();
  const ids = await batchOf(engine, 2100);
  for (let left = ids.length; left > 0;) {
    const claims = await take(engine, 500);
    await Promise.all(
      claims.map((claim) => engine.change(claim.jobId, release(MAX_DELAY_MS), new Date(), claim)),
    );
    left -= claims.length;
  }
  await pass(MAX_DELAY_MS);
  expect(jobsOf(await take(engine, 2))).toEqual(ids.slice(0, 2));
});

test("[J6] a job whose data is damaged stands in the way of no other", async () => {
  const engine = await open();
  const { client } = redis();
  const [noLog, noJob, gone, well] = [newJob(), newJob(), newJob(), newJob({ tenant: "well" })];
  for (const job of [noLog, noJob, gone, well]) await engine.createJob(job, new Date());
  // Scripts that use these keys fail.
  for (const key of [`jobwire:{acme}:log:${noLog.id}`, `jobwire:{acme}:job:${noJob.id}`]) {
    await client.del(key);
    await client.set(key, "of another type");
  }
  await client.del(`jobwire:{acme}:job:${gone.id}`);
  const given: string[] = [];
  await vi.waitFor(async () => {
    given.push(...jobsOf(await take(engine, 1).catch(() => [])));
    expect(given).toEqual([well.id]);
  }, PATIENCE);
});

test("[Q4] a claim sends as many commands however many jobs wait, and however many tenants have work", async () => {
  const engine = await open();
  const { client } = redis();
  const cost = () =>
    countCommands(client, async () => expect(await take(engine, 3)).toHaveLength(3));
  await Promise.all(["a", "b", "c", "d"].map((tenant) => batchOf(engine, 9, tenant)));
  await take(engine, 9);
  const before = await cost();
  await Promise.all(
    Array.from({ length: 200 }, (_, n) => batchOf(engine, n === 0 ? 2000 : 1, `tenant ${n}`)),
  );
  await batchOf(engine, 2000, "a");
  // The ring may begin a new round of turns, or give a turn to one tenant more. For each job or tenant there would be thousands.
  expect(await cost()).toBeLessThanOrEqual(before * 1.25);
});

test(
  "[J3] [J5] [J6] whatever happens, each job ends once, and no job runs twice at a time",
  { timeout: 300_000 },
  async () => {
    const server = await startRedis(inject("redisServer"));
    onTestFinished(() => server.close());
    const networks = [await openNetwork(server.port), await openNetwork(server.port)];
    const engines = [
      await openTestEngine(server.url),
      await openTestEngine(networks[0]?.url ?? ""),
      await openTestEngine(networks[1]?.url ?? ""),
    ];
    const tenants = Array.from({ length: timesOf(40, 200) }, (_, n) => `tenant ${n}`);
    const wanted = timesOf(600, 6000);
    const created = new Set<string>();
    const over = new Set<string>();
    const running = new Map<string, number>();
    let seed = 1;
    // Repeatable.
    const random = (below: number) => {
      seed = (seed * 48_271) % 0x7fffffff;
      return seed % below;
    };
    const pick = <T>(list: readonly T[]) => list[random(list.length)] as T;
    const isDone = () => created.size >= wanted && over.size === created.size;

    async function create(): Promise<void> {
      const engine = engines[0] as Engine;
      while (created.size < wanted) {
        const tenant = pick(tenants);
        const priority = random(10);
        const { batch, jobs } = newBatch(1 + random(5), { tenant });
        const fresh = jobs.map((job) => ({ ...job, priority }));
        await engine.createBatch(batch, fresh, new Date());
        for (const { id } of jobs) created.add(id);
        if (random(4) === 0) {
          const { id } = pick(jobs);
          const code = await codeOf(engine.change(id, { action: "cancel" }, new Date()));
          if (code === undefined) over.add(id);
        }
      }
    }

    /** A worker without a clock: it claims, and ends or releases what it has, until all is over. */
    async function work(engine: Engine, mine: number): Promise<void> {
      while (!isDone()) {
        // A job that were lost to its caller would not come back during the test.
        const claims = await take(engine, 1 + random(12), 3_600_000).catch(() => []);
        if (claims.length === 0) await delay(1);
        await Promise.all(
          claims.map(async (claim) => {
            const { jobId, token } = claim;
            // No lease ends during the test, so only a cancelled job may have been given before.
            expect(running.get(jobId), `${jobId} runs in ${mine} too`).toBeUndefined();
            running.set(jobId, token);
            await delay(0);
            const how = random(10);
            const change = how < 7 ? DELIVER : release(how === 7 ? 20 : 0);
            running.delete(jobId);
            const code = await vi.waitFor(async () => {
              const ended = await codeOf(engine.change(jobId, change, new Date(), claim));
              // Its result is not known: it may have been stored, and then the claim is lost.
              expect(ended).not.toBe("UNAVAILABLE");
              return ended;
            }, PATIENCE);
            const status = code === undefined && change === DELIVER;
            if (status || (await engine.getSummary(jobId).catch(() => undefined))?.finishedAt) {
              over.add(jobId);
            }
          }),
        );
      }
    }

    async function trouble(): Promise<void> {
      for (let round = 0; !isDone(); round += 1) {
        await delay(20);
        const what = round % 4;
        if (what === 0) await server.client.script("FLUSH");
        if (what === 1) {
          const keys = await server.client.keys("jobwire:{:turns}:*");
          if (keys.length > 0) await server.client.del(keys);
        }
        // Answers are lost, and ioredis sends the commands again.
        if (what === 2) pick(networks).loseAnswersTo(pick([THE_CLAIM, THE_START, THE_RING]));
        if (what === 3) for (const network of networks) network.reset();
      }
    }

    for (const engine of engines) engine.onWork(() => undefined);
    await Promise.all([
      create(),
      trouble(),
      ...engines.map((engine, index) => work(engine, index)),
    ]);
    for (const network of networks) network.reset();
    expect(over.size).toBe(created.size);
    const [engine] = engines as [Engine];
    for (const id of created) {
      const log = await typesOf(engine, id);
      expect(["delivered", "aborted"]).toContain(log.at(-1));
      // Each start follows a creation or a release.
      const before = log.filter((_, index) => log[index + 1] === "started");
      expect(before.filter((type) => type !== "created" && type !== "retrying")).toEqual([]);
    }
    for (const tenant of tenants) {
      expect((await engine.usage(tenant)).waitingJobs, tenant).toBe(0);
    }
    await vi.waitFor(async () => {
      expect(await take(engine, 9)).toEqual([]);
      expect(await server.client.zcard("jobwire:{:turns}:turns:article")).toBe(0);
    }, PATIENCE);
  },
);

test("[J22] [J2] many processes end what expires, a job each once, beside claims and debounced calls", async () => {
  const engines = await Promise.all(Array.from({ length: 4 }, () => open({ checkEveryMs: 5 })));
  const ended: string[] = [];
  for (const engine of engines) engine.onExpired(({ jobId }) => ended.push(jobId));
  const [engine] = engines as [Engine, ...Engine[]];
  const { batch, jobs } = newBatch(120);
  const expiring = jobs.map((job) => ({ ...job, expiresInMs: 60_000 }));
  await engine.createBatch(batch, expiring, new Date());
  const debounce = { key: "k", windowMs: 1, maxWaitMs: 3_600_000 };
  const call = () => engine.createJob(newJob({ debounce, expiresInMs: 60_000 }), new Date());
  const { id: put } = await call();
  const [claims] = await Promise.all([
    Promise.all(engines.map((each) => take(each, 10))),
    pass(60_000),
    call(),
  ]);
  await vi.waitFor(async () => {
    const counts = (await engine.getBatch(batch.id))?.counts;
    expect(counts).toMatchObject({ PENDING: 0 });
    const aborted = ended.filter((id) => id !== put);
    expect(aborted).toHaveLength(counts?.ABORTED ?? 0);
  }, PATIENCE);
  expect(new Set(ended).size).toBe(ended.length);
  const started = new Set(claims.flatMap(jobsOf));
  expect(ended.filter((id) => started.has(id))).toEqual([]);
  for (const { id } of jobs) {
    const types = started.has(id) ? ["created", "started"] : ["created", "aborted"];
    expect(await typesOf(engine, id)).toEqual(types);
  }
});

test("[J22] tenants without jobs that expire are visited no more, until they have some again", async () => {
  const engine = await open({ checkEveryMs: 5 });
  const { client } = redis();
  const noted = () => client.zrange("jobwire:{:expiring}:n", "0", "-1");
  const jobs = ["has", "had", "new"].map(expiring);
  for (const job of jobs) await engine.createJob(job, new Date());
  for (const { id } of jobs.slice(1)) await engine.change(id, { action: "cancel" }, new Date());
  // Long ago, but for one.
  await client.zadd("jobwire:{:expiring}:n", 1, "has", 1, "had");
  await vi.waitFor(async () => expect(await noted()).not.toContain("had"), PATIENCE);
  expect(await noted()).toEqual(["has", "new"]);
  const again = expiring("had");
  await engine.createJob(again, new Date());
  await pass(3_600_000);
  await vi.waitFor(
    async () => expect(await engine.getSummary(again.id)).toMatchObject({ status: "ABORTED" }),
    PATIENCE,
  );
});

test("[J23] a job with the longest log refuses a debounced call, until it has started", async () => {
  const before = await open();
  const debounce = { key: "k", windowMs: 60_000 };
  const job = await before.createJob(newJob({ debounce }), new Date());
  const version = MAX_JOB_EVENTS;
  const key = `jobwire:{acme}:job:${job.id}`;
  await redis().client.hset(key, "s", encodeSummary({ ...summaryOf(job), version }), "v", version);
  const engine = await open();
  expect(await codeOf(engine.createJob(newJob({ debounce }), new Date()))).toBe(
    "ILLEGAL_TRANSITION",
  );
  await engine.change(job.id, { action: "cancel" }, new Date());
  const next = newJob({ debounce });
  expect(await engine.createJob(next, new Date())).toMatchObject({ id: next.id, version: 1 });
});
