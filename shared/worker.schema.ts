import { z } from "zod";
import { schemaFor } from "./schema-for.ts";
import { TimeSchema } from "./time.schema.ts";
import { type Worker, WORKER_STATES, type WorkerPage } from "./worker.ts";

export const WorkerSchema = schemaFor<Worker>()(
  z.object({
    id: z.string(),
    name: z.string(),
    host: z.string(),
    pid: z.int(),
    version: z.string(),
    kinds: z.array(z.string()),
    kindCount: z.int(),
    slots: z.int(),
    startedAt: TimeSchema,
    state: z.enum(WORKER_STATES),
    running: z.int(),
    jobs: z.array(
      z.object({
        id: z.string(),
        kind: z.string(),
        tenant: z.string(),
        attempt: z.int(),
        since: TimeSchema,
      }),
    ),
  }),
);

export const WorkerPageSchema = schemaFor<WorkerPage>()(
  z.object({ items: z.array(WorkerSchema), nextCursor: z.string().nullable() }),
);
