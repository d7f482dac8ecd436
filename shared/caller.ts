/** A caller whose credential the server itself has checked: a principal, and how long and by what it is one. */
import { z } from "zod";
import { Principal } from "./principal.ts";

/** Names a credential without giving it away, so that its revocation also ends what it was used for. */
export const CredentialRef = z.object({
  kind: z.enum(["token", "key"]),
  /** The `jti` of a token, the id of a key; `null` if the token has none. */
  id: z.string().nullable(),
});
export type CredentialRef = z.infer<typeof CredentialRef>;

/** The additional fields are absent where the `authenticate` of an embedding program answers. */
export const Caller = Principal.extend({
  /** Milliseconds since the epoch. Absent: it does not end. */
  expiresAt: z.number().optional(),
  credential: CredentialRef.optional(),
  /** Present if a cookie identifies the caller. Signing out ends what carries this id. */
  signInId: z.string().optional(),
});
export type Caller = z.infer<typeof Caller>;
