/** An engine of Jobwire, without gateway and runner, in which many jobs wait. */
import { setTimeout as delay } from "node:timers/promises";
import { Redis } from "ioredis";
import { v7 as newId } from "uuid";
import { answerCalls } from "#bench/program.ts";
import { loadConfig } from "#server/config.ts";
import type { Claim, JobPage, JobQuery, KindLimits } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import type { NewJob } from "#shared/lifecycle.ts";
import type { Owner } from "#shared/principal.ts";
import type { Backlog, ClaimCost, Filled, Read, Shape } from "./backlog.ts";
import { openData } from "./data.ts";

/** The jobs that one step of a large batch stores. */
const PER_BATCH = 500;
/** Calls at the same time, so that Redis stores one while this process makes the next. */
const AT_ONCE = 4;
/** Every so many-th job is of another kind. */
const RARE = 1000;
const PRIORITIES = 10;
const PAGE = 50;
const LEASE_MS = 600_000;
/** One job of a key, and more of the kind than any claim here takes. */
const LIMITS: KindLimits = { concurrency: 1000, perKey: { concurrency: 1 } };
const MESSAGE = "Step of a job, of which this is the message ".padEnd(60, "-");

const data = await openData();
const engine = await openEngine(loadConfig(data.env));
const { REDIS_URL: url } = data.env;
const redis = url === undefined ? undefined : new Redis(url);

let shape: Shape = { jobs: 0, tenants: 1, keys: 0 };
/** Jobs that were created so far. */
let made = 0;
/** The batch that was created last, and one of its jobs. */
let newest = { batchId: "", jobId: "" };
/** Of the first tenant. */
const FIRST = ownerOf(0);

function ownerOf(tenant: number): Owner {
  return { tenant: `tenant-${tenant}`, owner: "ann" };
}

/** `n`: of all jobs. */
function newJob(n: number, owner: Owner, batchId: string): NewJob {
  const { keys, tenants } = shape;
  const ofTenant = Math.floor(n / tenants);
  const id = newId();
  newest = { batchId, jobId: id };
  return {
    id,
    kind: n % RARE === 0 ? "rare" : "work",
    title: `Job ${n}`,
    ...owner,
    input: { n },
    batchId,
    ...(keys > 0 && { key: `key-${ofTenant % keys}`, priority: n % PRIORITIES }),
  };
}

/** Creates so many, in batches of the tenants in turn. */
async function create(jobs: number): Promise<void> {
  const { tenants } = shape;
  const end = made + jobs;
  const perBatch = Math.min(PER_BATCH, Math.ceil(jobs / tenants));
  let tenant = 0;
  async function createNext(): Promise<void> {
    while (made < end) {
      const owner = ownerOf(tenant);
      tenant = (tenant + 1) % tenants;
      const batch = { id: newId(), name: null, ...owner };
      const fresh = Array.from({ length: Math.min(perBatch, end - made) }, (_, i) =>
        newJob(made + i, owner, batch.id),
      );
      made += fresh.length;
      await engine.createBatch(batch, fresh, new Date());
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, createNext));
}

async function memory(): Promise<Filled> {
  for (let i = 0; i < 3; i += 1) {
    globalThis.gc?.({ type: "major", execution: "sync", flavor: "last-resort" });
    await delay(50);
  }
  const stored =
    redis === undefined
      ? (await engine.storage?.())?.bytes
      : numberIn(await redis.info("memory"), "used_memory");
  return { stored: stored ?? Number.NaN, resident: process.memoryUsage().rss };
}

/** Microseconds. */
async function cpu(): Promise<ClaimCost> {
  const info = await redis?.info("cpu");
  const ofRedis = ["used_cpu_user_main_thread", "used_cpu_sys_main_thread"].map((name) =>
    info === undefined ? 0 : numberIn(info, name),
  );
  const { user, system } = process.cpuUsage();
  return { process: user + system, redis: ofRedis.reduce((sum, each) => sum + each, 0) * 1e6 };
}

function numberIn(info: string, name: string): number {
  return Number(new RegExp(`^${name}:(\\S+)`, "m").exec(info)?.[1]);
}

function claim(max: number): Promise<Claim[]> {
  return engine.claim({
    worker: "w",
    max,
    leaseMs: LEASE_MS,
    now: new Date(),
    start: () => ({ progress: 0, message: MESSAGE }),
    ...(shape.keys > 0 && { limits: new Map([["work", LIMITS]]) }),
  });
}

async function timesOf(count: number, call: () => Promise<unknown>): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const begin = performance.now();
    await call();
    times.push(performance.now() - begin);
  }
  return times;
}

/** The cursor of a page in the middle. */
async function middle(): Promise<string | undefined> {
  let cursor: string | undefined;
  for (let read = 0; read < shape.jobs / 2;) {
    const page = await engine.listJobs({ ...FIRST, limit: 1000, cursor });
    read += page.items.length;
    if (page.nextCursor === null) break;
    cursor = page.nextCursor;
  }
  return cursor;
}

function list(query: Partial<JobQuery>): () => Promise<JobPage> {
  return () => engine.listJobs({ ...FIRST, limit: PAGE, ...query });
}

const backlog: Backlog = {
  async fill(wanted) {
    shape = { ...wanted, tenants: 1 };
    // Compiles the code, and makes what is made once.
    await create(PER_BATCH);
    const before = await memory();
    shape = wanted;
    const fresh = wanted.jobs - made;
    await create(fresh);
    const after = await memory();
    return {
      stored: (after.stored - before.stored) / fresh,
      resident: (after.resident - before.resident) / fresh,
    };
  },
  async claims({ count, max }) {
    const claims: Claim[] = [];
    const before = await cpu();
    for (let n = 0; n < count; n += 1) claims.push(...(await claim(max)));
    const after = await cpu();
    if (claims.length !== count * max) throw new Error(`Only ${claims.length} jobs were claimed.`);
    const end = { action: "deliver", message: "Done", output: null } as const;
    await Promise.all(claims.map((each) => engine.change(each.jobId, end, new Date(), each)));
    await create(claims.length);
    return {
      process: (after.process - before.process) / claims.length,
      redis: (after.redis - before.redis) / claims.length,
    };
  },
  async reads({ count }) {
    const cursor = await middle();
    const { batchId, jobId } = newest;
    const calls: Record<Read, () => Promise<unknown>> = {
      "the newest 50": list({}),
      "50 from the middle": list({ cursor }),
      "50 of a rare kind": list({ kind: "rare" }),
      "50 of a status": list({ status: "DELIVERED" }),
      "50 of a status that no job has": list({ status: "BLOCKED" }),
      "50 of a batch": list({ batchId }),
      "a batch and its counts": () => engine.getBatch(batchId),
      "the usage of the tenant": () => engine.usage(FIRST.tenant),
      "why a job waits": () => engine.waiting(jobId),
    };
    const times: Partial<Record<Read, number[]>> = {};
    for (const [name, call] of Object.entries(calls))
      times[name as Read] = await timesOf(count, call);
    return times as Record<Read, number[]>;
  },
};
answerCalls(backlog, async () => {
  redis?.disconnect();
  await engine.close();
  await data.remove();
});
