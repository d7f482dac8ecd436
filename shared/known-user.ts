/** The users that a server knows of: those who have jobs, API keys or sign-ins, and those who were revoked. */
import { z } from "zod";
import { Principal } from "./principal.ts";
import { Time } from "./time.ts";

/** A user in its tenant: `{ tenant: "acme", user: "ann" }`. */
export const UserRef = z.object({ tenant: z.string(), user: z.string() });
export type UserRef = z.infer<typeof UserRef>;

/** The same, checked as the id of a caller is. */
export const CheckedUser = z.object({
  tenant: Principal.shape.tenantId,
  user: Principal.shape.userId,
});
export type CheckedUser = z.infer<typeof CheckedUser>;

export const KnownUser = UserRef.extend({
  /** Stored jobs, settled or not. */
  jobs: z.number(),
  /** Those that are valid. */
  apiKeys: z.number(),
  signIns: z.number(),
  /** Tokens that were issued before it have ended. */
  revokedBefore: Time.nullable(),
});
export type KnownUser = z.infer<typeof KnownUser>;

/** Ordered by tenant and user. */
export const UserPage = z.object({
  items: z.array(KnownUser),
  /** The `after` of the next page; `null`: there is none. */
  next: UserRef.nullable(),
});
export type UserPage = z.infer<typeof UserPage>;

export const UserQuery = z.object({
  /** Absent: the users of all tenants. */
  tenant: z.string().optional(),
  /** `next` of the page before. */
  after: UserRef.nullable().optional(),
});
export type UserQuery = z.infer<typeof UserQuery>;
