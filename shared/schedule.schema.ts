import { z } from "zod";
import { type Schedule, MISSED_POLICIES, type ScheduleSummary } from "./schedule.ts";
import { schemaFor } from "./schema-for.ts";
import { TimeSchema } from "./time.schema.ts";

/** Schedules that earlier versions stored have no options. */
const Option = z.number().nullable().default(null);

export const ScheduleSummarySchema = schemaFor<ScheduleSummary>()(
  z.object({
    id: z.uuid(),
    tenant: z.string(),
    owner: z.string(),
    key: z.string(),
    kind: z.string(),
    title: z.string().nullable(),
    cron: z.string().nullable(),
    timeZone: z.string().nullable(),
    everyMs: z.number().nullable(),
    at: TimeSchema.nullable(),
    missed: z.enum(MISSED_POLICIES),
    priority: Option,
    expiresInMs: Option,
    maxAttempts: Option,
    declared: z.boolean(),
    nextAt: TimeSchema.nullable(),
    pausedAt: TimeSchema.nullable(),
    requestedAt: TimeSchema.nullable(),
    lastAt: TimeSchema.nullable(),
    lastJobId: z.string().nullable(),
    lastError: z
      .object({ code: z.string(), message: z.string(), dueAt: TimeSchema, at: TimeSchema })
      .nullable(),
    lastMissed: z
      .object({ from: TimeSchema, to: TimeSchema, count: z.int(), ranOnce: z.boolean() })
      .nullable(),
    plannedAt: TimeSchema,
    createdAt: TimeSchema,
    updatedAt: TimeSchema,
    version: z.int(),
  }),
);

export const ScheduleSchema = schemaFor<Schedule>()(
  ScheduleSummarySchema.extend({ input: z.unknown() }),
);
