/** A caller whose credential the server itself has checked. */
import type { Authenticated } from "./principal.ts";

/** Names a credential without giving it away, so that its revocation also ends what it was used for. */
export interface CredentialRef {
  /** `oidc`: the person signed in at a provider of OpenID Connect. */
  kind: "token" | "key" | "oidc";
  /** The `jti` of a token, the id of a key, the issuer that a provider has; `null` if the token has none. */
  id: string | null;
  /** When it was issued, in milliseconds since the epoch. Absent: a token that does not say, or a key. */
  issuedAt?: number | undefined;
  /** Of a key: the hash by which the engine finds it. */
  keyHash?: string | undefined;
}

/** The caller that made a stream token or a share link. */
export interface Maker {
  user: string;
  credential: CredentialRef;
  /** The sign-in by which the maker sent its request. */
  signInId?: string | undefined;
}

/** What the server's own `authenticate` returns. */
export interface CheckedCaller extends Authenticated {
  credential?: CredentialRef | undefined;
  /** Present if a cookie identifies the caller. Signing out ends what carries this id. */
  signInId?: string | undefined;
  /** Present if a stream token or a share link identifies the caller: it ends with the credential of its maker. */
  maker?: Maker | undefined;
  /** Present if a share link identifies the caller. */
  link?: { tenant: string; stream: string; id: string } | undefined;
  /** Present if a ticket identifies the caller, for one connection: it ends when another one holds the ticket. */
  ticket?: { tenant: string; user: string; id: string; holder: string } | undefined;
}
