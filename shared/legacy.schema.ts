import { z } from "zod";
import { isWellFormed } from "./cut-text.ts";
import { JobStatusSchema, ProgressSchema } from "./job.schema.ts";
import type {
  LegacyBatchPayload,
  LegacyJobPayload,
  LegacyPresencePayload,
  LegacyTypingPayload,
} from "./legacy.ts";
import { MAX_LEGACY_ID_CHARS, MAX_TOKEN_CHARS } from "./limits.ts";
import { schemaFor } from "./schema-for.ts";

const id = z.string().min(1).max(MAX_LEGACY_ID_CHARS).refine(isWellFormed);
export const LegacyJobRequestSchema = z.object({ job_id: id });
export const LegacyBatchRequestSchema = z.object({ batch_id: id });
export const LegacyPresenceRequestSchema = z
  .object({ job_id: id.optional(), batch_id: id.optional() })
  .refine(({ job_id, batch_id }) => job_id === undefined || batch_id === undefined);
/** Some clients send an event without an argument. */
export const LegacyFeedRequestSchema = z
  .object({ all_owners: z.boolean().optional() })
  .prefault({});

export const AuthRefreshSchema = z.object({ token: z.string().min(1).max(MAX_TOKEN_CHARS) });

export const LegacyJobPayloadSchema = schemaFor<LegacyJobPayload>()(
  z.object({
    job_id: z.string(),
    status: JobStatusSchema,
    progress: ProgressSchema,
    message: z.string(),
    timestamp: z.iso.datetime({ precision: 3 }),
  }),
);

export const LegacyBatchPayloadSchema = schemaFor<LegacyBatchPayload>()(
  z.object({
    batch_id: z.string(),
    total: z.int(),
    completed: z.int(),
    progress: z.int(),
    status: z.string(),
    message: z.string(),
    timestamp: z.iso.datetime({ precision: 3 }),
  }),
);

const presenceIds = { job_id: z.string().optional(), batch_id: z.string().optional() };

export const LegacyPresencePayloadSchema = schemaFor<LegacyPresencePayload>()(
  z.object({
    ...presenceIds,
    count: z.int(),
    guests: z.int(),
    people: z.array(z.object({ user: z.string(), since: z.iso.datetime({ precision: 3 }) })),
    timestamp: z.iso.datetime({ precision: 3 }),
  }),
);

export const LegacyTypingPayloadSchema = schemaFor<LegacyTypingPayload>()(
  z.object({
    ...presenceIds,
    count: z.int(),
    people: z.array(z.string()),
    timestamp: z.iso.datetime({ precision: 3 }),
  }),
);
