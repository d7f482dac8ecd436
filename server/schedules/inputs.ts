/** The inputs of procedures about schedules. */
import { z } from "zod";
import { Key, StandingOptions, Text } from "#server/jobs/inputs.ts";
import type { StandingOptions as Options } from "#shared/create-options.ts";
import {
  MAX_CRON_CHARS,
  MAX_KIND_CHARS,
  MAX_SCHEDULE_MS,
  MAX_TIME_ZONE_CHARS,
  MAX_TITLE_CHARS,
  MIN_SCHEDULE_MS,
} from "#shared/limits.ts";
import { MISSED_POLICIES, type MissedPolicy, type When } from "#shared/schedule.ts";
import { TimeSchema } from "#shared/time.schema.ts";

export const ScheduleId = z.object({ scheduleId: z.uuid() });

const Interval = z
  .int()
  .min(MIN_SCHEDULE_MS, `The smallest interval is ${MIN_SCHEDULE_MS} ms (MIN_SCHEDULE_MS).`)
  .max(MAX_SCHEDULE_MS, `The largest interval is ${MAX_SCHEDULE_MS} ms (MAX_SCHEDULE_MS).`);

/** Later ones have no form that every engine reads again. */
const LAST = new Date("9999-12-31T23:59:59.999Z");
const Moment = TimeSchema.refine((at) => at <= LAST, "It is after the year 9999.");

const Times = z.object({
  cron: Text.trim().min(1).max(MAX_CRON_CHARS).optional(),
  timeZone: Text.min(1).max(MAX_TIME_ZONE_CHARS).optional(),
  everyMs: Interval.optional(),
  at: Moment.optional(),
});

/** A schedule as its owner asks for it. */
export interface ScheduleRequest extends Options {
  key: string;
  kind: string;
  input: unknown;
  title?: string | undefined;
  missed?: MissedPolicy | undefined;
  when: When;
}

export const ScheduleToUpsert = z
  .object({
    key: Key.unwrap(),
    kind: z.string().min(1).max(MAX_KIND_CHARS),
    input: z.unknown(),
    title: Text.trim().min(1).max(MAX_TITLE_CHARS).optional(),
    missed: z.enum(MISSED_POLICIES).optional(),
    ...StandingOptions.shape,
    ...Times.shape,
  })
  .transform(({ cron, timeZone, everyMs, at, ...rest }, { issues, value }): ScheduleRequest => {
    const given = [cron, everyMs, at].filter((each) => each !== undefined);
    const fault = (path: string, message: string) => {
      issues.push({ code: "custom", path: [path], message, input: value });
      return z.NEVER;
    };
    if (given.length !== 1) return fault("cron", "Send one of cron, everyMs and at.");
    if (cron !== undefined) return { ...rest, when: { cron, timeZone } };
    if (timeZone !== undefined) return fault("timeZone", "Only cron has a time zone.");
    if (everyMs !== undefined) return { ...rest, when: { everyMs } };
    if (at !== undefined) return { ...rest, when: { at } };
    return z.NEVER;
  });
