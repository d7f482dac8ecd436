/** The actor of an event: the caller that caused it, and how that caller proved who it is. */
import type { CredentialRef } from "./checked-caller.ts";
import type { Principal } from "./principal.ts";

export const ACTOR_VIAS = [
  /** The server asks no caller who it is. */
  "anonymous",
  "token",
  "key",
  /** The cookie of a person who signed in on a page. */
  "sign-in",
  /** The `authenticate` function of an embedding program. */
  "authenticate",
  /** A schedule, for its owner. */
  "schedule",
] as const;
export type ActorVia = (typeof ACTOR_VIAS)[number];

/**
 * Of the tenant of the event's job. It names no credential, because all who may read a job receive its events; the audit list
 * does (`audit.ts`).
 */
export interface Actor {
  /** The caller's user id: at most `MAX_PRINCIPAL_CHARS`. */
  user: string;
  via: ActorVia;
  /** Of a job's first event: the schedule that created the job, also where a caller fired it by hand. */
  scheduleId?: string | undefined;
}

/** The principal of a command, and the credential that the command came with. */
export interface ActingPrincipal extends Principal {
  readonly via: ActorVia;
  /** Absent where there is none, or where an embedding program has checked it. */
  readonly credential?: CredentialRef | undefined;
}

export function actorOf({ userId, via }: ActingPrincipal): Actor {
  return { user: userId, via };
}
