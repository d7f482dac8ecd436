/** How a caller counts, and what it may see of others. */
import { createHash, randomUUID } from "node:crypto";
import type { Who } from "#server/engine/presence-store.ts";
import { hasScope, LOCAL_PRINCIPAL, type Principal } from "#shared/principal.ts";
import type { PresenceTopic } from "#shared/presence.ts";
import { PERSON_SCOPES } from "#shared/scopes.ts";

/** The part that a caller sees: names and numbers, numbers alone, or itself alone. */
export type View = "names" | "numbers" | "own";

/**
 * A person of the tenant counts by their user id. All viewers of a share link have the user id of the link, and all callers of a
 * server without sign-in have one as well, so they count by `device`, which they choose; without one, each watch is a guest.
 */
export function whoIs(principal: Principal, device: string | undefined): Who {
  if (isPerson(principal)) return `u${principal.userId}`;
  if (device === undefined) return `g${randomUUID()}`;
  // Short, and of its user: a guess of another's device is of no use.
  const hash = createHash("sha256").update(JSON.stringify([principal.userId, device]));
  return `g${hash.digest("base64url").slice(0, 22)}`;
}

export function viewOf(principal: Principal, topic: PresenceTopic): View {
  if (!isPerson(principal) || !hasScope(principal, "jobs:read")) return "numbers";
  return topic !== "tenant" || hasScope(principal, "tenant") ? "names" : "own";
}

/** False for stream tokens and share links, which have no scope of a person, and for callers of a server without sign-in. */
function isPerson(principal: Principal): boolean {
  return !isAnonymous(principal) && PERSON_SCOPES.some((scope) => hasScope(principal, scope));
}

function isAnonymous({ userId, tenantId }: Principal): boolean {
  return userId === LOCAL_PRINCIPAL.userId && tenantId === LOCAL_PRINCIPAL.tenantId;
}
