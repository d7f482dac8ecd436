/** The part of an engine that stores schedules. Its methods reject as those of the engine do (`contract.ts`). */
import { AppError } from "#shared/errors.ts";
import { MAX_SCHEDULES } from "#shared/limits.ts";
import type { Owner } from "#shared/principal.ts";
import type { Schedule, ScheduleSummary } from "#shared/schedule.ts";

/**
 * A schedule is due at its `nextAt`, unless it is paused, and at its `requestedAt` in any case. Records change by compare-and-set: a new record has the version after
 * the one that it was made of.
 */
export interface ScheduleStore {
  /**
   * Stores a schedule, unless its owner has one with its key. Returns the id of the one that is stored. Of a tenant with
   * `MAX_SCHEDULES` the oldest that has fired for the last time makes room. When there is none, rejects with `BAD_REQUEST`.
   */
  create(schedule: Schedule): Promise<string>;
  /**
   * Stores a record in the place of the version before. False, with nothing changed: it has another version by now, or was
   * removed. Tenant, owner and key stay as they are; without `input` so does the input.
   */
  replace(schedule: ScheduleSummary, changed?: { input: unknown }): Promise<boolean>;
  /**
   * Gives a schedule to another owner: `schedule` is its record with that owner, in the version after the one that it was made of.
   * Its id, its times and its place in lists stay.
   */
  assign(schedule: ScheduleSummary): Promise<ScheduleAssigned>;
  /** With `version`, only in that version. False: there is no such schedule. */
  remove(id: string, version?: number): Promise<boolean>;
  get(id: string): Promise<Schedule | undefined>;
  /** Returns the id of the schedule that the owner has under this key. */
  find(owner: Owner, key: string): Promise<string | undefined>;
  /** Newest first. */
  list(query: ScheduleQuery): Promise<SchedulePage>;
  /**
   * Takes due schedules, the longest due first, and holds them for `holdMs`: no other call gets them meanwhile, unless they are
   * replaced or released. A schedule that was held when its process died is taken again after that.
   *
   * Those of kinds that are not among `kinds` are taken once they are due for `leftMs`: another process may know them. A
   * firing that is taken within `graceMs` has begun (`Taken.begun`) until the schedule moves to another time.
   */
  take(request: TakeRequest): Promise<TakenSchedules>;
  /**
   * Gives a taken schedule back, so that a call of `take` gets it `delayMs` after `now`; its firing has not begun. Nothing where
   * it has another version by now.
   */
  release(id: string, version: number, delayMs: number, now: Date): Promise<void>;
  /** The time by which this engine decides what is due: its own, or that of the caller. */
  time(now: Date): Promise<Date>;
}

/**
 * All but "moved" changed nothing. "changed": it has another version by now, or was removed. "busy": a process makes a firing, or
 * has begun one and died, or one by hand is asked for; its job belongs to the owner of before, and no other process could find it. "taken": the new owner has a
 * schedule with its key. "full": the tenant of the new owner has `MAX_SCHEDULES`.
 */
export type ScheduleAssigned = "moved" | "changed" | "busy" | "taken" | "full";

export interface TakeRequest {
  kinds: readonly string[];
  max: number;
  holdMs: number;
  graceMs: number;
  leftMs: number;
  now: Date;
}

export interface TakenSchedules {
  taken: Taken[];
  /** The time by which they were due. */
  now: Date;
  /** When the next of the others can be taken, by the same clock. `undefined`: there is none. */
  next: Date | undefined;
}

export interface Taken {
  schedule: ScheduleSummary;
  /** An earlier call took it for the same firing, and it was not given back: its job may exist. */
  begun: boolean;
}

export interface ScheduleQuery {
  /** Absent: those of all tenants. */
  tenant?: string | undefined;
  /** Absent: those of all owners of the tenant. */
  owner?: string | undefined;
  /** `nextCursor` of the page before. */
  cursor?: string | undefined;
  limit: number;
}

export interface SchedulePage {
  items: ScheduleSummary[];
  nextCursor: string | null;
}

export function tooManySchedules(tenant: string): AppError {
  return new AppError(
    "BAD_REQUEST",
    `Tenant ${JSON.stringify(tenant)} has ${MAX_SCHEDULES} schedules, the limit (MAX_SCHEDULES). Delete one that is not needed any more.`,
  );
}

/** When `take` may give it out, in ms since 1970; `null`: never. */
export function takenFrom(schedule: ScheduleSummary): number | null {
  const { nextAt, pausedAt, requestedAt } = schedule;
  const due = requestedAt ?? (pausedAt === null ? nextAt : null);
  return due?.getTime() ?? null;
}
