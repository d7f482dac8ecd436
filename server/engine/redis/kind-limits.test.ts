/**
 * Limits of kinds where several processes keep them: a process dies at any step of a claim, answers are lost, the ring is lost.
 * The limit is never exceeded, and what a process that died had reserved comes back.
 */
import { setTimeout as delay } from "node:timers/promises";
import { expect, inject, onTestFinished, test, vi } from "vitest";
import type { Claim, Engine } from "#server/engine/contract.ts";
import type { LimitsOfKinds } from "#server/engine/kind-limits.ts";
import { codeOf, DELIVER, newBatch, newJob, release } from "#test/engine/builders.ts";
import { timesOf } from "#test/long-run.ts";
import { advanceTime } from "#test/redis/advance-time.ts";
import { countCommands } from "#test/redis/count-commands.ts";
import { openTestEngine, useRedis } from "#test/redis/engine.fixture.ts";
import { openNetwork } from "#test/redis/network.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";
import { createScripts } from "./scripts.ts";

const PATIENCE = { timeout: 120_000, interval: 10 };
const LEASE_MS = 60_000;
const LONG_LEASE_MS = 3_600_000;
/** Longer than reservations are kept. */
const LATER_MS = 61_000;

const { redis, open } = useRedis();
const TWO: LimitsOfKinds = new Map([["article", { concurrency: 2 }]]);

const start = () => ({ progress: 0, message: "Begun" });
function take(engine: Engine, max: number, limits = TWO, leaseMs = LEASE_MS): Promise<Claim[]> {
  return engine.claim({ worker: "w", max, leaseMs, now: new Date(), limits, start });
}
const end = (engine: Engine, claim: Claim) =>
  engine.change(claim.jobId, DELIVER, new Date(), claim);
const permits = async () =>
  (await redis().client.zrange("jobwire:{:turns}:permits:article", "0", "-1")).toSorted();

async function jobsIn(engine: Engine, ...tenants: string[]): Promise<Set<string>> {
  const jobs = tenants.map((tenant) => newJob({ tenant }));
  for (const job of jobs) await engine.createJob(job, new Date());
  return new Set(jobs.map(({ id }) => id));
}

/** The last step of a claim before its process dies, and how many jobs it holds then. */
const DEATHS = [
  ["after its turns were taken", "loseAnswersTo", "{:turns}", 0],
  ["before the jobs are taken", "dieBefore", "\r\nready\r\n$", 0],
  ["after they were taken", "loseAnswersTo", "\r\nready\r\n$", 2],
  ["before they are started", "dieBefore", "Begun", 2],
  ["before the ring is told how it ended", "dieBefore", "\r\nempty\r\n", 2],
] as const;

/** The reservations of a process that died are over, and its leases are not; then these end too. */
async function outliveReservations(survivor: Engine, held: number): Promise<void> {
  await vi.waitFor(async () => expect((await permits()).join()).not.toContain("+"), PATIENCE);
  expect(await permits()).toHaveLength(held);
  expect(await take(survivor, 9)).toEqual([]);
  await advanceTime(redis(), "jobwire", LONG_LEASE_MS);
}

test.each(DEATHS)(
  "[Q5] a process that dies in a claim, %s, lets no other exceed a limit, and what it had comes back",
  async (_, die, text, held) => {
    const network = await openNetwork(redis().port);
    const [dying, survivor] = [await openTestEngine(network.url), await open()];
    survivor.onWork(() => undefined);
    await jobsIn(survivor, "a", "b");
    // The kind is counted, and nothing is left of it.
    for (const claim of await take(dying, 9)) await end(dying, claim);
    const ids = await jobsIn(survivor, "a", "b", "c");
    network[die](text);
    void take(dying, 2, TWO, LONG_LEASE_MS).catch(() => undefined);
    await vi.waitFor(() => expect(network.isDead()).toBe(true), PATIENCE);
    const taken = async () =>
      (
        await Promise.all(["a", "b"].map((t) => redis().client.zcard(`jobwire:{${t}}:leased`)))
      ).reduce((sum, count) => sum + count, 0);
    await vi.waitFor(async () => expect(await taken()).toBe(held), PATIENCE);
    for (let round = 0; round < 5; round += 1) expect(await take(survivor, 9)).toEqual([]);
    await advanceTime(redis(), "jobwire", LATER_MS);
    if (held > 0) await outliveReservations(survivor, held);
    const done = new Set<string>();
    await vi.waitFor(async () => {
      const claims = await take(survivor, 9);
      expect(claims.length).toBeLessThanOrEqual(2);
      for (const claim of claims) {
        await end(survivor, claim);
        done.add(claim.jobId);
      }
      expect(done).toEqual(ids);
    }, PATIENCE);
    await vi.waitFor(async () => expect(await permits()).toEqual([]), PATIENCE);
  },
);

test("[Q5] the end of a job that its process did not tell is found", async () => {
  const network = await openNetwork(redis().port);
  const [dying, survivor] = [await openTestEngine(network.url), await open()];
  survivor.onWork(() => undefined);
  await jobsIn(survivor, "a", "b", "c", "d");
  const claims = await take(dying, 9);
  expect(claims).toHaveLength(2);
  network.loseAnswersTo("Delivered");
  for (const claim of claims) void end(dying, claim).catch(() => undefined);
  const isOver = async ({ jobId }: Claim) => (await survivor.getSummary(jobId))?.finishedAt;
  await vi.waitFor(
    async () => expect(await Promise.all(claims.map(isOver))).not.toContain(null),
    PATIENCE,
  );
  expect(await take(survivor, 9)).toEqual([]);
  await advanceTime(redis(), "jobwire", LATER_MS);
  await vi.waitFor(async () => expect(await take(survivor, 9)).toHaveLength(2), PATIENCE);
});

test("[Q5] a job that runs for long keeps its permit, though its lease alone is renewed", async () => {
  const engine = await open();
  engine.onWork(() => undefined);
  await jobsIn(engine, "a", "b", "c");
  const claims = await take(engine, 9);
  for (let minute = 0; minute < 3; minute += 1) {
    await advanceTime(redis(), "jobwire", LATER_MS / 2);
    expect(await engine.renew(claims, LEASE_MS, new Date())).toEqual([]);
    await advanceTime(redis(), "jobwire", LATER_MS / 2);
    expect(await engine.renew(claims, LEASE_MS, new Date())).toEqual([]);
    const before = await permits();
    // The sweep has asked.
    await vi.waitFor(async () => {
      const times = await redis().client.zrange(
        "jobwire:{:turns}:permits:article",
        "-inf",
        `${Date.now() + 1000}`,
        "BYSCORE",
      );
      expect(times).toEqual([]);
    }, PATIENCE);
    expect(await permits()).toEqual(before);
    expect(await take(engine, 9)).toEqual([]);
  }
});

test("[Q5] after Redis lost the ring, the jobs that run count again", async () => {
  const engine = await open();
  engine.onWork(() => undefined);
  const ids = await jobsIn(engine, "a", "b", "c", "d", "e");
  const claims = await take(engine, 9);
  const keys = await redis().client.keys("jobwire:{:turns}:*");
  await redis().client.del(keys);
  const found = () => redis().client.zcard("jobwire:{:turns}:turns:article");
  await vi.waitFor(async () => expect(await found()).toBeGreaterThan(2), PATIENCE);
  expect(await take(engine, 9)).toEqual([]);
  for (let running = claims; ids.size > 0;) {
    expect(running.length).toBeLessThanOrEqual(2);
    for (const claim of running) {
      await end(engine, claim);
      ids.delete(claim.jobId);
    }
    running = await take(engine, 9);
  }
});

test("[Q5] a kind whose running jobs cannot be counted is not given; others are", async () => {
  const engine = await open();
  await jobsIn(engine, "a", "b");
  const other = newJob({ tenant: "c", kind: "report" });
  await engine.createJob(other, new Date());
  // A script that reads this fails.
  await redis().client.set("jobwire:{b}:leased", "of another type");
  expect((await take(engine, 9)).map(({ jobId }) => jobId)).toEqual([other.id]);
  expect(await codeOf(take(engine, 9))).toBe("INTERNAL");
  await redis().client.del("jobwire:{b}:leased");
  expect(await take(engine, 9)).toHaveLength(2);
});

/** Sends a claim of one job to tenant a, reserved until a time in ms. */
async function takeUntil(op: string, till: number) {
  const limits = { sig: "", keys: {}, most: { article: 1 }, counted: { article: true }, till };
  const run = createScripts(redis().client);
  const args = [op, 9, "ready", LEASE_MS, 0, JSON.stringify(limits)] as const;
  const [jobs] = await run<[string[][]]>("claim", "jobwire:{a}", ...args);
  return jobs.map(([jobId]) => jobId);
}

test("[Q5] a claim that reaches its tenant late gives nothing of what was reserved", async () => {
  const engine = await open();
  const [id] = await jobsIn(engine, "a");
  expect(await takeUntil("late", Date.now() - 1000)).toEqual([]);
  expect(await takeUntil("in time", Date.now() + LEASE_MS)).toEqual([id]);
});

test("[Q5] what a process had reserved that is gone comes back, and no sooner", async () => {
  const engine = await open();
  await jobsIn(engine, "a", "b");
  const [first] = await take(engine, 1);
  const ring = "jobwire:{:turns}:permits:article";
  await redis().client.zadd(ring, Date.now() + LONG_LEASE_MS, "+gone.1 a tenant");
  engine.onWork(() => undefined);
  expect(await take(engine, 9)).toEqual([]);
  await redis().client.zadd(ring, Date.now() - 1, "+gone.1 a tenant");
  await vi.waitFor(async () => expect(await take(engine, 9)).toHaveLength(1), PATIENCE);
  expect(first).toBeDefined();
});

test("[Q5] a job that goes to another tenant waits in a line of that one", async () => {
  const engine = await open();
  const limits: LimitsOfKinds = new Map([["article", { perKey: { concurrency: 1 } }]]);
  const [from, to] = [
    { tenant: "a", owner: "ann" },
    { tenant: "b", owner: "bob" },
  ];
  const runs = newJob({ ...to, key: "k" });
  await engine.createJob(runs, new Date());
  const [held] = await take(engine, 9, limits);
  const job = newJob({ ...from, key: "k" });
  await engine.createJob(job, new Date());
  await engine.change(job.id, { action: "cancel" }, new Date());
  expect(await engine.assign(from, to, 9)).toMatchObject({ moved: 1 });
  await engine.change(job.id, { action: "retry" }, new Date());
  expect(await take(engine, 9, limits)).toEqual([]);
  expect(await engine.waiting(job.id)).toMatchObject({ ahead: 0, running: { key: 1 } });
  if (held) await end(engine, held);
  expect((await take(engine, 9, limits)).map(({ jobId }) => jobId)).toEqual([job.id]);
});

test("[Q4] a claim sends as many commands however many jobs, keys and tenants are held back", async () => {
  const engine = await open({ checkEveryMs: 600_000 });
  const { client } = redis();
  const limits: LimitsOfKinds = new Map([
    ["article", { perKey: { concurrency: 1 } }],
    ["image", { concurrency: 1 }],
  ]);
  const batchOf = async (tenant: string, kind: string, keys: number) => {
    const { batch, jobs } = newBatch(2 * keys, { tenant });
    const fresh = jobs.map((job, n) => ({ ...job, kind, key: `${n % keys}` }));
    await engine.createBatch(batch, fresh, new Date());
  };
  const cost = async () => {
    await batchOf("z", "report", 3);
    return countCommands(client, async () => expect(await take(engine, 2, limits)).toHaveLength(2));
  };
  for (const tenant of ["a", "b"]) {
    await batchOf(tenant, "article", 1);
    await batchOf(tenant, "image", 1);
  }
  while ((await take(engine, 9, limits)).length > 0);
  await cost();
  const before = await cost();
  for (let n = 0; n < 40; n += 1) {
    await batchOf(`tenant ${n}`, "article", 20);
    await batchOf(`tenant ${n}`, "image", 20);
  }
  while ((await take(engine, 500, limits)).length > 0);
  expect(await cost()).toBeLessThanOrEqual(before);
});

/** The jobs that run, by kind, and by kind, tenant and key, at one moment. */
const COUNT = `
  local counts = {}
  for _, leased in ipairs(redis.call('KEYS', 'jobwire:{*}:leased')) do
    local t = string.sub(leased, 1, -8)
    for _, id in ipairs(redis.call('ZRANGE', leased, 0, -1)) do
      local is = redis.call('HMGET', t .. ':job:' .. id, 'held', 'kind', 'k')
      if is[1] == '1' then
        local names = {is[2]}
        if is[3] then names[2] = is[2] .. ' ' .. t .. ' ' .. is[3] end
        for _, name in ipairs(names) do counts[name] = (counts[name] or 0) + 1 end
      end
    end
  end
  return cjson.encode(counts)`;

const AGE_PERMITS = `
  for _, permits in ipairs(redis.call('KEYS', 'jobwire:{:turns}:permits:*')) do
    for _, each in ipairs(redis.call('ZRANGE', permits, 0, -1)) do redis.call('ZINCRBY', permits, -ARGV[1], each) end
  end`;

const LIMITS: LimitsOfKinds = new Map([
  ["few", { concurrency: 3 }],
  ["keyed", { perKey: { concurrency: 1 } }],
  ["both", { concurrency: 4, perKey: { concurrency: 2 } }],
  ["rated", { rate: { limit: 5, perMs: 50 } }],
]);
const KINDS = ["few", "keyed", "both", "rated", "plain"];

test(
  "[Q5] [Q6] whatever happens to three processes, no limit is exceeded, and no job waits forever",
  { timeout: 300_000 },
  async () => {
    const server = await startRedis(inject("redisServer"));
    onTestFinished(() => server.close());
    const networks = [await openNetwork(server.port), await openNetwork(server.port)];
    const urls = [server.url, ...networks.map(({ url }) => url)];
    const engines = await Promise.all(urls.map(openTestEngine));
    const [first] = engines as [Engine];
    const wanted = timesOf(300, 3000);
    const created = new Set<string>();
    const over = new Set<string>();
    let seed = 7;
    // Repeatable.
    const random = (below: number) => {
      seed = (seed * 48_271) % 0x7fffffff;
      return seed % below;
    };
    const isDone = () => created.size >= wanted && over.size === created.size;
    /** The most jobs that ran at once, as Redis had them and as the workers had them. */
    const most = new Map<string, number>();
    const note = (name: string, count: number) =>
      void most.set(name, Math.max(most.get(name) ?? 0, count));
    /** Claims under way. None begins during `aging`. */
    let claiming = 0;
    let aging: Promise<void> | undefined;
    const running = new Map<string, number>();
    function count(kind: string, by: 1 | -1): void {
      const now = (running.get(kind) ?? 0) + by;
      running.set(kind, now);
      note(kind, now);
    }

    async function create(): Promise<void> {
      while (created.size < wanted) {
        const { batch, jobs } = newBatch(1 + random(6), { tenant: `tenant ${random(15)}` });
        const fresh = jobs.map((job) => {
          const key = random(4) === 0 ? undefined : `${random(3)}`;
          return { ...job, kind: KINDS[random(KINDS.length)] ?? "", key, priority: random(10) };
        });
        await first.createBatch(batch, fresh, new Date());
        for (const { id } of jobs) created.add(id);
        const { id = "" } = jobs[random(jobs.length)] ?? {};
        if (random(5) > 0) continue;
        const code = await codeOf(first.change(id, { action: "cancel" }, new Date()));
        if (code === undefined) over.add(id);
      }
    }

    async function work(engine: Engine): Promise<void> {
      while (!isDone()) {
        await aging;
        claiming += 1;
        const claims = await take(engine, 1 + random(8), LIMITS, LONG_LEASE_MS).catch(() => []);
        claiming -= 1;
        for (const { job } of claims) count(job.kind, 1);
        if (claims.length === 0) await delay(1);
        await Promise.all(
          claims.map(async (claim) => {
            await delay(random(5));
            count(claim.job.kind, -1);
            const how = random(10) < 8 ? DELIVER : release(random(2) * 20, random(2) === 0);
            await vi.waitFor(async () => {
              const code = await codeOf(engine.change(claim.jobId, how, new Date(), claim));
              // Its result is not known: it may have been stored, and then the claim is lost.
              expect(code).not.toBe("UNAVAILABLE");
            }, PATIENCE);
            const job = await first.getSummary(claim.jobId);
            if (job?.finishedAt) over.add(claim.jobId);
          }),
        );
      }
    }

    /**
     * A reservation that is kept for a minute comes back earlier. A claim under way would not know that it is over: it goes by
     * the real clock.
     */
    async function agePermits(): Promise<void> {
      const aged = Promise.withResolvers<void>();
      aging = aged.promise;
      await vi.waitFor(() => expect(claiming).toBe(0), PATIENCE);
      await server.client.eval(AGE_PERMITS, 0, LATER_MS);
      aging = undefined;
      aged.resolve();
    }

    async function watch(): Promise<void> {
      for (let round = 0; !isDone(); round += 1) {
        const counts = JSON.parse((await server.client.eval(COUNT, 0)) as string) as object;
        for (const [name, count] of Object.entries(counts)) note(name, count as number);
        if (round % 8 === 0) {
          const network = networks[random(2)];
          const text = ["\r\nready\r\n$", "Begun", "{:turns}", "Delivered"][random(4)] ?? "";
          if (random(2) === 0) network?.loseAnswersTo(text);
          else network?.dieBefore(text);
        }
        if (round % 16 === 10) await server.client.script("FLUSH");
        if (round % 8 === 6) for (const network of networks) network.reset();
        if (round % 40 === 39) await agePermits();
        await delay(5);
      }
    }

    for (const engine of engines) engine.onWork(() => undefined);
    await Promise.all([create(), watch(), ...engines.map(work)]);
    for (const [name, count] of most) {
      const [kind = "", tenant] = name.split(" ");
      const of = LIMITS.get(kind);
      const limit = tenant === undefined ? of?.concurrency : of?.perKey?.concurrency;
      expect(count, name).toBeLessThanOrEqual(limit ?? Infinity);
    }
    // The limits were reached.
    expect([most.get("few"), most.get("both")]).toEqual([3, 4]);
    for (const tenant of Array.from({ length: 15 }, (_, n) => `tenant ${n}`)) {
      expect((await first.usage(tenant)).waitingJobs, tenant).toBe(0);
      const of = `jobwire:{${encodeURIComponent(tenant)}}`;
      const sets = ["running", "ready", "permits", "closed"].map((set) => `${of}:${set}`);
      // The process that ended the last job may still have to tell the ring.
      await vi.waitFor(async () => expect(await server.client.exists(...sets)).toBe(0), PATIENCE);
    }
  },
);
