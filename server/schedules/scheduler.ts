/**
 * Fires schedules. A firing is made in three steps, so that it is made exactly once whatever process dies between them:
 *
 *   take ──► create the job ──► move the schedule to its next time
 *
 * `take` holds the schedule, so that one process works on it. The job has the firing's idempotency key, so a second process that
 * takes the schedule after a crash gets the job that exists. The last step is a compare-and-set on the record: where a caller
 * changed that meanwhile, it is made on the newer record.
 */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Logger } from "pino";
import type { Engine } from "#server/engine/contract.ts";
import type { Taken } from "#server/engine/schedule-store.ts";
import type { Jobs } from "#server/jobs/jobs.ts";
import type { Clock } from "#shared/clock.ts";
import { AppError, type ErrorCode, wholeMessageOf } from "#shared/errors.ts";
import type { ScheduleSummary } from "#shared/schedule.ts";
import {
  FIRING_GRACE_MS,
  firedSchedule,
  firingOf,
  type Outcome,
  requestedSchedule,
} from "./firing.ts";
import { firingKey } from "./firing-key.ts";
import { jobOf } from "./job-of-schedule.ts";
import type { ScheduleObserver } from "./observer.ts";

/** The engine tells no process of another one's schedules. */
const POLL_MS = 1000;
/** Schedules that are taken together: a few commits, and other work of the process comes between. */
const TAKEN_AT_ONCE = 20;
/** Less than the grace, so that another process makes the firing of one that died. */
const HOLD_MS = 5000;
/** During a rolling deployment another process may know a kind or an input that this one refuses. It has this time to come by. */
const LEFT_TO_OTHERS_MS = 5000;
const RETRY_MS = 1000;
/** Node's timers take no longer ones. */
const MAX_TIMER_MS = 86_400_000;
/** Changes of others between two tries. */
const TRIES = 20;

export interface SchedulerOptions {
  engine: Pick<Engine, "schedules" | "capabilities">;
  jobs: Pick<Jobs, "createScheduled">;
  kinds: ReadonlyMap<string, unknown>;
  clock: Clock;
  observer: ScheduleObserver;
  log: Pick<Logger, "warn">;
  /** For tests. */
  graceMs?: number | undefined;
}

export interface Scheduler {
  /** Looks for due schedules now: one was stored, or its times were changed. */
  wake(): void;
  /** Resolves when no firing is under way. Schedules that were not reached are left to other processes, or to the next start. */
  stop(): Promise<void>;
}

/** Errors after which the firing is tried again, since the job could not be stored or the result is not known. */
const PASSING: ReadonlySet<ErrorCode> = new Set(["UNAVAILABLE", "DATA_UNUSABLE"]);
/** Errors that another process may not have during a rolling deployment. */
const OF_THIS_PROCESS: ReadonlySet<string> = new Set(["NOT_FOUND", "BAD_REQUEST", "INTERNAL"]);

export function startScheduler(options: SchedulerOptions): Scheduler {
  const { engine, jobs, kinds, clock, observer, log, graceMs = FIRING_GRACE_MS } = options;
  const { schedules: store } = engine;
  const known = [...kinds.keys()];
  const leftMs = engine.capabilities.multiProcess ? LEFT_TO_OTHERS_MS : 0;
  let stopped = false;
  let running: Promise<void> | undefined;
  let isWanted = false;
  let cancelTimer: (() => void) | undefined;

  async function create(schedule: ScheduleSummary, idempotencyKey: string): Promise<Outcome> {
    const whole = await store.get(schedule.id);
    if (whole === undefined) return { result: "skipped" };
    const { tenant, owner } = whole;
    try {
      const job = await jobs.createScheduled(
        { userId: owner, tenantId: tenant, scopes: [], via: "schedule" },
        { ...jobOf(whole), idempotencyKey },
      );
      return { result: "fired", jobId: job.id };
    } catch (error) {
      if (!(error instanceof AppError) || PASSING.has(error.code)) throw error;
      return { result: "failed", error };
    }
  }

  /** Moves the schedule on. One that was removed meanwhile stays removed. */
  async function settle(
    taken: ScheduleSummary,
    edit: (schedule: ScheduleSummary) => ScheduleSummary,
  ): Promise<void> {
    let schedule: ScheduleSummary | undefined = taken;
    for (let tries = 0; schedule !== undefined && tries < TRIES; tries++) {
      if (await store.replace(edit(schedule))) return;
      schedule = await store.get(taken.id);
    }
  }

  /** Gives a schedule back whose firing this process alone may refuse. False: it is not to be left to others. */
  async function leave(
    { id, version }: ScheduleSummary,
    outcome: Outcome,
    lateMs: number,
  ): Promise<boolean> {
    if (outcome.result !== "failed" || lateMs >= leftMs) return false;
    if (!OF_THIS_PROCESS.has(outcome.error.code)) return false;
    await store.release(id, version, RETRY_MS, clock.now());
    return true;
  }

  async function fireByHand(schedule: ScheduleSummary, at: Date, now: Date): Promise<void> {
    const outcome = await create(schedule, firingKey(schedule.id, at, "hand"));
    if (await leave(schedule, outcome, now.getTime() - at.getTime())) return;
    await settle(schedule, (newest) => requestedSchedule(newest, at, outcome, clock.now()));
  }

  async function fire({ schedule, begun }: Taken, now: Date): Promise<void> {
    const { id, nextAt, requestedAt } = schedule;
    if (requestedAt !== null) return fireByHand(schedule, requestedAt, now);
    if (nextAt === null) return;
    const firing = firingOf({ ...schedule, nextAt }, { now, begun, graceMs });
    const outcome: Outcome = firing.creates
      ? await create(schedule, firingKey(id, firing.dueAt))
      : { result: "skipped" };
    const lateMs = now.getTime() - nextAt.getTime();
    if (await leave(schedule, outcome, lateMs)) return;
    await settle(schedule, (newest) => firedSchedule(newest, firing, outcome, clock.now()));
    observer.fired(outcome.result === "skipped" ? "missed" : outcome.result);
    if (outcome.result === "fired" && firing.missed === null) observer.lagged(lateMs / 1000);
  }

  async function fireAll(): Promise<void> {
    for (;;) {
      if (stopped) return;
      const { taken, now, next } = await store.take({
        kinds: known,
        max: TAKEN_AT_ONCE,
        holdMs: HOLD_MS,
        graceMs,
        leftMs,
        now: clock.now(),
      });
      const firings: Promise<void>[] = [];
      for (const each of taken) {
        const { id } = each.schedule;
        // It is held until another try.
        firings.push(fire(each, now).catch((error: unknown) => warn(error, { schedule: id })));
        // The times that one missed take some milliseconds to count.
        await nextTurn();
      }
      await Promise.all(firings);
      if (taken.length > 0) continue;
      cancelTimer?.();
      if (next === undefined) return;
      const ms = next.getTime() - now.getTime();
      cancelTimer = clock.after(Math.min(Math.max(1, ms), MAX_TIMER_MS), wake);
      return;
    }
  }

  function warn(error: unknown, fields: object): void {
    const reason = wholeMessageOf(error);
    log.warn({ reason, ...fields }, "A schedule could not be fired. The server tries again");
  }

  async function run(): Promise<void> {
    do {
      isWanted = false;
      try {
        await fireAll();
      } catch (error) {
        warn(error, {});
        return;
      }
    } while (isWanted && !stopped);
  }

  function wake(): void {
    isWanted = true;
    if (running !== undefined || stopped) return;
    running = run().finally(() => (running = undefined));
    clock.hold(running);
  }

  const endPolling = clock.every(POLL_MS, wake);
  wake();
  return {
    wake,
    async stop() {
      stopped = true;
      endPolling();
      cancelTimer?.();
      await running;
    },
  };
}
