/** The idempotency keys of firings. No caller can send such a key: `Key` of `server/jobs/inputs.ts` refuses it. */
import { INTERNAL_KEY } from "#shared/internal-key.ts";

/** One firing of a schedule has one key, in every process and after every crash. */
export function firingKey(scheduleId: string, dueAt: Date, why: "plan" | "hand" = "plan"): string {
  return `${INTERNAL_KEY}schedule:${scheduleId}:${why}:${dueAt.getTime()}`;
}
