import { z } from "zod";
import { ActorSchema } from "./actor.schema.ts";
import { ACTOR_VIAS } from "./actor.ts";
import { AUDIT_ACTIONS, type AuditEntry } from "./audit.ts";
import { schemaFor } from "./schema-for.ts";

export const AuditActionSchema = z.enum(AUDIT_ACTIONS);

const AuditActorSchema = ActorSchema.omit({ scheduleId: true }).extend({
  via: z.enum([...ACTOR_VIAS, "command"]),
  credential: z.string().nullable(),
});

export const AuditEntrySchema = schemaFor<AuditEntry>()(
  z.object({
    at: z.date(),
    action: AuditActionSchema,
    target: z.string(),
    actor: AuditActorSchema,
  }),
);
