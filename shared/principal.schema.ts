import { z } from "zod";
import { isWellFormed } from "./cut-text.ts";
import { MAX_PRINCIPAL_CHARS, MAX_SCOPES } from "./limits.ts";
import type { Authenticated, Owner, Principal } from "./principal.ts";
import { schemaFor } from "./schema-for.ts";

/** Well-formed: engines store all lone surrogates as the same character, so two ids would become one owner. */
const Id = z
  .string()
  .min(1)
  .max(MAX_PRINCIPAL_CHARS)
  .refine(isWellFormed, "Must be well-formed Unicode");

export const PrincipalSchema = schemaFor<Principal>()(
  z.object({
    userId: Id,
    tenantId: Id,
    scopes: z.array(z.string().max(MAX_PRINCIPAL_CHARS)).max(MAX_SCOPES),
  }),
);

export const AuthenticatedSchema = schemaFor<Authenticated>()(
  PrincipalSchema.extend({ expiresAt: z.number().optional() }),
);

export const OwnerSchema = schemaFor<Owner>()(
  z.object({ tenant: z.string().min(1), owner: z.string().min(1) }),
);
