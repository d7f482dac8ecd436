import { z } from "zod";
import { type Actor, ACTOR_VIAS } from "./actor.ts";
import { schemaFor } from "./schema-for.ts";

export const ActorSchema = schemaFor<Actor>()(
  z.object({ user: z.string(), via: z.enum(ACTOR_VIAS), scheduleId: z.string().optional() }),
);
