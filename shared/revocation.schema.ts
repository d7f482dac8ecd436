import { z } from "zod";
import { MAX_TOKEN_CHARS } from "./limits.ts";
import { PrincipalSchema } from "./principal.schema.ts";
import type {
  RevocationRequest,
  Revoked,
  TokenToRevoke,
  ToRevoke,
  UserToRevoke,
} from "./revocation.ts";
import { schemaFor } from "./schema-for.ts";
import { TimeSchema } from "./time.schema.ts";

const { tenantId: tenant, userId: user } = PrincipalSchema.shape;

export const TokenToRevokeSchema = schemaFor<TokenToRevoke>()(
  z.object({
    tokenId: z.string().min(1).max(MAX_TOKEN_CHARS),
    expiresAt: TimeSchema.nullable().default(null),
  }),
);

export const UserToRevokeSchema = schemaFor<UserToRevoke>()(z.object({ user }));

export const ToRevokeSchema = schemaFor<ToRevoke>()(
  z.union([TokenToRevokeSchema.strict(), UserToRevokeSchema.strict()]),
);

export const RevocationRequestSchema = schemaFor<RevocationRequest>()(
  z.object({ tenant, what: ToRevokeSchema }),
);

export const RevokedSchema = schemaFor<Revoked>()(
  z.union([
    z.object({ tenant, tokenId: z.string(), keptUntil: TimeSchema }),
    z.object({ tenant, user, before: TimeSchema, apiKeys: z.number(), signIns: z.number() }),
  ]),
);
