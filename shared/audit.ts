/** The audit list of a tenant: one entry for each command that changed something, without the contents of any job. */
import { z } from "zod";
import { type ActingPrincipal, Actor, actorOf, ActorVia } from "./actor.ts";
import { cutText } from "./cut-text.ts";
import { MAX_PRINCIPAL_CHARS } from "./limits.ts";

export const AuditAction = z.enum([
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
  "key.create",
  "key.revoke",
  "token.revoke",
  "user.revoke",
  "user.assign",
]);
export type AuditAction = z.infer<typeof AuditAction>;

export const AuditActor = Actor.extend({
  /** `command`: the command `jobwire`, so the server's operator. Its `user` is empty. */
  via: z.enum([...ActorVia.options, "command"]),
  /** The id of the API key, or the `jti` of the token, also where a sign-in was made with it. `null`: it has none. */
  credential: z.string().nullable(),
});
export type AuditActor = z.infer<typeof AuditActor>;

export const AuditEntry = z.object({
  at: z.date(),
  action: AuditAction,
  /** The id of the job, batch, API key or user, or the `jti` of the token. */
  target: z.string(),
  actor: AuditActor,
});
export type AuditEntry = z.infer<typeof AuditEntry>;

/** An entry as clients receive it. `id` tells it from the others of its tenant's list. */
export type AuditItem = AuditEntry & { id: string };

export const COMMAND_ACTOR: AuditActor = { user: "", via: "command", credential: null };

export function auditActorOf(principal: ActingPrincipal): AuditActor {
  const { id = null } = principal.credential ?? {};
  // The issuer of a token chooses the length of its `jti`.
  const credential = id === null ? null : cutText(id, MAX_PRINCIPAL_CHARS);
  return { ...actorOf(principal), credential };
}
