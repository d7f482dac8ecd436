/** A process may remember outdated records of jobs; jobs are claimed and changed correctly all the same. */
import { expect, test } from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { codeOf, DELIVER, logOf, newJob, release } from "#test/engine/builders.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { createAuditEncoder } from "./audit.ts";
import { createChange } from "./change.ts";
import { createNewest } from "./newest.ts";
import { createKeys } from "./keys.ts";
import { createScripts } from "./scripts.ts";
import { createTenantDirectory } from "./tenant-directory.ts";
import { useRedis } from "#test/redis/engine.fixture.ts";

const { redis, open } = useRedis({});

const BEGIN = { progress: 0, message: "Job started" };
function take(engine: Engine, max: number) {
  return engine.claim({ worker: "w", max, leaseMs: 60_000, now: new Date(), start: () => BEGIN });
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

test("[J8] a job that is cancelled between its claim and its start is not given, and stays cancelled", async () => {
  const [engine, elsewhere] = [await open(), await open()];
  const { id } = await engine.createJob(newJob(), new Date());
  const others = [newJob(), newJob()];
  for (const job of others) await engine.createJob(job, new Date());
  let cancelled: Promise<unknown> | undefined;
  const claims = await engine.claim({
    worker: "w",
    max: 2,
    leaseMs: 60_000,
    now: new Date(),
    start: (job) => {
      // Its start is computed, and not sent yet.
      if (job.id === id) cancelled ??= engine.change(id, { action: "cancel" }, new Date());
      return BEGIN;
    },
  });
  await cancelled;
  // The next one has its place in the claim.
  expect(claims.map(({ jobId }) => jobId)).toEqual(others.map((job) => job.id));
  expect((await logOf(elsewhere, id)).map(({ type }) => type)).toEqual(["created", "aborted"]);
  expect(await engine.usage("acme")).toMatchObject({ waitingJobs: 2 });
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
    ring: { tell: () => Promise.resolve() },
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
