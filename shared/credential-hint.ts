/** What engines and gateways tell each other of credentials that ended. */

/**
 * Which credentials may have ended: an API key, a token, all that a user had, a sign-in, a share link, a connection by a ticket
 * that another one has taken over, or any of them. `hash` is the SHA-256 of the key, or of the token's `jti`.
 */
export type CredentialHint =
  | { kind: "key"; hash: string }
  | { kind: "token"; tenant: string; hash: string }
  | { kind: "user"; tenant: string; user: string }
  | { kind: "sign-in"; id: string }
  | { kind: "link"; id: string }
  | { kind: "ticket"; id: string }
  | { kind: "any" };
