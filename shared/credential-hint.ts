/** What engines and gateways tell each other of credentials that ended. */
import { z } from "zod";

/**
 * Which credentials may have ended: an API key, a token, all that a user had, a sign-in, a share link, a connection by a ticket
 * that another one has taken over, or any of them. `hash` is the SHA-256 of the key, or of the token's `jti`.
 */
export const CredentialHint = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("key"), hash: z.string() }),
  z.object({ kind: z.literal("token"), tenant: z.string(), hash: z.string() }),
  z.object({ kind: z.literal("user"), tenant: z.string(), user: z.string() }),
  z.object({ kind: z.literal("sign-in"), id: z.string() }),
  z.object({ kind: z.literal("link"), id: z.string() }),
  z.object({ kind: z.literal("ticket"), id: z.string() }),
  z.object({ kind: z.literal("any") }),
]);
export type CredentialHint = z.infer<typeof CredentialHint>;
