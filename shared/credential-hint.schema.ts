import { z } from "zod";
import type { CredentialHint } from "./credential-hint.ts";
import { schemaFor } from "./schema-for.ts";

export const CredentialHintSchema = schemaFor<CredentialHint>()(
  z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("key"), hash: z.string() }),
    z.object({ kind: z.literal("token"), tenant: z.string(), hash: z.string() }),
    z.object({ kind: z.literal("user"), tenant: z.string(), user: z.string() }),
    z.object({ kind: z.literal("sign-in"), id: z.string() }),
    z.object({ kind: z.literal("link"), id: z.string() }),
    z.object({ kind: z.literal("ticket"), id: z.string() }),
    z.object({ kind: z.literal("any") }),
  ]),
);
