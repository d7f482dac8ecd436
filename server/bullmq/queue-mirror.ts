/**
 * Mirrors one queue: in one process at a time, from the newest stored position on.
 *
 *   waits for the lease ──► reads all jobs, the first time and after lost events ──► follows the events ──► lease lost, or closed
 */
import type { Redis } from "ioredis";
import type { MirrorRef } from "#server/engine/contract.ts";
import type { SourceContext } from "#server/sources/open.ts";
import { isSettled, type JobSummary } from "#shared/job.ts";
import type { Owner } from "#shared/principal.ts";
import { answersOf } from "./answers.ts";
import { timeOf } from "./bounded-values.ts";
import { createEventStream, type QueueEvent } from "./event-stream.ts";
import { type ExistingJobs, existingJobs } from "./existing-jobs.ts";
import { createGoneJobs, idOf } from "./gone-jobs.ts";
import type { BullmqDetails } from "./bullmq-details.ts";
import { createJobMirror } from "./job-mirror.ts";
import { createLogCopy, type LinesOf } from "./log-copy.ts";
import type { QueueKeys } from "./queue-keys.ts";
import { type SeenAt, sightingsOf } from "./sightings.ts";
import { readStoredJobs } from "./stored-job.ts";

export interface QueueMirrorOptions extends SourceContext {
  /** For commands. */
  redis: Redis;
  keys: QueueKeys;
  mirror: MirrorRef;
  owner: Owner;
  /** Its name in BullMQ. */
  queue: string;
  /** Callers may cancel and retry its jobs. */
  isControlled: boolean;
  /** The most ended jobs of each kind that are read at the start. */
  history: number;
  /** True once it is to end. */
  isClosed(): boolean;
}

export interface QueueMirror {
  /**
   * Takes the lease, or prolongs it. False: another process has it. Rejects with the errors of the engine and of BullMQ's Redis;
   * the next call goes on from what is stored.
   */
  begin(): Promise<boolean>;
  /** Stores what is new, and returns where the events are read then. `undefined`: the lease is lost. */
  advance(): Promise<string | undefined>;
  /** Looks after what has no events: log lines, and jobs that are gone. To be called while there is nothing new. */
  tend(): Promise<void>;
  end(): Promise<void>;
}

const LEASE_MS = 15_000;
/** Jobs whose hashes are read at once: their data may be large. */
const SLICE = 50;
/** Jobs whose log lines are copied while they run. */
const MAX_ACTIVE = 500;
/** Pages of open jobs that are looked at before events are read again. */
const MAX_PAGES = 10;

export function createQueueMirror(options: QueueMirrorOptions): QueueMirror {
  const { redis, keys, engine, holder, mirror, queue, history, clock, log, isClosed } = options;
  const stream = createEventStream(redis, keys);
  const gone = createGoneJobs({ redis, keys, engine, mirror });
  const copyLines = createLogCopy({ redis, keys, engine, now: clock.now });
  const jobs = createJobMirror({
    ...options,
    copyLines: (id, job) => copyLines(linesOfAll([id], [job]), "all"),
  });
  /** `null`: all jobs are to be read. */
  let position: string | null = null;
  let heldAt = -Infinity;
  /** Events were lost, and not all open jobs were looked at since. */
  let isAfterGap = false;
  /** Jobs may have ended while nothing followed the events, also where no position says which ones were missed. */
  let mayHaveEnded = false;
  /** All open jobs are to be looked at. */
  let isLooking = true;
  /** They seemed to be gone. */
  let suspects: { job: JobSummary; gap: boolean }[] = [];

  /** False: another process has the mirror. */
  async function hold(reached?: string): Promise<boolean> {
    if (reached === undefined && clock.steady() < heldAt + LEASE_MS / 3) return true;
    const held = await engine.mirrors.hold({
      mirror,
      holder,
      leaseMs: LEASE_MS,
      position: reached,
    });
    heldAt = clock.steady();
    return held !== undefined;
  }

  /** Returns the position from which the events are to be read then. `undefined`: it was ended, or lost the lease. */
  async function readAll(): Promise<string | undefined> {
    const from = await stream.newest();
    for await (const page of existingJobs(redis, keys, history)) {
      await writePage(page);
      if (isClosed() || !(await hold())) return undefined;
    }
    isLooking = true;
    return from;
  }

  async function writePage({ position: id, ids: read, sightingOf }: ExistingJobs): Promise<void> {
    const stored = await readStoredJobs(redis, keys, read, () => true);
    const ids = [...stored.keys()];
    const known = await jobs.find(ids);
    const written = await Promise.all(
      ids.map((each, index) => {
        const job = stored.get(each);
        const at = timeOf(job?.finishedOn ?? job?.processedOn ?? job?.timestamp, clock.now());
        const sighting = sightingOf(job);
        const seen = { sighting, id, isRead: true, at, stored: job, gap: isAfterGap };
        return jobs.write(each, known[index], [seen]);
      }),
    );
    await jobs.forget(ids.filter((_, index) => isEnded(written[index])));
  }

  /** Returns the ids of those that ended. Changes of one job follow each other; those of others go on beside them. */
  async function writeSlice(
    slice: readonly [id: string, seen: readonly SeenAt[]][],
  ): Promise<string[]> {
    const ids = slice.map(([id]) => id);
    const known = await jobs.find(ids);
    const asked = new Set(
      slice.flatMap(([id, seen], at) => (known[at]?.job && !isAdded(seen) ? [] : [id])),
    );
    const stored = await readStoredJobs(redis, keys, ids, (id) => asked.has(id));
    const written = await Promise.all(
      slice.map(([id, seen], index) => {
        const all = seen.map(({ id: event, sighting }) => {
          const at = timeOf(Number.parseInt(event, 10), clock.now());
          return { sighting, id: event, at, stored: stored.get(id) };
        });
        return jobs.write(id, known[index], all);
      }),
    );
    return ids.filter((_, index) => isEnded(written[index]));
  }

  async function store(events: readonly QueueEvent[]): Promise<string[]> {
    const seen = [...sightingsOf(events)];
    const ended: string[] = [];
    for (let at = 0; at < seen.length; at += SLICE) {
      ended.push(...(await writeSlice(seen.slice(at, at + SLICE))));
    }
    return ended;
  }

  /** Those that did not change since they were looked at, while all events until then were read, are gone. */
  async function removeSuspects(id: string): Promise<void> {
    const looked = suspects;
    suspects = [];
    for (const { job, gap } of looked) {
      const now = await engine.getSummary(job.id);
      if (now?.version !== job.version) continue;
      const at = clock.now();
      const sighting = { is: "removed" } as const;
      const original = idOf(job.details);
      const seen = { sighting, id, isRead: true, at, stored: undefined, gap };
      await jobs.write(original, { jobId: job.id, job: now }, [seen]);
      await jobs.forget([original]);
    }
  }

  async function begin(): Promise<boolean> {
    const held = await engine.mirrors.hold({ mirror, holder, leaseMs: LEASE_MS });
    if (held === undefined) return false;
    heldAt = clock.steady();
    position = held.position;
    suspects = [];
    isLooking = true;
    return true;
  }

  return {
    begin,
    async advance() {
      const batch = position === null ? undefined : await stream.read(position);
      if (position === null || batch === undefined || batch.lost) {
        if (batch?.lost === true) {
          log.warn({ queue }, "Events of a BullMQ queue were lost, so its jobs are read anew");
          isAfterGap = true;
        }
        mayHaveEnded = true;
        // They were found before, so not all events until then were read: they are looked at anew.
        suspects = [];
        const from = await readAll();
        if (from === undefined || !(await hold(from))) return undefined;
        position = from;
        return position;
      }
      const ended = await store(batch.events);
      if (batch.isLast) await removeSuspects(position);
      isLooking ||= batch.events.some(({ type }) => type === "cleaned");
      const reached = batch.events.at(-1)?.id;
      if (!(await hold(reached))) return undefined;
      // After the position: a process that reads their events again needs to know what they were.
      if (ended.length > 0) await jobs.forget(ended);
      position = reached ?? position;
      return position;
    },

    async tend() {
      const [active = []] = await answersOf<string[]>(
        redis
          .pipeline()
          .lrange(keys.active, 0, MAX_ACTIVE - 1)
          .exec(),
      );
      const running = await jobs.find(active);
      await copyLines(
        linesOfAll(
          active,
          running.map(({ job }) => job),
        ),
      );
      if (suspects.length > 0) return;
      for (let pages = 0; pages < (isLooking ? MAX_PAGES : 1); pages += 1) {
        const found = await gone.look();
        suspects.push(...found.map((job) => ({ job, gap: mayHaveEnded })));
        if (!gone.isRound()) continue;
        isLooking = false;
        isAfterGap = false;
        mayHaveEnded = false;
        break;
      }
    },

    end: () => engine.mirrors.release(mirror, holder),
  };
}

function isAdded(seen: readonly SeenAt[]): boolean {
  return seen.some(({ sighting }) => sighting.is === "added");
}

function isEnded(job: JobSummary | undefined): boolean {
  return job !== undefined && isSettled(job.status);
}

function linesOfAll(ids: readonly string[], jobs: readonly (JobSummary | undefined)[]): LinesOf[] {
  return ids.flatMap((id, index) => {
    const job = jobs[index];
    if (job === undefined) return [];
    const { keepLogs } = job.details as BullmqDetails;
    return [{ id, jobId: job.id, keepLogs }];
  });
}
