/** Writes what was seen of a queue's jobs to the Jobwire jobs that stand for them. */
import { createHash } from "node:crypto";
import { v7 as newId } from "uuid";
import type { MirrorRef } from "#server/engine/contract.ts";
import type { MirrorEngine } from "#server/sources/open.ts";
import { AppError } from "#shared/errors.ts";
import { type Job, type JobSummary, summaryOf } from "#shared/job.ts";
import type { JobChange } from "#shared/lifecycle.ts";
import { cutText } from "#shared/cut-text.ts";
import { MAX_TITLE_CHARS } from "#shared/limits.ts";
import { comparePositions, positionOf } from "#shared/outside.ts";
import type { Owner } from "#shared/principal.ts";
import { timeOf } from "./bounded-values.ts";
import type { BullmqDetails } from "./bullmq-details.ts";
import { detailsAfter, firstDetails } from "./job-details.ts";
import { START } from "./event-stream.ts";
import { planChanges, planRead, waitingText } from "./plan-changes.ts";
import type { Sighting } from "./sightings.ts";
import type { StoredJob } from "./stored-job.ts";

/** An observation of one job: of one event, or when its state was read. */
export interface Seen {
  sighting: Sighting;
  /** The id of the event. Where the state was read, that of the newest event then. */
  id: string;
  /** Where the state was read: beyond the steps of the event itself. */
  isRead?: boolean;
  at: Date;
  stored: StoredJob | undefined;
  /** Events before it were lost. */
  gap?: boolean;
}

/** The job that stands for one of the queue. Without `job` it was not created yet, or was deleted since. */
export interface Known {
  jobId: string | undefined;
  job: JobSummary | undefined;
}

export interface JobMirror {
  find(ids: readonly string[]): Promise<Known[]>;
  /**
   * Writes what was seen of one job of the queue, in this order, and creates the job that stands for it where there is none.
   * Changes that it has already are left out. `undefined`: nothing is known of it but its id, so there is nothing to show.
   */
  write(
    id: string,
    known: Known | undefined,
    seen: readonly Seen[],
  ): Promise<JobSummary | undefined>;
  /** Forgets which jobs stand for these. */
  forget(ids: readonly string[]): Promise<void>;
}

interface JobMirrorOptions {
  engine: MirrorEngine;
  mirror: MirrorRef;
  owner: Owner;
  queue: string;
  isControlled: boolean;
  /** Called before the job ends, since BullMQ may have deleted them afterwards. */
  copyLines(id: string, job: JobSummary): Promise<void>;
}

/** Beyond the steps of any event. */
const READ_STEP = 10;

export function createJobMirror({
  engine,
  mirror,
  owner,
  queue,
  isControlled,
  copyLines,
}: JobMirrorOptions): JobMirror {
  const { mirrors } = engine;

  async function opened(
    id: string,
    { jobId: bound, job }: Known,
    [first, second]: readonly Seen[],
  ): Promise<JobSummary | undefined> {
    if (first === undefined) return job;
    const isNew = first.sighting.is === "added";
    if (job !== undefined) {
      if (!isNew || !isLater(first, job)) return job;
      // Its id was used before, so that job is gone.
      await change(job, { ...first, sighting: { is: "removed" }, stored: undefined });
      await mirrors.unbind(mirror, [field(id)]);
    }
    if (first.stored === undefined && !isNew) return undefined;
    const wanted = job === undefined && bound !== undefined ? bound : newId();
    const jobId = await mirrors.bind(mirror, field(id), wanted);
    const created = await create(jobId, id, { first, second });
    if (created.id !== jobId) {
      // It had ended, and is seen again.
      await mirrors.unbind(mirror, [field(id)]);
      await mirrors.bind(mirror, field(id), created.id);
    }
    return summaryOf(created);
  }

  function create(
    jobId: string,
    id: string,
    { first, second }: { first: Seen; second: Seen | undefined },
  ): Promise<Job> {
    const { sighting, stored, at } = first;
    const name = stored?.name ?? (sighting.is === "added" ? sighting.name : "");
    const { waits, position } = beginningOf(first, second);
    const begun = firstDetails({ queue, id, name, isControlled });
    const isRead = sighting.is !== "added";
    const details = detailsAfter(begun, { sighting: waits, stored, isRead });
    const when = stored?.timestamp ?? `@${first.id}`;
    return engine.createJob(
      {
        id: jobId,
        kind: mirror.name,
        title: cutText(name || id, MAX_TITLE_CHARS),
        ...owner,
        input: stored?.data ?? null,
        batchId: null,
        idempotencyKey: keyOf(mirror.name, id, when),
        outside: { position, details: { ...details }, message: waitingText(waits, stored) },
      },
      timeOf(stored?.timestamp, at),
    );
  }

  /** Changes the job to what was seen, unless it has that already. Returns the job as it is then. */
  async function change(job: JobSummary, seen: Seen): Promise<JobSummary> {
    const { sighting, stored } = seen;
    if (!isLater(seen, job)) return job;
    let known = job;
    let gap = seen.gap === true;
    const plan =
      seen.isRead === true
        ? planRead(job, sighting, stored, gap)
        : planChanges(job, sighting, stored);
    for (const { step, change: planned } of plan) {
      const position = nextPosition(seen, step, known);
      const details = detailsAfter(known.details as BullmqDetails, {
        sighting: seenBy(planned.action, sighting),
        stored,
        isRead: seen.isRead === true,
      });
      if (seen.isRead !== true && usesAttempt(planned, sighting)) details.attemptsMade += 1;
      const outside = { position, details: { ...details }, ...(gap && { gap: true as const }) };
      try {
        const changed = await engine.change(
          job.id,
          { ...planned, outside },
          timeOfChange(planned, seen),
        );
        known = changed.job;
        gap = false;
      } catch (error) {
        if (!(error instanceof AppError) || !PASSED_OVER.has(error.code)) throw error;
        const newest = await engine.getSummary(job.id);
        if (newest === undefined) return known;
        // Another process writes it too.
        if (newest.version !== known.version) return change(newest, seen);
        // Its log is full: other changes may still pass.
      }
    }
    return known;
  }

  return {
    async find(ids) {
      const bound = await mirrors.find(mirror, ids.map(field));
      return Promise.all(
        bound.map(async (jobId) => {
          const job = jobId === undefined ? undefined : await engine.getSummary(jobId);
          return { jobId, job };
        }),
      );
    },
    async write(id, { jobId, job: known } = UNKNOWN, seen) {
      let job = known;
      for (const each of generationsOf(seen)) {
        job = await opened(id, { jobId: job?.id ?? jobId, job }, each);
        for (const one of each) {
          if (job === undefined) break;
          if (ENDS.has(one.sighting.is)) await copyLines(id, job);
          job = await change(job, one);
        }
      }
      return job;
    },
    forget: (ids) => mirrors.unbind(mirror, ids.map(field)),
  };
}

const UNKNOWN: Known = { jobId: undefined, job: undefined };
const ENDS: ReadonlySet<string> = new Set(["completed", "failed"]);

/** The observations of each job, where the id was used again meanwhile. BullMQ stores only the newest of them. */
function generationsOf(seen: readonly Seen[]): Seen[][] {
  const generations: Seen[][] = [[]];
  for (const each of seen) {
    if (each.sighting.is === "added" && generations.at(-1)?.length !== 0) generations.push([]);
    generations.at(-1)?.push(each);
  }
  const newest = generations.pop() ?? [];
  const older = generations.map((all) => all.map((each) => ({ ...each, stored: undefined })));
  return [...older, newest];
}

/** How a job that is created waits first. BullMQ's "added" comes with the event that says it. */
function beginningOf(
  { sighting, id, isRead, stored, at }: Seen,
  second: Seen | undefined,
): { waits: Waits; position: string } {
  if (sighting.is === "added") {
    if (second?.sighting.is === "waits") {
      return { waits: second.sighting, position: positionAt(second.id, 3) };
    }
    const { delay = 0, timestamp = at.getTime(), attemptsMade = 0 } = stored ?? {};
    const isDelayed = delay > 0 && attemptsMade === 0;
    const waits: Waits = isDelayed
      ? { is: "waits", state: "delayed", until: timestamp + delay, stalled: false }
      : WAITING;
    return { waits, position: positionAt(id, 3) };
  }
  if (isRead !== true) return { waits: WAITING, position: START };
  return {
    waits: sighting.is === "waits" ? sighting : WAITING,
    position: positionAt(id, READ_STEP),
  };
}

type Waits = Extract<Sighting, { is: "waits" }>;
const WAITING: Waits = { is: "waits", state: "waiting", stalled: false };

/** BullMQ stores when an attempt began, for the newest one. */
function timeOfChange({ action }: JobChange, { at, stored, isRead }: Seen): Date {
  return action === "start" && isRead === true ? timeOf(stored?.processedOn, at) : at;
}

const PASSED_OVER: ReadonlySet<string> = new Set(["ILLEGAL_TRANSITION", "NOT_FOUND"]);

/** A change that only leads to what was seen has the state in between. */
function seenBy(action: string, sighting: Sighting): Sighting {
  const isBetween =
    (action === "start" && sighting.is !== "active") ||
    ((action === "requeue" || action === "release") &&
      sighting.is !== "waits" &&
      sighting.is !== "reported");
  if (!isBetween) return sighting;
  return action === "start" ? { is: "active" } : WAITING;
}

/** As BullMQ counts: a stalled attempt may be made again. */
function usesAttempt(change: JobChange, sighting: Sighting): boolean {
  if (change.action === "deliver" || change.action === "fail") return true;
  const isStalled = sighting.is === "waits" && sighting.stalled;
  return change.action === "release" && change.counts && !isStalled;
}

function positionOrStart({ details }: Pick<JobSummary, "details">): string {
  return positionOf(details) ?? START;
}

function positionAt(id: string, step: number): string {
  return `${id}.${step}`;
}

/** Where the stream was deleted its newest id says nothing, and the state that was read holds. */
function isLater(seen: Seen, job: JobSummary): boolean {
  const known = positionOrStart(job);
  if (seen.isRead !== true) return comparePositions(positionAt(seen.id, 3), known) > 0;
  return seen.id === START || comparePositions(seen.id, known.split(".")[0] ?? known) >= 0;
}

function nextPosition(seen: Seen, step: number, job: JobSummary): string {
  if (seen.isRead !== true) return positionAt(seen.id, step);
  const read = positionAt(seen.id, READ_STEP + step);
  const known = positionOrStart(job);
  if (comparePositions(read, known) > 0) return read;
  const [event = START, before = "0"] = known.split(".");
  return positionAt(event, Number(before) + 1);
}

const MAX_FIELD_CHARS = 200;

/** The id as the engine stores it: BullMQ's may be of any length. */
function field(id: string): string {
  return id.length <= MAX_FIELD_CHARS ? `=${id}` : digest(id);
}

/** Ids of BullMQ are used again, but not at the same moment. */
function keyOf(mirror: string, id: string, when: number | string): string {
  return `bullmq:${digest(`${mirror}\n${id}\n${when}`)}`;
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
