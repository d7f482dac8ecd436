/** Requests of clients that open and end no subscription. */
import type { Jobs } from "#server/jobs/jobs.ts";
import type { PresenceService } from "#server/presence/open.ts";
import { type LegacyWaitingAnswer, legacyOfWaiting } from "#shared/legacy-waiting.ts";
import type { Principal } from "#shared/principal.ts";
import { idsOf } from "./opening.ts";
import type { Request } from "./request.ts";

/** Returns the fields of the answer beside `ok`. */
export type Call = (
  principal: Principal,
  request: Request,
  device: string,
) => Promise<LegacyWaitingAnswer | undefined>;

/** Rejects as `PresenceService.setTyping` and `Jobs.waiting` do. */
export function createCalls({
  presence,
  jobs,
}: {
  presence: Pick<PresenceService, "setTyping">;
  jobs: Pick<Jobs, "waiting">;
}): Call {
  return async (principal, { action, ref }, device) => {
    const jobId = idsOf(ref).job_id ?? "";
    if (action === "why waiting") {
      return { waiting: legacyOfWaiting(await jobs.waiting(principal, jobId)) };
    }
    await presence.setTyping(principal, jobId, action === "type", device);
    return undefined;
  };
}
