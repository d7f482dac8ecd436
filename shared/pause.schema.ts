import { z } from "zod";
import { ACTOR_VIAS } from "./actor.ts";
import type { Pause } from "./pause.ts";
import { schemaFor } from "./schema-for.ts";
import { TimeSchema } from "./time.schema.ts";

export const PauseSchema = schemaFor<Pause>()(
  z.object({
    tenant: z.string().optional(),
    kind: z.string().optional(),
    at: TimeSchema,
    note: z.string(),
    by: z.object({ user: z.string(), via: z.enum([...ACTOR_VIAS, "command"]) }),
  }),
);
