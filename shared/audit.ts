/** The audit list of a tenant: one entry for each command that changed something, without the contents of any job. */
import { type ActingPrincipal, type Actor, actorOf, type ActorVia } from "./actor.ts";
import { cutText } from "./cut-text.ts";
import { MAX_PRINCIPAL_CHARS } from "./limits.ts";

export const AUDIT_ACTIONS = [
  "job.create",
  "job.cancel",
  "job.retry",
  "job.approve",
  "job.reject",
  "job.regenerate",
  "job.share",
  "job.unshare",
  "batch.create",
  "batch.cancel",
  "batch.share",
  "batch.unshare",
  "schedule.upsert",
  "schedule.pause",
  "schedule.resume",
  "schedule.trigger",
  "schedule.delete",
  "worker.drain",
  "worker.resume",
  "pause.set",
  "pause.remove",
  "key.create",
  "key.revoke",
  "token.revoke",
  "user.revoke",
  "user.assign",
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditActor extends Omit<Actor, "via" | "scheduleId"> {
  /** `command`: the command `jobwire`, so the server's operator. Its `user` is empty. */
  via: ActorVia | "command";
  /** The id of the API key, or the `jti` of the token, also where a sign-in was made with it. `null`: it has none. */
  credential: string | null;
}

export interface AuditEntry {
  at: Date;
  action: AuditAction;
  /** The id of the job, batch, schedule, API key, worker or user, the `jti` of the token, or the scope of a pause. */
  target: string;
  actor: AuditActor;
}

/** An entry as clients receive it. `id` tells it from the others of its tenant's list. */
export type AuditItem = AuditEntry & { id: string };

/** The list of what concerns the whole instance. No tenant has this name: theirs are not empty. */
export const INSTANCE_LIST = "";

export const COMMAND_ACTOR: AuditActor = { user: "", via: "command", credential: null };

export function auditActorOf(principal: ActingPrincipal): AuditActor {
  const { id = null } = principal.credential ?? {};
  // The issuer of a token chooses the length of its `jti`.
  const credential = id === null ? null : cutText(id, MAX_PRINCIPAL_CHARS);
  return { ...actorOf(principal), credential };
}
