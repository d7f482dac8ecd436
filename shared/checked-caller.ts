/** A caller whose credential the server itself has checked. */
import { z } from "zod";
import { Authenticated } from "./principal.ts";

/** Names a credential without giving it away, so that its revocation also ends what it was used for. */
export const CredentialRef = z.object({
  /** `oidc`: the person signed in at a provider of OpenID Connect. */
  kind: z.enum(["token", "key", "oidc"]),
  /** The `jti` of a token, the id of a key, the issuer that a provider has; `null` if the token has none. */
  id: z.string().nullable(),
  /** When it was issued, in milliseconds since the epoch. Absent: a token that does not say, or a key. */
  issuedAt: z.number().optional(),
  /** Of a key: the hash by which the engine finds it. */
  keyHash: z.string().optional(),
});
export type CredentialRef = z.infer<typeof CredentialRef>;

/** The caller that made a stream token or a share link. */
export const Maker = z.object({
  user: z.string(),
  credential: CredentialRef,
  /** The sign-in by which the maker sent its request. */
  signInId: z.string().optional(),
});
export type Maker = z.infer<typeof Maker>;

/** What the server's own `authenticate` returns. */
export const CheckedCaller = Authenticated.extend({
  credential: CredentialRef.optional(),
  /** Present if a cookie identifies the caller. Signing out ends what carries this id. */
  signInId: z.string().optional(),
  /** Present if a stream token or a share link identifies the caller: it ends with the credential of its maker. */
  maker: Maker.optional(),
  /** Present if a share link identifies the caller. */
  link: z.object({ tenant: z.string(), stream: z.string(), id: z.string() }).optional(),
  /** Present if a ticket identifies the caller, for one connection: it ends when another one holds the ticket. */
  ticket: z
    .object({ tenant: z.string(), user: z.string(), id: z.string(), holder: z.string() })
    .optional(),
});
export type CheckedCaller = z.infer<typeof CheckedCaller>;
