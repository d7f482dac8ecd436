/** Builders of jobs, batches and changes for the engine suite. They need no test runner, so child processes use them too. */
import { v7 as newId } from "uuid";
import type { Claim, ClaimRef, Engine, NewBatch, StreamRef } from "#server/engine/contract.ts";
import { ErrorCodeSchema } from "#shared/errors.schema.ts";
import type { AppError, ErrorCode } from "#shared/errors.ts";
import type { JobEvent } from "#shared/events.ts";
import type { JobChange, NewJob } from "#shared/lifecycle.ts";
import type { Owner } from "#shared/principal.ts";
import type { Schedule } from "#shared/schedule.ts";
import type { Worker } from "#shared/worker.ts";

export { newId };

export const ANN: Owner = { tenant: "acme", owner: "ann" };
export const BOB: Owner = { tenant: "acme", owner: "bob" };

/** The time of a suite, in seconds after a fixed moment in the past. */
export function at(seconds: number): Date {
  return new Date(Date.UTC(2026, 0, 1) + Math.round(seconds * 1000));
}

export function newJob(given: Partial<NewJob> = {}): NewJob {
  return {
    id: newId(),
    kind: "article",
    title: "An article",
    ...ANN,
    input: { words: 900 },
    batchId: null,
    ...given,
  };
}

export function newBatch(
  jobs: number,
  given: Partial<NewBatch> = {},
): { batch: NewBatch; jobs: NewJob[] } {
  const batch: NewBatch = { id: newId(), name: "January", ...ANN, ...given };
  const { tenant, owner } = batch;
  return {
    batch,
    jobs: Array.from({ length: jobs }, (_, index) =>
      newJob({ batchId: batch.id, title: `Article ${index}`, tenant, owner }),
    ),
  };
}

/** Of a report that comes in an hour. */
export function newSchedule(given: Partial<Schedule> = {}): Schedule {
  const id = newId();
  return {
    id,
    key: id,
    ...ANN,
    kind: "report",
    title: null,
    cron: "0 3 * * *",
    timeZone: "Europe/Stockholm",
    everyMs: null,
    at: null,
    missed: "once",
    priority: null,
    expiresInMs: null,
    maxAttempts: null,
    declared: false,
    nextAt: new Date(Date.now() + 3_600_000),
    pausedAt: null,
    requestedAt: null,
    lastAt: null,
    lastJobId: null,
    lastError: null,
    lastMissed: null,
    plannedAt: at(0),
    createdAt: at(0),
    updatedAt: at(0),
    version: 1,
    input: { to: "ann" },
    ...given,
  };
}

export function newWorker(given: Partial<Worker> = {}): Worker {
  return {
    id: newId(),
    name: "here",
    host: "machine",
    pid: 1,
    version: "1.2.3",
    kinds: ["mail"],
    kindCount: 1,
    slots: 5,
    startedAt: at(0),
    state: "running",
    running: 0,
    jobs: [],
    ...given,
  };
}

export const START: JobChange = { action: "start", progress: 10, message: "Started" };
export const STEP: JobChange = { action: "progress", progress: 50, message: "Half way" };
export const DELIVER: JobChange = { action: "deliver", message: "Delivered", output: { ok: true } };
export const BLOCK: JobChange = { action: "block", message: "Too short", output: { words: 3 } };
export const FAIL: JobChange = { action: "fail", error: { code: "BROKEN", message: "It broke" } };
export function release(delayMs = 0, counts = true): JobChange {
  return { action: "release", message: "Given back", delayMs, counts };
}

export const LEASE_MS = 10_000;

export async function claimOne(engine: Engine, now: Date): Promise<Claim> {
  const [claim] = await engine.claim({ worker: "w1", max: 1, leaseMs: LEASE_MS, now });
  if (!claim) throw new Error("There was nothing to claim.");
  return claim;
}

/** A job that a worker holds. */
export async function startedJob(
  engine: Engine,
  now: Date,
  given: Partial<NewJob> = {},
): Promise<ClaimRef> {
  const job = newJob(given);
  await engine.createJob(job, now);
  const claim = await claimOne(engine, now);
  await engine.change(claim.jobId, START, now, claim);
  return { jobId: claim.jobId, token: claim.token };
}

/** The error code with which a promise rejects; `undefined` if it resolves. */
export async function codeOf(promise: Promise<unknown>): Promise<ErrorCode | undefined> {
  try {
    await promise;
    return undefined;
  } catch (thrown) {
    return ErrorCodeSchema.parse((thrown as AppError).code);
  }
}

export async function logOf(engine: Engine, jobId: string): Promise<JobEvent[]> {
  const slice = await engine.readEvents(jobId, 0, 100_000);
  return slice?.events ?? [];
}

export async function draftOf(engine: Engine, jobId: string): Promise<string> {
  const slice = await engine.readDraft(jobId, 0);
  return (slice?.pieces ?? []).map((piece) => piece.text).join("");
}

/** Counts hints, and keeps the events that came with them. */
export async function listen(
  engine: Engine,
  stream: StreamRef,
): Promise<{ count: number; events: JobEvent[]; end: () => void }> {
  const heard = { count: 0, events: [] as JobEvent[], end: () => undefined as void };
  heard.end = await engine.onAppend(stream, (hint) => {
    heard.count += 1;
    if (hint.event) heard.events.push(hint.event);
  });
  return heard;
}
