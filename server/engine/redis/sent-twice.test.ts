/** Commands whose answers were lost after execution: ioredis sends them again, and that changes nothing. */
import { expect, inject, onTestFinished, test, vi } from "vitest";
import {
  ANN,
  at,
  claimOne,
  codeOf,
  DELIVER,
  draftOf,
  LEASE_MS,
  logOf,
  newBatch,
  newId,
  newJob,
  START,
  startedJob,
  STEP,
} from "#test/engine/builders.ts";
import type { Claim, Engine } from "#server/engine/contract.ts";
import { type AuditAction, COMMAND_ACTOR } from "#shared/audit.ts";
import { createKeys } from "./keys.ts";
import { openTestEngine } from "#test/redis/engine.fixture.ts";
import { openNetwork } from "#test/redis/network.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";

async function openPair() {
  const redis = await startRedis(inject("redisServer"));
  onTestFinished(() => redis.close());
  const network = await openNetwork(redis.port);
  const [here, elsewhere] = [await openTestEngine(network.url), await openTestEngine(redis.url)];
  /** Makes a call whose request contains `text`, and loses the answer. The resend waits until `goesOn` saw the execution. */
  async function sentTwice<T>(
    text: string,
    ask: () => Promise<T>,
    goesOn: () => Promise<unknown>,
  ): Promise<T> {
    network.loseAnswersTo(text);
    const answer = ask();
    answer.catch(() => undefined);
    await vi.waitFor(goesOn, { timeout: 4000, interval: 5 });
    network.reset();
    return answer;
  }
  return { redis, network, here, elsewhere, sentTwice };
}

/** Rejects if it does not exist. */
async function cancel(engine: Engine, jobId: string): Promise<void> {
  await engine.change(jobId, { action: "cancel" }, at(1));
}

const entry = (target: string, action: AuditAction) => ({
  at: at(0),
  action,
  target,
  actor: COMMAND_ACTOR,
});

test("[P17] a command that is sent twice has one entry in the audit list", async () => {
  const { here, elsewhere, sentTwice } = await openPair();
  const targets = async () =>
    (await elsewhere.audit.list({ tenant: "acme", limit: 9 })).items.map(({ target }) => target);
  const reaches = (count: number) => async () => expect(await targets()).toHaveLength(count);
  const job = newJob();
  const created = { ...job, audit: entry("1", "job.create") };
  await sentTwice(job.title, () => here.createJob(created, at(0)), reaches(1));
  const { batch, jobs } = newBatch(2);
  const whole = { ...batch, audit: entry("2", "batch.create") };
  await sentTwice(jobs[0]?.title ?? "", () => here.createBatch(whole, jobs, at(0)), reaches(2));
  const cancelled = { action: "cancel", audit: entry("3", "job.cancel") } as const;
  await sentTwice('"aborted"', () => here.change(job.id, cancelled, at(0)), reaches(3));
  const made = entry("4", "key.create");
  await sentTwice("key.create", () => here.audit.append("acme", made), reaches(4));
  expect(await targets()).toEqual(["4", "3", "2", "1"]);
  expect(await logOf(here, job.id)).toHaveLength(2);
});

test("[J3] a job that changes before its creation is sent again is created once", async () => {
  const { here, elsewhere, sentTwice } = await openPair();
  const job = newJob();
  await sentTwice(
    job.title,
    () => here.createJob(job, at(0)),
    () => cancel(elsewhere, job.id),
  );
  expect((await logOf(here, job.id)).map(({ type }) => type)).toEqual(["created", "aborted"]);
  expect((await here.listJobs({ ...ANN, limit: 9 })).items).toHaveLength(1);
});

test("[J23] debounced calls that are sent twice create one job, and change it once each", async () => {
  const debounce = { key: "k", windowMs: 60_000 };
  const { here, elsewhere, sentTwice } = await openPair();
  const first = newJob({ title: "The first call", debounce });
  const reaches = (version: number) => async () =>
    expect(await elsewhere.getSummary(first.id)).toMatchObject({ version });
  const created = await sentTwice(first.title, () => here.createJob(first, at(0)), reaches(1));
  expect(created).toMatchObject({ id: first.id, version: 1 });
  const second = newJob({ title: "The second call", debounce });
  const taken = await sentTwice('"requeued"', () => here.createJob(second, at(1)), reaches(2));
  expect(taken).toMatchObject({ id: first.id, version: 2, title: second.title });
  expect((await logOf(elsewhere, first.id)).map(({ seq }) => seq)).toEqual([1, 2]);
  expect((await elsewhere.listJobs({ ...ANN, limit: 9 })).items).toHaveLength(1);
});

test("[J3] [J4] a batch, and a job with an idempotency key, are created once too", async () => {
  const { here, elsewhere, sentTwice } = await openPair();
  const { batch, jobs } = newBatch(3);
  const [first] = jobs;
  await sentTwice(
    first?.title ?? "",
    () => here.createBatch(batch, jobs, at(0)),
    () => cancel(elsewhere, first?.id ?? ""),
  );
  expect(await here.getBatch(batch.id)).toMatchObject({ counts: { PENDING: 2, ABORTED: 1 } });
  const job = newJob({ idempotencyKey: "once" });
  const created = await sentTwice(
    job.title,
    () => here.createJob(job, at(0)),
    () => cancel(elsewhere, job.id),
  );
  expect(created.id).toBe(job.id);
  expect(await here.createJob(newJob({ idempotencyKey: "once" }), at(2))).toMatchObject({
    id: job.id,
    status: "ABORTED",
  });
});

test("[J3] [J8] a change that is sent twice is made once, and a later change of another process survives", async () => {
  const { here, elsewhere, sentTwice } = await openPair();
  const { id } = await here.createJob(newJob(), at(0));
  await sentTwice(
    '"aborted"',
    () => here.change(id, { action: "cancel" }, at(1)),
    async () => void (await elsewhere.change(id, { action: "retry" }, at(2))),
  );
  await sentTwice(
    '"requeued"',
    async () => {
      await here.change(id, { action: "cancel" }, at(3));
      return here.change(id, { action: "retry" }, at(4));
    },
    async () => {
      expect((await elsewhere.getSummary(id))?.version).toBe(5);
      await cancel(elsewhere, id);
    },
  );
  expect((await logOf(here, id)).map(({ type }) => type)).toEqual([
    "created",
    "aborted",
    "requeued",
    "aborted",
    "requeued",
    "aborted",
  ]);
});

test("[J6] a claim whose answer was lost reaches its caller later, and costs no attempt", async () => {
  const { network, here, elsewhere } = await openPair();
  const { id } = await elsewhere.createJob(newJob(), at(0));
  const request = { worker: "w", max: 5, leaseMs: LEASE_MS, now: at(1) };
  const take = () => here.claim({ ...request, start: () => ({ progress: 0, message: "Begun" }) });
  network.loseAnswersTo("Begun");
  expect(await codeOf(take())).toBe("UNAVAILABLE");
  expect(await elsewhere.getSummary(id)).toMatchObject({ status: "PROCESSING", attempt: 1 });
  network.reset();
  const [claim] = await vi.waitFor(async () => {
    const claims = await take();
    expect(claims).toHaveLength(1);
    return claims;
  });
  expect(claim).toMatchObject({ jobId: id, started: { seq: 2 }, job: { attempt: 1 } });
  if (claim) await here.change(id, DELIVER, at(2), claim);
  expect((await logOf(here, id)).map(({ type }) => type)).toEqual([
    "created",
    "started",
    "delivered",
  ]);
});

test("[J5] [J6] jobs whose claim was executed, and its answer lost, reach their caller once", async () => {
  const { redis, network, here, elsewhere, sentTwice } = await openPair();
  const { batch, jobs } = newBatch(2);
  await elsewhere.createBatch(batch, jobs, at(0));
  const ids = jobs.map(({ id }) => id);
  const request = { worker: "w", max: 2, leaseMs: LEASE_MS, now: at(1) };
  const take = () => here.claim({ ...request, start: () => ({ progress: 0, message: "Begun" }) });
  const cancelled = async () => {
    expect(await redis.client.zcard(createKeys("jobwire").leased("acme"))).toBe(2);
    await cancel(elsewhere, ids[0] ?? "");
  };
  // The connection breaks: ioredis sends the command again. Meanwhile one of its jobs is cancelled.
  const claims = await sentTwice("\r\nready\r\n$", take, cancelled);
  expect(claims).toMatchObject([{ jobId: ids[1], started: { seq: 2 } }]);
  for (const claim of claims) await here.change(claim.jobId, DELIVER, at(2), claim);
  // Redis says nothing for longer than a command waits: the next claim sends it again.
  const more = newBatch(2);
  await elsewhere.createBatch(more.batch, more.jobs, at(2));
  network.loseAnswersTo("\r\nready\r\n$");
  expect(await codeOf(take())).toBe("UNAVAILABLE");
  network.reset();
  const late: Claim[] = [];
  await vi.waitFor(async () => {
    late.push(...(await take()));
    expect(late.map(({ jobId }) => jobId)).toEqual(more.jobs.map(({ id }) => id));
  });
  for (const { jobId, started } of late) {
    expect(started).toMatchObject({ seq: 2 });
    expect(await logOf(here, jobId)).toHaveLength(2);
  }
});

test("a deleted job is deleted from the tenant directory too", async () => {
  const { redis, here, elsewhere, sentTwice } = await openPair();
  const { batch, jobs } = newBatch(1);
  const [{ id } = newJob()] = jobs;
  await here.createBatch(batch, jobs, at(0));
  await cancel(elsewhere, id);
  const before = at(100);
  const keys = createKeys("jobwire");
  const deleted = await sentTwice(
    `\r\n${before.getTime()}\r\n`,
    () => here.prune(before, 10),
    async () => expect(await redis.client.exists(keys.job(ANN.tenant, id))).toBe(0),
  );
  expect(deleted).toBe(1);
  expect(await redis.client.hexists(keys.tenantOf(id), id)).toBe(0);
  expect(await redis.client.hexists(keys.tenantOf(batch.id), batch.id)).toBe(0);
});

test("[J5] a job of a dead runner is claimed once, by the first runner that asks", async () => {
  const { redis, here, elsewhere, sentTwice } = await openPair();
  const held = await startedJob(elsewhere, at(0));
  await elsewhere.renew([held], 1, at(0));
  const key = createKeys("jobwire").job(ANN.tenant, held.jobId);
  const claim = await sentTwice(
    `\r\ndue\r\n`,
    () => vi.waitFor(() => claimOne(here, at(20))),
    async () => expect(await redis.client.hget(key, "token")).not.toBe(`${held.token}`),
  );
  expect(claim).toMatchObject({ jobId: held.jobId, started: null });
  expect(`${claim.token}`).toBe(await redis.client.hget(key, "token"));
  await here.change(held.jobId, STEP, at(21), claim);
});

test("[J2] changes, drafts and log lines that are sent twice are stored once, even after other changes", async () => {
  const { here, elsewhere, sentTwice } = await openPair();
  const { id } = await here.createJob(newJob(), at(0));
  const claim = await claimOne(here, at(0));
  const newest = async (type: string) =>
    expect((await logOf(elsewhere, id)).at(-1)).toMatchObject({ type });
  await sentTwice(
    "Started",
    () => here.change(id, START, at(0), claim),
    () => newest("started"),
  );
  await sentTwice(
    "text",
    () => here.appendDraft(claim, "text"),
    async () => expect(await draftOf(elsewhere, id)).toBe("text"),
  );
  const linesOf = async () => (await elsewhere.readLines(id, 0, 9))?.lines ?? [];
  await sentTwice(
    "a line",
    () => here.appendLines(claim, [{ at: at(0), level: "info", message: "a line" }]),
    async () => expect(await linesOf()).toHaveLength(1),
  );
  await sentTwice(
    "Delivered",
    () => here.change(id, DELIVER, at(1), claim),
    () => newest("delivered"),
  );
  expect((await logOf(here, id)).map(({ type }) => type)).toEqual([
    "created",
    "started",
    "delivered",
  ]);
  expect(await draftOf(here, id)).toBe("text");
  expect(await linesOf()).toHaveLength(1);
});

test("an API key whose creation is sent again after its revocation stays revoked, and counts once", async () => {
  const { here, elsewhere, sentTwice } = await openPair();
  const [id, hash] = [newId(), "a".repeat(64)];
  const key = { id, tenant: "acme", user: "reports", scopes: ["jobs:read"], label: "Nightly" };
  const created = await sentTwice(
    "Nightly",
    () => here.apiKeys.create({ ...key, createdAt: at(0), expiresAt: null }, hash),
    async () => expect(await elsewhere.apiKeys.revoke(id, at(1))).toBeDefined(),
  );
  expect(created).toMatchObject({ id, revokedAt: at(1) });
  expect((await here.apiKeys.list({ limit: 9 })).items).toHaveLength(1);
});
