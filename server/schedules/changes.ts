/** Changes of schedules, by callers and by the command: each is a compare-and-set on the newest record. */
import type { ScheduleStore } from "#server/engine/schedule-store.ts";
import { AppError } from "#shared/errors.ts";
import type { Schedule, ScheduleSummary } from "#shared/schedule.ts";
import { nextAfter } from "./plan.ts";

/** Firings and other callers may change a record between two tries. */
const TRIES = 20;

export interface ScheduleChanges {
  /** Nothing where it is paused. */
  pause(id: string): Promise<ScheduleChange>;
  /**
   * Nothing where it is not paused. What it missed is left to its policy. Else its next time is the first one from now on, also
   * where an earlier clock was ahead.
   */
  resume(id: string): Promise<ScheduleChange>;
  /** Has a server create a job that runs the kinds: within a second, or when one starts. Nothing where one is asked for already. */
  request(id: string): Promise<ScheduleChange>;
  remove(id: string): Promise<ScheduleChange>;
}

export interface ScheduleChange {
  schedule: ScheduleSummary;
  /** False: it was so already. */
  changed: boolean;
}

export interface ChangesOptions {
  store: ScheduleStore;
  now: () => Date;
  /** Called with the newest record before it is changed. Throws where the caller may not. */
  assertMay?: ((schedule: Schedule | undefined, id: string) => void) | undefined;
}

export function createScheduleChanges({ store, now, assertMay }: ChangesOptions): ScheduleChanges {
  async function change(
    id: string,
    edit: (schedule: Schedule, at: Date) => Partial<ScheduleSummary> | undefined,
  ): Promise<ScheduleChange> {
    for (let tries = 0; tries < TRIES; tries++) {
      const { schedule, time } = await read(id);
      const edited = edit(schedule, time);
      if (edited === undefined) return { schedule, changed: false };
      const next = { ...schedule, ...edited, updatedAt: time, version: schedule.version + 1 };
      if (await store.replace(next)) return { schedule: next, changed: true };
    }
    throw changedTooOften(id);
  }

  async function read(id: string): Promise<{ schedule: Schedule; time: Date }> {
    const schedule = await store.get(id);
    assertMay?.(schedule, id);
    if (schedule === undefined) throw noSchedule(id);
    return { schedule, time: await store.time(now()) };
  }

  return {
    pause: (id) =>
      change(id, ({ pausedAt }, time) => (pausedAt === null ? { pausedAt: time } : undefined)),
    resume: (id) =>
      change(id, (schedule, time) => {
        const { pausedAt, nextAt } = schedule;
        if (pausedAt === null) return undefined;
        const isAhead = nextAt !== null && nextAt > time;
        return {
          pausedAt: null,
          nextAt: isAhead ? nextAfter(schedule, time) : nextAt,
        };
      }),
    request: (id) =>
      change(id, ({ requestedAt }, time) =>
        requestedAt === null ? { requestedAt: time } : undefined,
      ),
    async remove(id) {
      const { schedule } = await read(id);
      if (!(await store.remove(id))) throw noSchedule(id);
      return { schedule, changed: true };
    },
  };
}

export function noSchedule(id: string): AppError {
  return new AppError("NOT_FOUND", `Schedule ${id} does not exist.`);
}

export function changedTooOften(id: string): AppError {
  return new AppError("UNAVAILABLE", `Schedule ${id} changes too often at the moment. Try again.`);
}
