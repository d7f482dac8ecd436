import { z } from "zod";
import type { UserPage, UserQuery, UserRef } from "./known-user.ts";
import { PrincipalSchema } from "./principal.schema.ts";
import { schemaFor } from "./schema-for.ts";
import { TimeSchema } from "./time.schema.ts";

const UserRefSchema = z.object({ tenant: z.string(), user: z.string() });

/** A user in its tenant, checked as the id of a caller is. */
export const CheckedUserSchema = schemaFor<UserRef>()(
  z.object({
    tenant: PrincipalSchema.shape.tenantId,
    user: PrincipalSchema.shape.userId,
  }),
);

const KnownUserSchema = UserRefSchema.extend({
  jobs: z.number(),
  apiKeys: z.number(),
  signIns: z.number(),
  revokedBefore: TimeSchema.nullable(),
});

export const UserPageSchema = schemaFor<UserPage>()(
  z.object({ items: z.array(KnownUserSchema), next: UserRefSchema.nullable() }),
);

export const UserQuerySchema = schemaFor<UserQuery>()(
  z.object({ tenant: z.string().optional(), after: UserRefSchema.nullable().optional() }),
);
