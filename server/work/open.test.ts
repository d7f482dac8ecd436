/** Work for workers of other programs without a transport: clients that leave, floods, and what calls cost. */
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import type { Engine } from "#server/engine/contract.ts";
import { openEngine } from "#server/engine/index.ts";
import { createJobs, type Jobs } from "#server/jobs/jobs.ts";
import { defineKind } from "#server/kinds/define.ts";
import { createKindRegistry } from "#server/kinds/registry.ts";
import { SYSTEM_CLOCK } from "#server/time/system-clock.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_ATTEMPT_DETAILS, MAX_DRAFT_BYTES } from "#shared/limits.ts";
import { MAX_DRAFT_PIECE_CHARS, MAX_WAITING_WORKERS } from "#shared/work.ts";
import { newTestData, type TestData } from "#test/engine/data.fixture.ts";
import { me } from "#test/jobs/acting.ts";
import { createAttempts } from "./attempts.ts";
import { openWork, type WorkAsked, type WorkService } from "./open.ts";
import { createTallies } from "./tallies.ts";

const kinds = createKindRegistry([
  defineKind({ name: "draw", input: z.object({}), output: z.unknown() }),
  defineKind({ name: "brief", input: z.object({}), output: z.unknown(), timeLimitMs: 5000 }),
]);
const begin = () => ({ progress: 0, message: "Started" });
const STAYS = new AbortController().signal;

let data: TestData;
let engine: Engine;
let jobs: Jobs;
let work: WorkService;

beforeEach(async () => {
  data = await newTestData();
  engine = await openEngine(data.config);
  jobs = createJobs(engine, kinds);
  work = openWork({
    engine,
    kinds,
    clock: SYSTEM_CLOCK,
    now: SYSTEM_CLOCK.now,
    worker: "here",
    leaseMs: 30_000,
    maxLeaseMs: 60_000,
    maxAttempts: 3,
    random: () => 0,
    log: pino({ level: "silent" }),
  });
});
afterEach(async () => {
  await work.stop();
  await engine.close();
  await data.remove();
});

const create = async (kind = "draw") => (await jobs.create(me, { kind, input: {} })).id;
const claim = (asked: Partial<WorkAsked> = {}, left = STAYS) =>
  work.claim(me, { kinds: ["draw"], max: 1, waitMs: 0, ...asked }, left);

test("[G9] jobs that were given to a client that leaves before it has its answer go back, and use up no attempt", async () => {
  const ids = [await create(), await create()];
  const leaving = new AbortController();
  const { jobs: given } = await claim({ max: 2 }, leaving.signal);
  expect(given.map(({ jobId }) => jobId)).toEqual(ids);
  leaving.abort();
  await vi.waitFor(async () => {
    for (const id of ids) {
      expect(await jobs.get(me, id)).toMatchObject({ status: "PENDING", attempt: 1, retries: 0 });
    }
  });
  expect((await claim()).jobs).toMatchObject([{ jobId: ids[0], attempt: 2 }]);
});

test("[G9] a client that left while its jobs were claimed gets none, and neither does one after a stop", async () => {
  await create();
  const leaving = new AbortController();
  const asked = claim({ waitMs: 30_000 }, leaving.signal);
  leaving.abort();
  expect(await asked).toEqual({ jobs: [] });
  const [waiting, stopped] = [claim({ kinds: ["brief"], waitMs: 30_000 }), work.stop()];
  expect(await waiting).toEqual({ jobs: [] });
  await stopped;
  await expect(claim()).rejects.toMatchObject({ code: "UNAVAILABLE" });
  await vi.waitFor(async () => {
    const { items } = await engine.listJobs({ tenant: me.tenantId, limit: 9 });
    expect(items).toMatchObject([{ status: "PENDING", retries: 0 }]);
  });
});

test("[G3] calls that want the same share one claim, and too many are refused with the limit", async () => {
  const spy = vi.spyOn(engine, "claim");
  const asked = { kinds: ["draw"], waitMs: 30_000 };
  const waiting = Array.from({ length: MAX_WAITING_WORKERS }, () => claim(asked));
  expect(work.waiting()).toBe(MAX_WAITING_WORKERS);
  await expect(claim(asked)).rejects.toMatchObject({
    code: "RATE_LIMITED",
    message: expect.stringContaining("MAX_WAITING_WORKERS"),
    retryAfterMs: 5000,
  });
  await create();
  const [first] = waiting;
  expect((await first)?.jobs).toHaveLength(1);
  expect(spy.mock.calls.length).toBeLessThan(10);
  await work.stop();
  const others = await Promise.all(waiting);
  expect(others.flatMap(({ jobs: given }) => given)).toHaveLength(1);
  expect(work.waiting()).toBe(0);
});

test("[G8] a lease is as long as its kind allows, though the call asks for several kinds", async () => {
  await create("draw");
  await create("brief");
  const { jobs: given } = await claim({ kinds: ["draw", "brief"], max: 2, leaseMs: 60_000 });
  expect(given.map(({ kind, leaseEndsInMs }) => [kind, leaseEndsInMs])).toEqual([
    ["draw", 60_000],
    ["brief", 5000],
  ]);
  const [draw, brief] = given;
  const renewed = async (job: (typeof given)[0] | undefined) =>
    job && (await work.renew(me, job)).leaseEndsInMs;
  expect(await renewed(draw)).toBe(60_000);
  expect(await renewed(brief)).toBeLessThanOrEqual(5000);
});

test("[G8] a process that runs no jobs finds those whose leases ended, with the next call for work", async () => {
  const [crashed, slow] = [await create("draw"), await create("brief")];
  const { jobs: given } = await claim({ kinds: ["draw", "brief"], max: 2, leaseMs: 20 });
  expect(given).toHaveLength(2);
  const again = await claim({ kinds: ["draw"], waitMs: 30_000 });
  expect(again.jobs).toMatchObject([{ jobId: crashed, attempt: 2 }]);
  expect(await jobs.get(me, slow)).toMatchObject({ status: "PENDING", attempt: 1, retries: 1 });
});

test("[G8] a job that cannot run is ended, and one that cannot be given back waits for the end of its lease", async () => {
  const warn = vi.fn<(fields: unknown, text: string) => void>();
  const log = Object.assign(pino({ level: "silent" }), { warn });
  const { now } = SYSTEM_CLOCK;
  const attempts = createAttempts({ engine, kinds, now, maxAttempts: 3, random: () => 0, log });
  const take = async () => {
    await create();
    const [taken] = await engine.claim({
      worker: "w",
      max: 1,
      leaseMs: 9000,
      now: now(),
      start: begin,
    });
    if (taken === undefined) throw new Error("There was no job.");
    return taken;
  };
  const damaged = await take();
  const fault = { code: "DAMAGED", message: "Its input cannot be read" };
  await attempts.putBack({ ...damaged, fault });
  expect(await jobs.get(me, damaged.jobId)).toMatchObject({ status: "ABORTED", error: fault });
  const other = await take();
  await attempts.putBack({ ...other, token: other.token + 1 });
  expect(warn).toHaveBeenCalledOnce();
  expect(await jobs.get(me, other.jobId)).toMatchObject({ status: "PROCESSING" });
});

test("a call for work that finds the data away is refused, and the next one is served", async () => {
  const away = new AppError("UNAVAILABLE", "The disk is full.");
  vi.spyOn(engine, "claim").mockRejectedValueOnce(away);
  const waiting = [claim({ waitMs: 30_000 }), claim({ waitMs: 30_000 })];
  for (const each of waiting) await expect(each).rejects.toBe(away);
  const jobId = await create();
  expect((await claim()).jobs).toMatchObject([{ jobId }]);
});

test("[G5] details and drafts of an attempt are bounded, and another attempt counts anew", () => {
  const tallies = createTallies(2);
  const attempt = { jobId: "a", attempt: 1 };
  tallies.addDetails(attempt, MAX_ATTEMPT_DETAILS / 2);
  // Each event carries the newest details.
  tallies.addDetails(attempt, undefined);
  expect(() => tallies.addDetails(attempt, undefined)).toThrow("67,108,864 bytes of details");
  const piece = "x".repeat(MAX_DRAFT_PIECE_CHARS);
  for (let n = 0; n < MAX_DRAFT_BYTES / piece.length; n++) tallies.addDraft(attempt, piece);
  expect(() => tallies.addDraft(attempt, "x")).toThrow("the limit is 2,097,152 bytes");
  expect(() => tallies.addDraft({ ...attempt, attempt: 2 }, "x")).not.toThrow();
  // Of too many jobs, the one that stored nothing for the longest time is forgotten.
  for (const jobId of ["b", "c"]) tallies.addDraft({ jobId, attempt: 1 }, piece);
  expect(() => tallies.addDetails({ jobId: "a", attempt: 2 }, MAX_ATTEMPT_DETAILS)).not.toThrow();
});
