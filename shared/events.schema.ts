import { z } from "zod";
import { ActorSchema } from "./actor.schema.ts";
import type { JobEvent } from "./events.ts";
import { ProgressSchema } from "./job.schema.ts";
import type { JobStatus } from "./job.ts";
import { schemaFor } from "./schema-for.ts";

const visible = z.object({
  jobId: z.uuid(),
  seq: z.int().min(1),
  at: z.date(),
  attempt: z.int().min(0),
  progress: ProgressSchema,
  message: z.string(),
  details: z.unknown().optional(),
  actor: ActorSchema.optional(),
  skipped: z.int().min(1).optional(),
  gap: z.literal(true).optional(),
});

const event = <T extends string, S extends JobStatus>(type: T, status: S) =>
  visible.extend({ type: z.literal(type), status: z.literal(status) });

export const JobEventSchema = schemaFor<JobEvent>()(
  z.discriminatedUnion("type", [
    event("created", "PENDING"),
    event("started", "PROCESSING"),
    event("progress", "PROCESSING"),
    event("retrying", "PENDING"),
    event("delivered", "DELIVERED"),
    event("blocked", "BLOCKED"),
    event("aborted", "ABORTED"),
    event("approved", "DELIVERED"),
    event("rejected", "ABORTED"),
    event("requeued", "PENDING"),
  ]),
);
