import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { v7 as newId } from "uuid";
import { z } from "zod";
import type { Claim } from "#server/engine/contract.ts";
import { defineKind } from "#server/kinds/define.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { AppError } from "#shared/errors.ts";
import type { JobStatus } from "#shared/job.ts";
import { LIFECYCLE } from "#shared/lifecycle.ts";
import type { ActingPrincipal } from "#shared/actor.ts";
import { me } from "#test/jobs/acting.ts";
import { openStreams } from "#server/streams/open.ts";
import { createJobs, type Decision } from "./jobs.ts";
import {
  DONE,
  eventually,
  openJobsFixture,
  type JobsFixture,
  untilAborted,
} from "#test/jobs/jobs.fixture.ts";

const sameTenant: ActingPrincipal = { ...me, userId: "another user" };
const otherTenant: ActingPrincipal = { ...me, tenantId: "another" };
const DECISIONS: Decision[] = ["cancel", "retry", "approve", "reject", "regenerate"];
const STATUSES = Object.keys(LIFECYCLE) as JobStatus[];

let fixture: JobsFixture;

beforeEach(async () => {
  fixture = await openJobsFixture();
});
afterEach(() => fixture.close());

async function claim(jobId: string): Promise<Claim> {
  const claims = await fixture.engine.claim({
    worker: "w",
    max: 100,
    leaseMs: 60_000,
    now: fixture.now(),
  });
  const mine = claims.find((each) => each.jobId === jobId);
  if (mine === undefined) throw new Error("It could not be claimed.");
  return mine;
}

/** A job in any status, along the legal ways. */
async function jobIn(status: JobStatus): Promise<string> {
  const jobId = await fixture.create();
  if (status === "PENDING") return jobId;
  const held = await claim(jobId);
  const { engine } = fixture;
  const change = (what: Parameters<typeof engine.change>[1]) =>
    engine.change(jobId, what, fixture.now(), held);
  await change({ action: "start", progress: 10, message: "Begun" });
  if (status === "DELIVERED") await change({ action: "deliver", message: "Done", output: 1 });
  if (status === "BLOCKED") await change({ action: "block", message: "Look", output: 1 });
  if (status === "ABORTED") await change({ action: "fail", error: { code: "X", message: "x" } });
  return jobId;
}

describe("decisions", () => {
  const ways = STATUSES.flatMap((from) =>
    DECISIONS.map((decision) => ({ decision, from, to: LIFECYCLE[from][decision] })),
  );

  test.each(ways.filter(({ to }) => to !== null))(
    "[J1] $decision makes a job that is $from $to",
    async ({ decision, from, to }) => {
      const jobId = await jobIn(from);
      const job = await fixture.jobs.decide(me, jobId, decision, "because");
      const message = expect.stringContaining("because") as string;
      expect(job).toMatchObject({ id: jobId, status: to, message });
    },
  );

  test.each(ways.filter(({ to }) => to === null))(
    "[J1] $decision of a job that is $from is refused, and both states are named",
    async ({ decision, from }) => {
      const jobId = await jobIn(from);
      const text = new RegExp(`is ${from} and cannot become [A-Z]+: "${decision}" needs [A-Z]+`);
      const refusal = {
        code: "ILLEGAL_TRANSITION",
        message: expect.stringMatching(text) as string,
      };
      await expect(fixture.jobs.decide(me, jobId, decision)).rejects.toMatchObject(refusal);
      expect((await fixture.job(jobId)).status).toBe(from);
    },
  );

  test("[J1] of two people who decide at the same moment, one is refused", async () => {
    const jobId = await jobIn("BLOCKED");
    const answers = await Promise.allSettled([
      fixture.jobs.decide(me, jobId, "approve"),
      fixture.jobs.decide(me, jobId, "reject"),
    ]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual(["fulfilled", "rejected"]);
    expect(
      (await fixture.log(jobId)).filter(({ type }) => ["approved", "rejected"].includes(type)),
    ).toHaveLength(1);
  });
});

describe("[J9] jobs and batches of another owner", () => {
  test("is not found, whatever is asked of it, and stays as it is", async () => {
    const jobId = await jobIn("BLOCKED");
    const batch = await fixture.jobs.createBatch(me, { jobs: [{ kind: "work", input: {} }] });
    for (const stranger of [sameTenant, otherTenant]) {
      for (const ask of [
        () => fixture.jobs.get(stranger, jobId),
        () => fixture.jobs.events(stranger, { jobId, after: 0, limit: 10 }),
        ...DECISIONS.map((decision) => () => fixture.jobs.decide(stranger, jobId, decision)),
        () => fixture.jobs.getBatch(stranger, batch.id),
        () => fixture.jobs.cancelBatch(stranger, batch.id),
      ]) {
        await expect(ask()).rejects.toMatchObject({ code: "NOT_FOUND" });
      }
      expect((await fixture.jobs.list(stranger, { limit: 10 })).items).toEqual([]);
      expect((await fixture.jobs.list(stranger, { limit: 10, batchId: batch.id })).items).toEqual(
        [],
      );
      expect((await fixture.jobs.listBatches(stranger, { limit: 10 })).items).toEqual([]);
    }
    expect((await fixture.job(jobId)).status).toBe("BLOCKED");
    expect(await fixture.jobs.getBatch(me, batch.id)).toMatchObject({ aborted: 0 });
  });

  test("get the same answer as missing ones", async () => {
    const theirs = await fixture.create();
    const never = newId();
    const said = async (jobId: string) =>
      fixture.jobs
        .get(otherTenant, jobId)
        .catch((error: Error) => error.message.replace(jobId, "ID"));
    expect(await said(theirs)).toBe(await said(never));
  });

  test("may use the same idempotency key", async () => {
    const request = { kind: "work", input: {}, idempotencyKey: "k" };
    const mine = await fixture.jobs.create(me, request);
    const theirs = await fixture.jobs.create(otherTenant, request);
    expect(theirs.id).not.toBe(mine.id);
    expect(theirs.tenant).toBe("another");
  });
});

describe("creating", () => {
  test("[J4] with the same key gives the first job, also at the same moment", async () => {
    const ask = (name: string) =>
      fixture.jobs.create(me, { kind: "work", input: { name }, idempotencyKey: "key" });
    const jobs = await Promise.all([ask("first"), ask("second"), ask("third")]);
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(1);
    expect(jobs[2]?.input).toEqual({ name: "first" });
    expect((await fixture.jobs.list(me, { limit: 10 })).items).toHaveLength(1);
  });

  test("[J4] a batch with the same key gives the first batch", async () => {
    const ask = (count: number) =>
      fixture.jobs.createBatch(me, {
        jobs: Array.from({ length: count }, () => ({ kind: "work", input: {} })),
        idempotencyKey: "key",
      });
    const [first, second] = [await ask(2), await ask(3)];
    expect(second).toEqual(first);
    expect((await fixture.jobs.list(me, { limit: 10 })).items).toHaveLength(2);
  });

  test("[B1] a batch with one bad row stores nothing", async () => {
    const jobs = [
      { kind: "work", input: {} },
      { kind: "work", input: { name: 5 } },
    ];
    await expect(fixture.jobs.createBatch(me, { jobs })).rejects.toMatchObject({
      code: "BAD_REQUEST",
    });
    expect((await fixture.jobs.list(me, { limit: 10 })).items).toEqual([]);
    expect((await fixture.jobs.listBatches(me, { limit: 10 })).items).toEqual([]);
  });

  test("shows kinds with JSON Schemas of their inputs, details and outputs", () => {
    expect(fixture.jobs.kinds()).toEqual([
      {
        name: "work",
        description: "Does what a test says.",
        input: expect.objectContaining({
          type: "object",
          properties: { name: { type: "string", default: "it" } },
        }),
        details: expect.objectContaining({ $schema: expect.any(String) }),
        output: expect.objectContaining({ $schema: expect.any(String) }),
      },
    ]);
  });
});

test("[E13] jobs of a kind have its priority, however they are created", async () => {
  const urgent = defineKind({
    name: "urgent",
    priority: 9,
    input: z.null(),
    output: z.null(),
    run: async () => null,
  });
  const own = await openJobsFixture([urgent]);
  onTestFinished(() => own.close());
  const request = { kind: "urgent", input: null };
  await own.create();
  await own.jobs.create(me, request);
  await own.jobs.createBatch(me, { jobs: [request] });
  await own.jobs.createScheduled(me, { ...request, scheduleId: newId(), title: null });
  const claims = await own.engine.claim({ worker: "w", max: 9, leaseMs: 60_000, now: own.now() });
  expect(claims.map(({ job }) => job.kind)).toEqual(["urgent", "urgent", "urgent", "work"]);
});

describe("reading", () => {
  test("a job's log comes in pages, each event once", async () => {
    const jobId = await jobIn("BLOCKED");
    await fixture.jobs.decide(me, jobId, "regenerate");
    const seqs: number[] = [];
    let after = 0;
    for (;;) {
      const page = await fixture.jobs.events(me, { jobId, after, limit: 2 });
      expect(page.items.length).toBeLessThanOrEqual(2);
      seqs.push(...page.items.map(({ seq }) => seq));
      if (page.nextCursor === null) break;
      after = Number(page.nextCursor);
    }
    expect(seqs).toEqual([1, 2, 3, 4]);
    expect(await fixture.jobs.events(me, { jobId, after: 99, limit: 2 })).toEqual({
      items: [],
      nextCursor: null,
    });
  });

  test("lists are narrowed by status, kind and batch, newest first", async () => {
    const pending = await jobIn("PENDING");
    const delivered = await jobIn("DELIVERED");
    const batch = await fixture.jobs.createBatch(me, { jobs: [{ kind: "work", input: {} }] });
    const ids = async (query: object) =>
      (await fixture.jobs.list(me, { limit: 10, ...query })).items.map(({ id }) => id);
    const all = await ids({});
    expect(all.slice(1)).toEqual([delivered, pending]);
    expect(await ids({ status: "DELIVERED" })).toEqual([delivered]);
    expect(await ids({ batchId: batch.id })).toEqual(all.slice(0, 1));
    expect(await ids({ kind: "nope" })).toEqual([]);
  });
});

describe("cancelling a batch", () => {
  test("[J8] [B2] ends waiting and running jobs, and leaves settled ones", async () => {
    let delivered = 0;
    fixture.run = async ({ signal, input }) => {
      if (input.name !== "quick") return untilAborted(signal);
      delivered += 1;
      return DONE;
    };
    const names = ["quick", "slow", "slow", ...Array.from({ length: 1200 }, () => "waits")];
    const batch = await fixture.jobs.createBatch(me, {
      jobs: names.map((name) => ({ kind: "work", input: { name } })),
    });
    const runner = fixture.startRunner({ concurrency: 2 });
    await eventually(async () => {
      const { items } = await fixture.jobs.list(me, { limit: 10, status: "PROCESSING" });
      expect([delivered, items.length]).toEqual([1, 2]);
    });
    const after = await fixture.jobs.cancelBatch(me, batch.id, "no more");
    expect(after).toMatchObject({ total: 1203, delivered: 1, aborted: 1202, status: "completed" });
    await eventually(() => expect(runner.running()).toBe(0));
    expect(await fixture.jobs.cancelBatch(me, batch.id)).toEqual(after);
    const [job] = (await fixture.jobs.list(me, { limit: 1, status: "ABORTED" })).items;
    expect(job?.error).toEqual({ code: "CANCELLED", message: "Cancelled: no more" });
  });

  test("a job that settles in that very moment keeps its end", async () => {
    const { engine } = fixture;
    const batch = await fixture.jobs.createBatch(me, { jobs: [{ kind: "work", input: {} }] });
    const [job] = (await fixture.jobs.list(me, { limit: 1 })).items;
    const held = await claim(job?.id ?? "");
    await engine.change(
      held.jobId,
      { action: "start", progress: 0, message: "" },
      fixture.now(),
      held,
    );
    fixture.engine = {
      ...engine,
      change: async (jobId, change, ...rest) => {
        await engine.change(
          held.jobId,
          { action: "deliver", message: "Done", output: 1 },
          fixture.now(),
          held,
        );
        return engine.change(jobId, change, ...rest);
      },
    };
    expect(await fixture.jobs.cancelBatch(me, batch.id)).toMatchObject({
      delivered: 1,
      aborted: 0,
    });
  });
});

test("[R5] what is known to be beyond a limit is refused before its rows are validated, as others are not", async () => {
  const asked: [tenant: string, count: number][] = [];
  const jobs = createJobs(fixture.engine, createKindRegistry([]), fixture.now, {
    createJobs: async () => undefined,
    refusedJobs(tenant, count) {
      asked.push([tenant, count]);
      return tenant === me.tenantId ? new AppError("RATE_LIMITED", "Too many.") : undefined;
    },
    quota: { waitingJobs: 0, bytes: 0 },
    quotaError: () => new AppError("INTERNAL", "There is no quota."),
  });
  const request = { kind: "no such kind", input: {} };
  const codes = [];
  for (const caller of [me, otherTenant]) {
    for (const call of [
      () => jobs.create(caller, request),
      () => jobs.createBatch(caller, { jobs: [request, request] }),
    ]) {
      codes.push(
        await call().then(
          () => "ok",
          (error: AppError) => error.code,
        ),
      );
    }
  }
  expect(codes).toEqual(["RATE_LIMITED", "RATE_LIMITED", "NOT_FOUND", "BAD_REQUEST"]);
  expect(asked.map(([, count]) => count)).toEqual([1, 2, 1, 2]);
});

describe("one job that is at fault", () => {
  test("does not keep the others of its batch from being cancelled when it is deleted meanwhile", async () => {
    const { id } = await fixture.jobs.createBatch(me, {
      jobs: Array.from({ length: 3 }, () => ({ kind: "work", input: {} })),
    });
    const { engine } = fixture;
    let deleted: string | undefined;
    fixture.engine = {
      ...engine,
      async change(jobId, ...rest) {
        deleted ??= jobId;
        if (jobId === deleted) throw new AppError("NOT_FOUND", `There is no job ${jobId}.`);
        return engine.change(jobId, ...rest);
      },
    };
    expect(await fixture.jobs.cancelBatch(me, id)).toMatchObject({ aborted: 2 });
  });
});

test("[P4] the answer to a command has no input and no output for a principal that may not read the job", async () => {
  const jobId = await jobIn("BLOCKED");
  const reviewer: ActingPrincipal = { ...me, scopes: ["jobs:review"] };
  const answer = await fixture.jobs.decide(reviewer, jobId, "approve");
  expect(answer).toMatchObject({ id: jobId, status: "DELIVERED", input: null, output: null });
  expect(await fixture.jobs.get(me, jobId)).not.toMatchObject({ input: null });
  const writer: ActingPrincipal = { ...me, scopes: ["jobs:write"] };
  const request = { kind: "work", input: { name: "secret" }, idempotencyKey: "once" };
  const mine = await fixture.jobs.create(me, request);
  expect(mine.input).toEqual({ name: "secret" });
  expect(await fixture.jobs.create(writer, request)).toEqual({ ...mine, input: null });
});

test("[J20] a scope of the job alone lets a caller read the job, and not its log lines", async () => {
  const jobId = await jobIn("PROCESSING");
  const asked = { jobId, after: 0, limit: 9 };
  await expect(fixture.jobs.logs(me, asked)).resolves.toEqual({ items: [], nextCursor: null });
  const guest: ActingPrincipal = { ...sameTenant, scopes: ["jobs:read", `job:${jobId}:read`] };
  await expect(fixture.jobs.get(guest, jobId)).resolves.toMatchObject({ id: jobId });
  const streams = openStreams(fixture.engine);
  for (const who of [guest, otherTenant]) {
    const refused = { code: "NOT_FOUND", message: `Job ${jobId} does not exist.` };
    await expect(fixture.jobs.logs(who, asked)).rejects.toMatchObject(refused);
    await expect(streams.lines(who, jobId)).rejects.toMatchObject(refused);
  }
  const helper: ActingPrincipal = { ...sameTenant, scopes: ["jobs:read", "tenant"] };
  await expect(fixture.jobs.logs(helper, asked)).resolves.toMatchObject({ items: [] });
  await expect(streams.lines(helper, jobId)).resolves.toBeDefined();
  streams.close();
});
