/** Revocations, as people ask for them. */
import { z } from "zod";
import { MAX_TOKEN_CHARS } from "./limits.ts";
import { Principal } from "./principal.ts";
import { Time } from "./time.ts";

const { tenantId: tenant, userId: user } = Principal.shape;

/** A token, by its `jti`. */
export const TokenToRevoke = z.object({
  tokenId: z.string().min(1).max(MAX_TOKEN_CHARS),
  /** Its `exp`. Absent: it lives for 400 days at most. */
  expiresAt: Time.nullable().default(null),
});
export type TokenToRevoke = z.infer<typeof TokenToRevoke>;

/** Whatever a user was issued up to now. */
export const UserToRevoke = z.object({ user });
export type UserToRevoke = z.infer<typeof UserToRevoke>;

export const ToRevoke = z.union([TokenToRevoke.strict(), UserToRevoke.strict()]);
export type ToRevoke = z.infer<typeof ToRevoke>;

export const RevocationRequest = z.object({ tenant, what: ToRevoke });
export type RevocationRequest = z.infer<typeof RevocationRequest>;

/** What a revocation has ended. */
export const Revoked = z.union([
  z.object({
    tenant,
    tokenId: z.string(),
    /** The revocation may be forgotten after it. */
    keptUntil: Time,
  }),
  z.object({
    tenant,
    user,
    /** Tokens that were issued before this moment have ended. It has passed when the caller is answered. */
    before: Time,
    /** How many were ended. */
    apiKeys: z.number(),
    signIns: z.number(),
  }),
]);
export type Revoked = z.infer<typeof Revoked>;
