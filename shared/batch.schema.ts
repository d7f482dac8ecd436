import { z } from "zod";
import type { Batch, BatchAggregate } from "./batch.ts";
import { OwnerSchema } from "./principal.schema.ts";
import { schemaFor } from "./schema-for.ts";

export const BatchAggregateSchema = schemaFor<BatchAggregate>()(
  z.object({
    batchId: z.uuid(),
    version: z.int().min(1),
    total: z.int(),
    completed: z.int(),
    delivered: z.int(),
    blocked: z.int(),
    aborted: z.int(),
    progress: z.int().min(0).max(100),
    status: z.enum(["pending", "running", "completed", "failed"]),
    message: z.string(),
    at: z.date(),
    gap: z.literal(true).optional(),
  }),
);

export const BatchSchema = schemaFor<Batch>()(
  BatchAggregateSchema.omit({ gap: true }).extend({
    id: z.uuid(),
    name: z.string().nullable(),
    ...OwnerSchema.shape,
    createdAt: z.date(),
  }),
);
