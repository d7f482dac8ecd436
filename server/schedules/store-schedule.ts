/** Stores a schedule under the key of its owner: the same one again changes nothing. */
import { v7 as newId } from "uuid";
import type { ScheduleStore } from "#server/engine/schedule-store.ts";
import { issueAt, sentenceOf } from "#server/jobs/check-schema.ts";
import type { RequestValidator } from "#server/jobs/validate-request.ts";
import { plainJson } from "#server/jobs/plain-json.ts";
import type { StandingOptions } from "#shared/create-options.ts";
import { cutText } from "#shared/cut-text.ts";
import { AppError } from "#shared/errors.ts";
import { MAX_INPUT_BYTES, MAX_TITLE_CHARS } from "#shared/limits.ts";
import type { Owner } from "#shared/principal.ts";
import type { Schedule } from "#shared/schedule.ts";
import { changedTooOften } from "./changes.ts";
import type { ScheduleRequest } from "./inputs.ts";
import { nextAfter, type Plan, planOf } from "./plan.ts";

const TRIES = 20;
/** The clocks of callers differ by less. */
const MAX_PAST_MS = 60_000;

export interface StoreScheduleOptions {
  store: ScheduleStore;
  validate: RequestValidator;
  now: () => Date;
}

export interface StoredSchedule {
  schedule: Schedule;
  /** False: it was so already. */
  changed: boolean;
}

/** The fields that its owner chooses. */
type Definition = Plan &
  Pick<Schedule, "kind" | "title" | "missed" | "declared" | "input" | keyof StandingOptions>;

export type StoreSchedule = (
  owner: Owner,
  request: ScheduleRequest,
  declared: boolean,
) => Promise<StoredSchedule>;

/**
 * Rejects with `NOT_FOUND` for an unknown kind, and with `BAD_REQUEST` for an input that the kind refuses, for times that are
 * none, and for a tenant that has `MAX_SCHEDULES`.
 */
export function createStoreSchedule({ store, validate, now }: StoreScheduleOptions): StoreSchedule {
  function definitionOf(request: ScheduleRequest, declared: boolean): Definition {
    const { kind, title, missed = "once", when } = request;
    const { priority = null, expiresInMs = null, maxAttempts = null } = request;
    const plan = planOf(when);
    // The kind's schema reads the input again for each job, so it is stored as it was given.
    validate.one({ kind, input: request.input });
    const input = plainJson(request.input, MAX_INPUT_BYTES, "input");
    if (!input.ok) {
      const issue = issueAt("input", input);
      throw new AppError("BAD_REQUEST", sentenceOf("input", issue), { issues: [issue] });
    }
    return {
      ...plan,
      kind,
      title: title === undefined ? null : cutText(title, MAX_TITLE_CHARS),
      missed,
      priority,
      expiresInMs,
      maxAttempts,
      declared,
      input: input.value,
    };
  }

  return async (owner, { key, ...request }, declared) => {
    const definition = definitionOf({ key, ...request }, declared);
    for (let tries = 0; tries < TRIES; tries++) {
      const time = await store.time(now());
      const id = await store.find(owner, key);
      const before = id === undefined ? undefined : await store.get(id);
      if (before === undefined) {
        const fresh = freshSchedule({ ...owner, key, ...definition }, time);
        if ((await store.create(fresh)) === fresh.id) return { schedule: fresh, changed: true };
        continue;
      }
      if (isSame(before, definition)) return { schedule: before, changed: false };
      const next: Schedule = {
        ...before,
        ...definition,
        ...(hasOtherTimes(before, definition) && firstTimes(definition, time)),
        updatedAt: time,
        version: before.version + 1,
      };
      const { input } = definition;
      if (await store.replace(next, { input })) return { schedule: next, changed: true };
    }
    throw changedTooOften(key);
  };
}

function freshSchedule(given: Owner & { key: string } & Definition, time: Date): Schedule {
  return {
    id: newId(),
    ...given,
    ...firstTimes(given, time),
    pausedAt: null,
    requestedAt: null,
    lastAt: null,
    lastJobId: null,
    lastError: null,
    lastMissed: null,
    createdAt: time,
    updatedAt: time,
    version: 1,
  };
}

function firstTimes(plan: Plan, time: Date): Pick<Schedule, "plannedAt" | "nextAt"> {
  if (plan.at !== null && plan.at.getTime() < time.getTime() - MAX_PAST_MS) {
    const message = `${plan.at.toISOString()} has passed. Give a time to come.`;
    throw new AppError("BAD_REQUEST", message, { issues: [{ path: ["at"], message }] });
  }
  const nextAt = plan.at ?? nextAfter({ ...plan, plannedAt: time }, time);
  return { plannedAt: time, nextAt };
}

function hasOtherTimes(one: Plan, other: Plan): boolean {
  return (
    one.cron !== other.cron ||
    one.timeZone !== other.timeZone ||
    one.everyMs !== other.everyMs ||
    one.at?.getTime() !== other.at?.getTime()
  );
}

function isSame(one: Definition, other: Definition): boolean {
  return (
    !hasOtherTimes(one, other) &&
    one.kind === other.kind &&
    one.title === other.title &&
    one.missed === other.missed &&
    one.priority === other.priority &&
    one.expiresInMs === other.expiresInMs &&
    one.maxAttempts === other.maxAttempts &&
    one.declared === other.declared &&
    JSON.stringify(one.input) === JSON.stringify(other.input)
  );
}
