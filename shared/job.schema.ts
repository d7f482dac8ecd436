import { z } from "zod";
import { type Job, JOB_STATUSES } from "./job.ts";
import { OwnerSchema } from "./principal.schema.ts";
import { schemaFor } from "./schema-for.ts";

export const JobStatusSchema = z.enum(JOB_STATUSES);
export const ProgressSchema = z.int().min(0).max(100);

export const JobSchema = schemaFor<Job>()(
  OwnerSchema.extend({
    id: z.uuid(),
    kind: z.string(),
    title: z.string(),
    status: JobStatusSchema,
    progress: ProgressSchema,
    message: z.string(),
    details: z.unknown().optional(),
    attempt: z.int().min(0),
    retries: z.int().min(0),
    batchId: z.uuid().nullable(),
    scheduleId: z.uuid().nullable(),
    error: z.object({ code: z.string(), message: z.string() }).nullable(),
    priority: z.int().min(0),
    maxAttempts: z.int().min(1).nullable(),
    createdAt: z.date(),
    startsAt: z.date().nullable(),
    expiresAt: z.date().nullable(),
    startedAt: z.date().nullable(),
    finishedAt: z.date().nullable(),
    version: z.int().min(1),
    input: z.unknown(),
    output: z.unknown(),
  }),
);
