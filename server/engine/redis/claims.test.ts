/** A process may remember outdated records of jobs; jobs are claimed and changed correctly all the same. */
import { expect, test, vi } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { codeOf, DELIVER, logOf, newBatch, newJob, release } from "#test/engine/builders.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { createClaims } from "./claims.ts";
import { createAuditEncoder } from "./audit.ts";
import { createChange } from "./change.ts";
import { createNewest, knownAs } from "./newest.ts";
import { createKeys } from "./keys.ts";
import type { Found } from "./queue.ts";
import { createScripts } from "./scripts.ts";
import { createTenantDirectory } from "./tenant-directory.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";
import { createScriptBatcher } from "./script-batcher.ts";

const { redis, open } = useRedis({});

const BEGIN = { progress: 0, message: "Job started" };
function take(engine: Engine, max: number) {
  return engine.claim({ worker: "w", max, leaseMs: 60_000, now: new Date(), start: () => BEGIN });
}

/** Counts the requests for the queue's next entry. */
async function asked(): Promise<number> {
  const stats = await redis().client.info("commandstats");
  return Number(/^cmdstat_rpoplpush:calls=(\d+)/m.exec(stats)?.[1]);
}

test("a job that another process changed after this one read it is claimed and started in its newest state", async () => {
  const here = await open();
  const elsewhere = await open();
  const { id } = await here.createJob(newJob(), new Date());
  const [first] = await take(elsewhere, 1);
  if (first) await elsewhere.change(id, release(), new Date(), first);
  const [claim] = await take(here, 1);
  expect(claim?.started).toMatchObject({ type: "started", seq: 4 });
  expect(claim?.job).toMatchObject({ id, version: 4, attempt: 2, input: { words: 900 } });
});

test("a job that another process cancels is not claimed", async () => {
  const here = await open();
  const elsewhere = await open();
  const { id } = await here.createJob(newJob(), new Date());
  await elsewhere.change(id, { action: "cancel" }, new Date());
  expect(await take(here, 5)).toEqual([]);
  expect(await here.getSummary(id)).toMatchObject({ status: "ABORTED" });
});

test("a process with much room sends few requests while few jobs come, and takes all of many", async () => {
  const engine = await open();
  const rounds = 5;
  for (let round = 0; round < rounds; round += 1) {
    await engine.createJob(newJob(), new Date());
    expect(await take(engine, 50)).toHaveLength(1);
  }
  expect(await asked()).toBeLessThanOrEqual(3 * rounds);
  const { batch, jobs } = newBatch(300);
  await engine.createBatch(batch, jobs, new Date());
  expect(await take(engine, 200)).toHaveLength(200);
  expect(await take(engine, 200)).toHaveLength(100);
});

test("[J8] a job that is cancelled during its claim stays cancelled", async () => {
  const engine = await open();
  const { id } = await engine.createJob(newJob(), new Date());
  const keys = createKeys("jobwire");
  const run = createScripts(redis().client);
  const runBatched = createScriptBatcher(run, "change");
  const newest = createNewest();
  let ops = 0;
  const tenants = createTenantDirectory(redis().client, run, keys);
  const change = createChange({
    redis: redis().client,
    runBatched,
    keys,
    tenants,
    newest,
    encodeAudit: createAuditEncoder(1),
    op: () => `me.${++ops}`,
  });
  const [record = "", made] = await redis().client.hmget(keys.job("acme", id), "s", "op");
  const known = knownAs(record ?? "", made);
  newest.set(known);
  // The first change is computed before the second, and sent after it.
  const cancelled = change.byId(id, { action: "cancel" }, new Date());
  const taking = { op: "me.2", queuedAs: "1", lock: "me", till: Date.now() + 60_000 };
  const taken = await change.taking(known, { action: "start", ...BEGIN }, new Date(), taking);
  expect(taken).toMatchObject({ started: { seq: 2 } });
  expect(await cancelled).toMatchObject({ event: { seq: 3, type: "aborted" } });
  expect((await logOf(engine, id)).map(({ type }) => type)).toEqual([
    "created",
    "started",
    "aborted",
  ]);
});

test("[J5] a runner can finish a job that the tenant directory has lost, which restores its entry", async () => {
  const [here, elsewhere] = [await open(), await open()];
  const { id } = await here.createJob(newJob(), new Date());
  await redis().client.hdel(createKeys("jobwire").tenantOf(id), id);
  const [claim] = await take(elsewhere, 1);
  expect(claim && (await elsewhere.renew([claim], 60_000, new Date()))).toEqual([]);
  if (claim) await elsewhere.change(id, DELIVER, new Date(), claim);
  const other = await open();
  expect(await other.getSummary(id)).toMatchObject({ status: "DELIVERED" });
});

test("[J5] a claim goes on after a postponed place that the queue returns at once, until it brings nothing else", async () => {
  const engine = await open();
  const { client } = redis();
  const keys = createKeys("jobwire");
  const run = createScripts(client);
  const [delayed, first, second] = await Promise.all(
    [newJob(), newJob(), newJob()].map((job) => engine.createJob(job, new Date())),
  );
  const [claim] = await take(engine, 1);
  if (claim) await engine.change(claim.jobId, release(60_000), new Date(), claim);
  const ids = [delayed, first, second].map((job) => job?.id ?? "");
  const due = ids.filter((id) => id !== claim?.jobId);
  async function placeOf(jobId = ""): Promise<Found> {
    const queuedAs = (await client.hget(keys.job("acme", jobId), "q")) ?? "";
    return { jobId, queuedAs, tenant: "acme", entry: jobId };
  }
  const [early, ...others] = await Promise.all([claim?.jobId, ...due].map(placeOf));
  const rounds = [[early], [early, others[0]], [early, others[1]], [early], [early]];
  const claims = createClaims({
    redis: client,
    run,
    keys,
    tenants: createTenantDirectory(client, run, keys),
    newest: createNewest(),
    change: { taking: () => Promise.resolve("refused") },
    op: () => "me.1",
    queue: {
      lock: "me",
      take: () => Promise.resolve((rounds.shift() ?? []).filter((place) => place !== undefined)),
      postpone: () => Promise.resolve(),
      drop: () => undefined,
      prolong: () => Promise.resolve(),
    },
  });
  const taken = await claims.claim({ worker: "w", max: 3, leaseMs: 60_000, now: new Date() });
  expect(taken.map(({ jobId }) => jobId)).toEqual(due);
  // It stopped at the first take that brought nothing else.
  expect(rounds).toEqual([[early]]);
});

test("a process sends a silent Redis no more requests than it has room for", async () => {
  const engine = await open();
  const { batch, jobs } = newBatch(300);
  await engine.createBatch(batch, jobs, new Date());
  await take(engine, 200);
  const before = await asked();
  redis().pause();
  for (let looks = 0; looks < 3; looks += 1) {
    expect(await codeOf(take(engine, 100))).toBe("UNAVAILABLE");
  }
  redis().resume();
  await vi.waitFor(() => engine.health(), { timeout: 120_000 });
  expect((await asked()) - before).toBeLessThanOrEqual(10);
});

test("a change that was computed from a refused change is not stored", async () => {
  const elsewhere = await open();
  const { id } = await elsewhere.createJob(newJob(), new Date());
  const keys = createKeys("jobwire");
  const run = createScripts(redis().client);
  const tenants = createTenantDirectory(redis().client, run, keys);
  let calls = 0;
  let before = Promise.resolve();
  // Another process changes the job after the first of these is stored and before the others arrive.
  async function runBatched<Answer>(key: string, args: readonly string[]): Promise<Answer> {
    calls += 1;
    const first = calls === 2 ? elsewhere.change(id, { action: "retry" }, new Date()) : undefined;
    const sent = Promise.all([before, first]).then(() => run<[Answer]>("change", key, args));
    before = sent.then(() => undefined);
    const [answer] = await sent;
    return answer;
  }
  let ops = 0;
  const op = () => `here.${++ops}`;
  const here = createChange({
    redis: redis().client,
    runBatched,
    keys,
    tenants,
    newest: createNewest(),
    encodeAudit: createAuditEncoder(1),
    op,
  });
  const codes = ["cancel", "retry", "cancel", "retry"].map((action) =>
    codeOf(here.byId(id, { action } as JobChange, new Date())),
  );
  expect(await Promise.all(codes)).toEqual([undefined, "ILLEGAL_TRANSITION", undefined, undefined]);
  const log = await logOf(elsewhere, id);
  expect(log.map(({ type }) => type)).toEqual([
    "created",
    "aborted",
    "requeued",
    "aborted",
    "requeued",
  ]);
});
