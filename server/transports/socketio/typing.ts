/** A client says that it writes a note about a job, or has stopped. */
import type { PresenceService } from "#server/presence/open.ts";
import type { Principal } from "#shared/principal.ts";
import { idsOf } from "./opening.ts";
import type { Request } from "./request.ts";

export type SetTyping = (principal: Principal, request: Request, device: string) => Promise<void>;

/** Rejects as `PresenceService.setTyping` does. */
export function createTyping(presence: Pick<PresenceService, "setTyping">): SetTyping {
  return (principal, { action, ref }, device) =>
    presence.setTyping(principal, idsOf(ref).job_id ?? "", action === "type", device);
}
