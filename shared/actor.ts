/** The actor of an event: the caller that caused it, and how that caller proved who it is. */
import { z } from "zod";
import type { CredentialRef } from "./checked-caller.ts";
import type { Principal } from "./principal.ts";

export const ActorVia = z.enum([
  /** The server asks no caller who it is. */
  "anonymous",
  "token",
  "key",
  /** The cookie of a person who signed in on a page. */
  "sign-in",
  /** The `authenticate` function of an embedding program. */
  "authenticate",
]);
export type ActorVia = z.infer<typeof ActorVia>;

/**
 * Of the tenant of the event's job. It names no credential, because all who may read a job receive its events; the audit list
 * does (`audit.ts`).
 */
export const Actor = z.object({
  /** The caller's user id: at most `MAX_PRINCIPAL_CHARS`. */
  user: z.string(),
  via: ActorVia,
});
export type Actor = z.infer<typeof Actor>;

/** The principal of a command, and the credential that the command came with. */
export interface ActingPrincipal extends Principal {
  readonly via: ActorVia;
  /** Absent where there is none, or where an embedding program has checked it. */
  readonly credential?: CredentialRef | undefined;
}

export function actorOf({ userId, via }: ActingPrincipal): Actor {
  return { user: userId, via };
}
