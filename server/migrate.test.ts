import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import {
  afterAll,
  afterEach,
  beforeEach,
  describe,
  expect,
  inject,
  onTestFinished,
  test,
  vi,
} from "vitest";
import type { Engine } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { startRedisCluster } from "#test/redis/cluster.fixture.ts";
import { startRedis } from "#test/redis/server.fixture.ts";
import { INSTANCE_LIST } from "#shared/audit.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { MAX_LOG_LINES } from "#shared/limits.ts";
import { databasePath } from "#server/engine/sqlite/database.ts";
import {
  ANN,
  at,
  BLOCK,
  BOB,
  claimOne,
  codeOf,
  DELIVER,
  newBatch,
  newId,
  newJob,
  START,
  startedJob,
  STEP,
  newSchedule,
} from "#test/engine/builders.ts";
import { loadConfig } from "./config.ts";
import { runMigration } from "./migrate.ts";

const single = await startRedis(inject("redisServer"));
const cluster = await startRedisCluster(inject("redisServer"));
afterAll(() => Promise.all([single.close(), cluster.close()]));

let dataDir: string;
let env: Record<string, string>;
let redis: typeof single | typeof cluster;
beforeEach(async () => {
  redis = single;
  dataDir = await mkdtemp(join(tmpdir(), "jobwire-migrate-"));
  env = { DATA_DIR: dataDir, REDIS_URL: redis.url };
  await Promise.all([single, ...cluster.nodes].map(({ client }) => client.flushall()));
});
afterEach(() => rm(dataDir, { recursive: true }));

const hashOf = (n: number) => `${n}`.repeat(64);
const migrate = () => runMigration(["--from", "sqlite", "--to", "redis"], env);
function change(statement: string): void {
  const db = new DatabaseSync(databasePath(dataDir));
  db.exec(statement);
  db.close();
}
async function open(onRedis: boolean): Promise<Engine> {
  const engine = await openEngine(
    loadConfig({ DATA_DIR: dataDir, ...(onRedis && { REDIS_URL: redis.url }) }),
  );
  onTestFinished(() => engine.close());
  return engine;
}

const lineOf = (message: string) => ({ at: at(1), level: "info", message }) as const;

async function everythingOf(engine: Engine, jobIds: readonly string[], batchId: string) {
  const first = await engine.listJobs({ ...ANN, limit: 2 });
  return {
    jobs: await Promise.all(jobIds.map((id) => engine.getJob(id))),
    events: await Promise.all(jobIds.map((id) => engine.readEvents(id, 1, 100))),
    drafts: await Promise.all(jobIds.map((id) => engine.readDraft(id, 0))),
    lines: await Promise.all(jobIds.map((id) => engine.readLines(id, 0, MAX_LOG_LINES))),
    batch: await engine.getBatch(batchId),
    batches: await engine.listBatches({ ...ANN, limit: 1 }),
    feed: await engine.readFeed(ANN, 3, 100),
    others: await engine.readFeed(BOB, 0, 100),
    first,
    next: await engine.listJobs({ ...ANN, limit: 3, cursor: first.nextCursor ?? undefined }),
    blocked: await engine.listJobs({ ...ANN, limit: 9, status: "BLOCKED" }),
    ofBatch: await engine.listJobs({ ...ANN, limit: 9, batchId }),
  };
}

function meet(where: typeof redis): void {
  redis = where;
  env.REDIS_URL = where.url;
}

describe.each([
  ["one redis", single],
  ["a cluster", cluster],
])("to %s", (_, where) => {
  beforeEach(() => meet(where));

  test("[J21] [J22] [J23] jobs that wait for their time keep it, their expiry and their debounce", async () => {
    const old = await open(false);
    const now = Date.now();
    const startsAt = new Date(now + 3_600_000);
    const asked = { startsAt, expiresInMs: 60_000, priority: 3, maxAttempts: 2 };
    const later = await old.createJob(newJob(asked), new Date(now));
    const expires = await old.createJob(newJob({ expiresInMs: 3_600_000 }), new Date(now));
    const debounce = { key: "k", windowMs: 3_600_000 };
    const call = await old.createJob(newJob({ debounce }), new Date(now));
    await old.close();
    change(`UPDATE jobs SET expires = ${now} WHERE id = '${expires.id}'`);
    await migrate();
    const engine = await open(true);
    expect(await engine.getJob(later.id)).toEqual(later);
    const next = await engine.createJob(newJob({ input: 2, debounce }), new Date(now + 1));
    expect(next).toMatchObject({ id: call.id, version: 2, input: 2 });
    await vi.waitFor(async () =>
      expect(await engine.getSummary(expires.id)).toMatchObject({ error: { code: "EXPIRED" } }),
    );
    expect(await engine.claim({ worker: "w", max: 9, leaseMs: 1000, now: new Date() })).toEqual([]);
  });

  test("[S9] [J3] [J4] redis has all data of sqlite, and every cursor stays valid", async () => {
    const old = await open(false);
    const settled = await startedJob(old, at(0));
    await old.appendDraft(settled, "Once \ud83d");
    await old.appendDraft(settled, "\ude00 upon");
    await old.appendLines(
      settled,
      Array.from({ length: MAX_LOG_LINES + 2 }, (_, index) => lineOf(`Line ${index}`)),
    );
    await old.change(settled.jobId, DELIVER, at(1), settled);
    const blocked = await startedJob(old, at(1));
    await old.change(blocked.jobId, BLOCK, at(2), blocked);
    const running = await startedJob(old, at(2));
    await old.appendLines(running, [lineOf("before")]);
    const details = { done: 1, of: 3 };
    await old.change(running.jobId, { ...STEP, details } as JobChange, at(3), running);
    const scheduleId = newId();
    const keyed = await old.createJob(
      newJob({ idempotencyKey: "k", trace: "a trace", scheduleId }),
      at(4),
    );
    const { batch, jobs } = newBatch(3, { idempotencyKey: "k" });
    const ofKey = jobs.map((job) => ({ ...job, key: "customer" }));
    await old.createBatch(batch, ofKey, at(5));
    await old.change(jobs[0]?.id ?? "", { action: "cancel" }, at(6));
    const other = await old.createJob(newJob(BOB), at(7));
    const ids = [settled, blocked, running].map(({ jobId }) => jobId);
    ids.push(keyed.id, other.id, ...jobs.map(({ id }) => id));
    const before = await everythingOf(old, ids, batch.id);
    await old.close();

    expect(await migrate()).toEqual({
      code: 0,
      message: "Copied 8 jobs and 1 batch from sqlite to redis. The data in sqlite is unchanged.",
    });
    const engine = await open(true);
    expect(await everythingOf(engine, ids, batch.id)).toEqual(before);
    const waits = { ahead: 1, running: { key: 0 } };
    expect(await engine.waiting(jobs[2]?.id ?? "")).toMatchObject(waits);

    // Idempotency keys still work, and all claims have ended.
    expect((await engine.createJob(newJob({ idempotencyKey: "k" }), at(8))).id).toBe(keyed.id);
    const ofSchedule = await engine.listJobs({ ...ANN, scheduleId, limit: 9 });
    expect(ofSchedule.items).toMatchObject([{ id: keyed.id, scheduleId }]);
    expect((await engine.createBatch(batch, jobs, at(8))).id).toBe(batch.id);
    expect(await codeOf(engine.change(running.jobId, STEP, at(8), running))).toBe("CLAIM_LOST");
    const claims = await engine.claim({ worker: "w", max: 9, leaseMs: 1000, now: at(9) });
    const waiting = [running.jobId, keyed.id, other.id, ...jobs.slice(1).map(({ id }) => id)];
    expect(claims.map(({ jobId }) => jobId).toSorted()).toEqual(waiting.toSorted());
    const traces = claims.map(({ jobId, trace }) => (jobId === keyed.id ? trace : undefined));
    expect(traces.filter((trace) => trace !== undefined)).toEqual(["a trace"]);
    const again = claims.find(({ jobId }) => jobId === running.jobId);
    expect(again).toMatchObject({ job: { status: "PROCESSING", attempt: 1, details } });
    expect(again?.token).toBeGreaterThan(running.token);

    // Jobs continue.
    const { event } = await engine.change(running.jobId, STEP, at(10), again);
    expect(event).toMatchObject({ seq: 4, details });
    if (again) await engine.appendDraft(again, "more");
    if (again) await engine.appendLines(again, [lineOf("more")]);
    expect((await engine.readLines(running.jobId, 0, 9))?.lines).toMatchObject([
      { seq: 1, message: "before" },
      { seq: 2, message: "more" },
    ]);
    const later = await engine.readFeed(ANN, before.feed.head, 10);
    expect(later.changes.map(({ job }) => job.id)).toEqual([running.jobId]);
    const fresh = await engine.createJob(newJob(), at(11));
    expect((await engine.listJobs({ ...ANN, limit: 1 })).items[0]?.id).toBe(fresh.id);
    expect(await engine.prune(at(2), 10)).toBe(1);
  });

  test("[P16] [P17] actors and audit lists are moved too, and the lists go on", async () => {
    const old = await open(false);
    const actor = { user: "ann", via: "token" } as const;
    const entry = (target: string) => ({
      at: at(1.5),
      action: "job.create" as const,
      target,
      actor: { ...actor, credential: "jti 1" },
    });
    const job = newJob({ actor });
    await old.createJob({ ...job, audit: entry(job.id) }, at(0));
    await old.audit.append("bakery", entry("a key"));
    for (const n of [1, 2, 3]) await old.audit.append("acme", entry(`${n}`));
    const everyEntry = async (engine: Engine) => ({
      first: await engine.audit.list({ tenant: "acme", limit: 2 }),
      next: await engine.audit.list({ tenant: "acme", limit: 9, cursor: "3" }),
      others: await engine.audit.list({ tenant: "bakery", limit: 9 }),
      events: await engine.readEvents(job.id, 0, 9),
    });
    const before = await everyEntry(old);
    expect(before.events?.newest.actor).toEqual(actor);
    await old.close();
    expect(await migrate()).toMatchObject({ code: 0 });
    const engine = await open(true);
    expect(await everyEntry(engine)).toEqual(before);
    await engine.change(job.id, { action: "cancel", audit: entry("5") }, at(2));
    await engine.audit.append("bakery", entry("another"));
    const targets = async (tenant: string) =>
      (await engine.audit.list({ tenant, limit: 2 })).items.map(({ target }) => target);
    expect(await targets("acme")).toEqual(["5", "3"]);
    expect(await targets("bakery")).toEqual(["another", "a key"]);
    expect(await engine.audit.prune(at(2), 9)).toBe(7);
  });

  test("[P8] API keys keep their hash, their state and their order", async () => {
    const old = await open(false);
    for (const [index, tenant] of ["acme", "bakery", "acme"].entries()) {
      const key = { id: newId(), tenant, user: "reports", scopes: ["jobs:read"], label: "" };
      const expiresAt = index === 0 ? null : at(50);
      await old.apiKeys.create({ ...key, createdAt: at(index), expiresAt }, hashOf(index));
    }
    const { items } = await old.apiKeys.list({ limit: 9 });
    await old.apiKeys.revoke(items[0]?.id ?? "", at(4));
    await old.apiKeys.noteUse(items[1]?.id ?? "", at(5));
    const everyKey = async (engine: Engine) => ({
      all: await engine.apiKeys.list({ limit: 2 }),
      ofAcme: await engine.apiKeys.list({ tenant: "acme", limit: 9 }),
      found: await Promise.all([0, 1, 2, 3].map((n) => engine.apiKeys.find(hashOf(n)))),
    });
    const before = await everyKey(old);
    await old.close();
    expect(await migrate()).toMatchObject({ code: 0 });
    const engine = await open(true);
    expect(await everyKey(engine)).toEqual(before);

    // New keys come first.
    const key = { id: newId(), tenant: "acme", user: "reports", scopes: ["jobs:read"], label: "" };
    await engine.apiKeys.create({ ...key, createdAt: at(9), expiresAt: null }, hashOf(9));
    expect((await engine.apiKeys.list({ limit: 1 })).items[0]?.id).toBe(key.id);
    await engine.close();
    expect(await migrate()).toMatchObject({
      code: 1,
      message: expect.stringContaining(
        "already has jobs, API keys, revocations, share links or schedules",
      ) as string,
    });
  });

  test("[O5] what is paused stays paused, and the list of the instance goes on", async () => {
    const old = await open(false);
    const by = { user: "olga", via: "key" } as const;
    const all = { at: at(0), note: "Why", by };
    const acme = { ...all, tenant: "acme" };
    await old.createJob(newJob(), at(0));
    const kinds = [
      { ...all, kind: "article" },
      { ...acme, kind: "article" },
    ];
    for (const pause of [acme, all, ...kinds]) await old.pauses.set(pause);
    const actor = { ...by, credential: "k" };
    const entry = { at: at(0), action: "pause.set", target: "everything", actor } as const;
    await old.audit.append(INSTANCE_LIST, entry);
    await old.close();
    expect(await migrate()).toMatchObject({ code: 0 });
    const engine = await open(true);
    expect(await engine.pauses.list()).toEqual([all, kinds[0], acme, kinds[1]]);
    const request = { worker: "w", max: 9, leaseMs: 10_000, now: new Date() };
    expect(await engine.claim(request)).toEqual([]);
    await engine.pauses.remove({});
    expect(await engine.claim(request)).toEqual([]);
    await engine.pauses.remove({ tenant: "acme" });
    expect(await engine.claim(request)).toEqual([]);
    await engine.pauses.remove({ kind: "article" });
    expect(await engine.claim(request)).toEqual([]);
    await engine.pauses.remove({ tenant: "acme", kind: "article" });
    expect(await engine.claim(request)).toHaveLength(1);
    const { items } = await engine.audit.list({ tenant: INSTANCE_LIST, limit: 9 });
    expect(items).toMatchObject([{ ...entry }]);
    await engine.audit.append(INSTANCE_LIST, entry);
    expect(await engine.audit.prune(at(1), 9)).toBe(2);
  });

  test("[K3] schedules keep their record, their order and what had begun, and no second copy replaces them", async () => {
    const old = await open(false);
    const due = new Date(Date.now() - 1000);
    const all = [
      newSchedule({ tenant: "acme ü", key: "due", nextAt: due }),
      newSchedule({ pausedAt: at(1), nextAt: due }),
      newSchedule({ nextAt: null, kind: "other" }),
    ];
    for (const schedule of all) await old.schedules.create(schedule);
    const request = { kinds: ["report"], max: 9, holdMs: 0, graceMs: 3_600_000, leftMs: 0 };
    await old.schedules.take({ ...request, now: new Date() });
    const before = await old.schedules.list({ limit: 9 });
    await old.close();
    expect(await migrate()).toMatchObject({ code: 0 });
    const engine = await open(true);
    expect(await engine.schedules.list({ limit: 9 })).toEqual(before);
    for (const schedule of all) {
      expect(await engine.schedules.get(schedule.id)).toEqual(schedule);
      expect(await engine.schedules.find(schedule, schedule.key)).toBe(schedule.id);
    }
    const { taken } = await engine.schedules.take({ ...request, now: new Date() });
    expect(taken.map(({ schedule, begun }) => [schedule.key, begun])).toEqual([["due", true]]);
    const newest = newSchedule();
    await engine.schedules.create(newest);
    expect((await engine.schedules.list({ limit: 1 })).items[0]?.id).toBe(newest.id);
    expect((await engine.schedules.list({ tenant: "acme", limit: 9 })).items).toHaveLength(3);
    await engine.close();
    expect(await migrate()).toMatchObject({ code: 1 });
  });

  test("[P14] revocations are copied, and are data that no second copy replaces", async () => {
    const old = await open(false);
    const token = { tenant: "acme ü", hash: hashOf(1), until: at(99) };
    await old.revocations.revokeToken(token, at(0));
    await old.revocations.revokeUser({ tenant: "acme ü", user: "a:b", before: at(7) }, at(0));
    const questions = [
      { tenant: "acme ü", user: "a:b", tokenHash: hashOf(1) },
      { tenant: "acme", user: "a:b", tokenHash: hashOf(1) },
    ];
    const before = await old.revocations.find(questions);
    expect(before[0]).toEqual({ isTokenRevoked: true, before: at(7).getTime() });
    await old.close();
    expect(await migrate()).toMatchObject({ code: 0 });
    const engine = await open(true);
    expect(await engine.revocations.find(questions)).toEqual(before);
    await engine.close();
    expect(await migrate()).toMatchObject({ code: 1 });
  });

  test("[P22] share links are copied with the keys that signed them, and are data that no second copy replaces", async () => {
    const old = await open(false);
    const until = new Date(Date.now() + 60_000);
    const secret = await old.signingKeys.agree({ id: "1", secret: "s", until }, at(0));
    const link = {
      id: randomUUID(),
      tenant: "acme ü",
      stream: `job:${randomUUID()}`,
      maker: { user: "a:b", credential: { kind: "token" as const, id: "t", issuedAt: 1 } },
      createdAt: at(0),
      expiresAt: until,
    };
    await old.shareLinks.add({ link, tokenHash: hashOf(1) }, at(0));
    await old.close();
    expect(await migrate()).toMatchObject({ code: 0 });
    const engine = await open(true);
    expect(await engine.signingKeys.find("1")).toBe(secret);
    expect(await engine.shareLinks.find([link], at(1))).toEqual([link]);
    expect(await engine.shareLinks.list(link, at(1))).toEqual([link]);
    await engine.revocations.revokeToken({ tenant: "acme ü", hash: hashOf(1), until }, at(1));
    expect(await engine.shareLinks.list(link, at(1))).toEqual([]);
    await engine.close();
    expect(await migrate()).toMatchObject({ code: 1 });
  });

  test("[S2] of an owner whose jobs were all deleted, only the feed cursor is copied", async () => {
    const old = await open(false);
    const cursors = new Map<string, number>();
    for (const [owner, retries] of [
      ["cleo", 5],
      ["dora", 1],
    ] as const) {
      const { id } = await old.createJob(newJob({ owner }), at(0));
      for (let n = 0; n < retries; n++) {
        await old.change(id, { action: "cancel" }, at(1));
        await old.change(id, { action: "retry" }, at(1));
      }
      await old.change(id, { action: "cancel" }, at(1));
      cursors.set(owner, (await old.readFeed({ ...ANN, owner }, 0, 1)).head);
    }
    expect(await old.prune(at(2), 9)).toBe(2);
    await old.createJob(newJob(), at(3));
    await old.close();
    expect(await migrate()).toMatchObject({ code: 0 });

    const nodes = where === single ? [single] : cluster.nodes;
    const names = await Promise.all(nodes.map(({ client }) => client.keys("*:owner:*")));
    expect(names.flat().filter((name) => !name.includes(":owner:ann:"))).toEqual([]);
    const engine = await open(true);
    for (const [owner, cursor] of cursors) {
      const { id } = await engine.createJob(newJob({ owner }), at(4));
      const { changes } = await engine.readFeed({ ...ANN, owner }, cursor, 9);
      expect(changes.map(({ job }) => job.id)).toEqual([id]);
    }
  });

  test("an interrupted migration keeps servers from starting, and starts over", async () => {
    const old = await open(false);
    await old.createJob(newJob(), at(0));
    const claim = await claimOne(old, at(1));
    await old.change(claim.jobId, START, at(1), claim);
    await old.close();
    await migrate();
    // The state after an interrupted migration.
    await redis.client.set("jobwire:importing", "1");
    await redis.client.rpush(`jobwire:{acme}:log:${claim.jobId}`, "[]");
    await expect(open(true)).rejects.toMatchObject({
      code: "DATA_UNUSABLE",
      message: expect.stringContaining("run it again") as string,
    });
    expect(await migrate()).toMatchObject({ code: 0 });
    const engine = await open(true);
    expect((await engine.readEvents(claim.jobId, 0, 10))?.events).toHaveLength(2);
  });
});

test.each([
  ["input or output", "UPDATE payloads SET input = '{oops' WHERE job_n = 2", "JSON"],
  ["input or output", "UPDATE payloads SET output = '' WHERE job_n = 2", "JSON"],
  ["input or output", "DELETE FROM payloads WHERE job_n = 2", "undefined"],
  ["draft", "UPDATE drafts SET text = '\"half' WHERE job_n = 2", "JSON"],
])(
  "[J12] the message names the job whose %s is damaged, and the remedy: %s",
  async (part, damage, why) => {
    const old = await open(false);
    await startedJob(old, at(0));
    const claim = await startedJob(old, at(1));
    await old.appendDraft(claim, "A draft");
    await old.close();
    change(damage);

    const { code, message } = await migrate();
    expect(code).toBe(1);
    expect(message).toContain(`the ${part} of job ${claim.jobId} cannot be read (`);
    expect(message).toContain(why);

    change(/give up its .* with `(.*)`/.exec(message)?.[1] ?? "");
    expect(await migrate()).toMatchObject({ code: 0 });
    const engine = await open(true);
    expect((await engine.readEvents(claim.jobId, 0, 10))?.events).toHaveLength(2);
  },
);

test("an error of Redis during the import gives a message without a stack", async () => {
  const old = await open(false);
  await old.createJob(newJob(), at(0));
  await old.close();
  await single.client.config("SET", "maxmemory", "1");
  onTestFinished(async () => void (await single.client.config("SET", "maxmemory", "0")));
  const { code, message } = await migrate();
  expect(code).toBe(1);
  expect(message).toContain("is out of memory, so nothing was stored.");
});

test("a wrong call gives a usage message, and changes nothing", async () => {
  expect(await runMigration([], env)).toMatchObject({ code: 64 });
  expect(await runMigration(["--form", "sqlite"], env)).toMatchObject({
    code: 64,
    message: expect.stringContaining("--form") as string,
  });
  expect(await runMigration(["--from", "redis", "--to", "sqlite"], env)).toMatchObject({
    code: 64,
    message: expect.stringContaining("only from sqlite to redis") as string,
  });
  expect(await migrate()).toMatchObject({
    code: 1,
    message: expect.stringContaining("does not exist") as string,
  });
  expect(
    await runMigration(["--from", "sqlite", "--to", "redis"], { DATA_DIR: dataDir }),
  ).toMatchObject({ code: 64, message: expect.stringContaining("Set REDIS_URL") as string });
  const old = await open(false);
  await old.createJob(newJob(), at(0));
  expect((await migrate()).message).toContain("is in use by another process");
  await old.close();
  const engine = await open(true);
  await engine.createJob(newJob(), at(0));
  await engine.close();
  expect(await migrate()).toMatchObject({
    code: 1,
    message: expect.stringContaining("Set REDIS_PREFIX") as string,
  });
});
