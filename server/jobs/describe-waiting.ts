/** Turns what an engine tells of a waiting job into a reason, and a sentence for people. Pure. */
import type { KindLimits, Waiting } from "#server/engine/contract.ts";
import { isOfAll, type PauseScope } from "#shared/pause.ts";
import { aheadOf, durationOf, type JobWaiting } from "#shared/waiting.ts";

/**
 * Where several things keep the job, the one that keeps it for certain, or for longest, is the reason. It tells nothing of other
 * tenants but that the limit of the kind, which `kind.list` shows, is reached. `paused`: the pause that concerns the job, if any.
 */
export function describeWaiting(
  { startsInMs, ahead, running, rateInMs }: Waiting,
  limits: KindLimits = {},
  paused?: PauseScope,
): JobWaiting {
  if (startsInMs !== null) {
    return {
      reason: "delayed",
      startsInMs,
      ahead,
      message: `It starts in ${durationOf(startsInMs)}`,
    };
  }
  const and = (sentence: string) =>
    [sentence, aheadOf(ahead)].filter((part) => part !== "").join(", and ");
  if (paused !== undefined) {
    const message = `${isOfAll(paused) ? "All jobs" : "The jobs of its tenant"} are paused`;
    return { reason: "queued", ahead, message };
  }
  const ofKind = limits.concurrency;
  if (ofKind !== undefined && running.kind >= ofKind) {
    const message = and(`${ofKind} of its kind may run at a time, and do`);
    return { reason: "concurrency", of: "kind", limit: ofKind, ahead, message };
  }
  const ofKey = limits.perKey?.concurrency;
  if (ofKey !== undefined && running.key !== null && running.key >= ofKey) {
    const others = running.key === 1 ? "another job" : `${running.key} others`;
    const message = and(`It waits for ${others} of its key`);
    return { reason: "concurrency", of: "key", limit: ofKey, ahead, message };
  }
  const rate = Math.max(rateInMs.kind, rateInMs.key ?? 0);
  if (rate > 0) {
    const message = and(`The next one of its kind or key may start in ${durationOf(rate)}`);
    return { reason: "rate", startsInMs: rate, ahead, message };
  }
  const message = ahead === 0 ? "It starts when a worker is free" : aheadOf(ahead);
  return { reason: "queued", ahead, message };
}
