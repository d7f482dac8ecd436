/** A schedule: it creates a job of one kind with one input, again and again or once. */
import type { StandingOptions } from "./create-options.ts";
import type { Owner } from "./principal.ts";

/**
 * For times that passed while no server ran, or while the schedule was paused. "once": one job for all of them together. "skip":
 * none.
 */
export const MISSED_POLICIES = ["once", "skip"] as const;
export type MissedPolicy = (typeof MISSED_POLICIES)[number];

/** A schedule has one of the three. */
export type When =
  /** Five fields, or six with seconds first. `timeZone`: of the IANA database; default "UTC". */
  | { cron: string; timeZone?: string | undefined; everyMs?: undefined; at?: undefined }
  /** For the first time `everyMs` after the schedule was stored. */
  | { everyMs: number; cron?: undefined; timeZone?: undefined; at?: undefined }
  /** Once. */
  | { at: Date; cron?: undefined; timeZone?: undefined; everyMs?: undefined };

/** Why a firing created no job. */
export interface ScheduleError {
  code: string;
  message: string;
  /** The firing. */
  dueAt: Date;
  at: Date;
}

/** Firings that were missed. */
export interface MissedFirings {
  from: Date;
  to: Date;
  /** At most `MAX_MISSED_COUNT`: that many or more. */
  count: number;
  /** True where one job was created for all of them. */
  ranOnce: boolean;
}

/** A schedule as lists show it: without `input`, which may be large. */
export interface ScheduleSummary extends Owner {
  id: string;
  /** Of its owner's choosing: one schedule of an owner has it. */
  key: string;
  kind: string;
  /** That of its jobs. `null`: the kind makes it from the input. */
  title: string | null;
  cron: string | null;
  /** `null` without `cron`. */
  timeZone: string | null;
  everyMs: number | null;
  at: Date | null;
  missed: MissedPolicy;
  /** Of its jobs. `null`: that of their kind. */
  priority: number | null;
  /** Of its jobs, from when each was created. `null`: they do not expire. */
  expiresInMs: number | null;
  /** Of its jobs. `null`: as their kind or the server says. */
  maxAttempts: number | null;
  /** True for one that the server's own program declares: it is stored anew at each start. */
  declared: boolean;
  /** `null`: it is paused, or fired for the last time. */
  nextAt: Date | null;
  /** `null`: it is not paused. */
  pausedAt: Date | null;
  /** When the server's operator asked for a job that was not created yet. */
  requestedAt: Date | null;
  /** The firing of the newest job that it created by plan: the time at which that was due. */
  lastAt: Date | null;
  /** The newest job that it created, by plan or by hand. Retention may have deleted it. */
  lastJobId: string | null;
  lastError: ScheduleError | null;
  lastMissed: MissedFirings | null;
  /** When its times were set or changed: intervals count from here. */
  plannedAt: Date;
  createdAt: Date;
  updatedAt: Date;
  /** Every change counts one up. */
  version: number;
}

export interface Schedule extends ScheduleSummary {
  /** As its maker gave it: the kind's schema reads it anew for each job. */
  input: unknown;
}

export interface ScheduleDetails extends Schedule {
  /** Its next times, five at most. */
  upcoming: Date[];
}

/** One of `cron`, `everyMs` and `at`. */
export interface ScheduleTimes {
  /** Five fields, or six with seconds first. */
  cron?: string | undefined;
  /** Of `cron`: a name of the IANA database. Default: "UTC". */
  timeZone?: string | undefined;
  /** For the first time after this interval. */
  everyMs?: number | undefined;
  /** Once. A text is ISO 8601 in UTC. */
  at?: Date | string | undefined;
}

export interface ScheduleFields extends ScheduleTimes, StandingOptions {
  /** Of the owner's choosing: an owner has one schedule under it. */
  key: string;
  /** That of its jobs. Default: the one that the kind makes from the input. */
  title?: string | undefined;
  /** For times that passed while no server ran, or while it was paused. Default: "once". */
  missed?: MissedPolicy | undefined;
}

/** A schedule that a kind declares in code. */
export interface DeclaredSchedule<Input = unknown> extends ScheduleFields {
  input: Input;
}

/** Field by field, so that a new field cannot be forgotten. */
export function scheduleSummaryOf(schedule: ScheduleSummary): ScheduleSummary {
  const { id, tenant, owner, key, kind, title, cron, timeZone, everyMs, at, missed, declared } =
    schedule;
  const { priority, expiresInMs, maxAttempts } = schedule;
  const { nextAt, pausedAt, requestedAt, lastAt, lastJobId, lastError, lastMissed } = schedule;
  const { plannedAt, createdAt, updatedAt, version } = schedule;
  const definition = { id, tenant, owner, key, kind, title, cron, timeZone, everyMs, at };
  const state = { nextAt, pausedAt, requestedAt, lastAt, lastJobId, lastError, lastMissed };
  return {
    ...definition,
    missed,
    priority,
    expiresInMs,
    maxAttempts,
    declared,
    ...state,
    plannedAt,
    createdAt,
    updatedAt,
    version,
  } satisfies Record<keyof ScheduleSummary, unknown>;
}
