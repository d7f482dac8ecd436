import { z } from "zod";
import type { CheckedCaller, CredentialRef, Maker } from "./checked-caller.ts";
import { AuthenticatedSchema } from "./principal.schema.ts";
import { schemaFor } from "./schema-for.ts";

export const CredentialRefSchema = schemaFor<CredentialRef>()(
  z.object({
    kind: z.enum(["token", "key", "oidc"]),
    id: z.string().nullable(),
    issuedAt: z.number().optional(),
    keyHash: z.string().optional(),
  }),
);

export const MakerSchema = schemaFor<Maker>()(
  z.object({
    user: z.string(),
    credential: CredentialRefSchema,
    signInId: z.string().optional(),
  }),
);

export const CheckedCallerSchema = schemaFor<CheckedCaller>()(
  AuthenticatedSchema.extend({
    credential: CredentialRefSchema.optional(),
    signInId: z.string().optional(),
    maker: MakerSchema.optional(),
    link: z.object({ tenant: z.string(), stream: z.string(), id: z.string() }).optional(),
    ticket: z
      .object({ tenant: z.string(), user: z.string(), id: z.string(), holder: z.string() })
      .optional(),
  }),
);
