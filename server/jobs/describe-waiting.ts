/** Turns what an engine tells of a waiting job into a reason, and a sentence for people. Pure. */
import type { Waiting } from "#server/engine/contract.ts";
import { cutText } from "#shared/cut-text.ts";
import type { LimitsOfKind } from "#shared/kind-policies.ts";
import type { PauseScope } from "#shared/pause.ts";
import { aheadOf, type CountedByKey, durationOf, type JobWaiting } from "#shared/waiting.ts";

/** Of a key, in a sentence. */
const MAX_SHOWN_CHARS = 60;

/**
 * Where several things keep the job, the one that keeps it for certain, or for longest, is the reason. It tells nothing of other
 * tenants but that the limit of the kind, which `kind.list` shows, is reached. `paused`: the pause that concerns the job, if any.
 */
export function describeWaiting(
  { key, startsInMs, ahead, running, rateInMs }: Waiting,
  limits: LimitsOfKind = {},
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
    const message = `${jobsOf(paused)} are paused`;
    return { reason: "queued", ahead, message };
  }
  const { perKey } = limits;
  const ofKind = limits.concurrency;
  if (ofKind !== undefined && running.kind >= ofKind) {
    const message = and(`${ofKind} of its kind may run at a time, and do`);
    return { reason: "concurrency", of: "kind", limit: ofKind, ahead, message };
  }
  const ofKey = perKey?.concurrency;
  if (ofKey !== undefined && key !== null && running.key !== null && running.key >= ofKey) {
    const others = running.key === 1 ? "another job" : `${running.key} others`;
    const message = and(`It waits for ${others} of ${keyInWords(key, perKey)}`);
    return { reason: "concurrency", ...byKey(key, perKey), limit: ofKey, ahead, message };
  }
  const [kindInMs, keyInMs] = [rateInMs.kind, rateInMs.key ?? 0];
  if (key !== null && keyInMs > kindInMs) {
    const next = `The next one of ${keyInWords(key, perKey)}`;
    const message = and(`${next} may start in ${durationOf(keyInMs)}`);
    return { reason: "rate", ...byKey(key, perKey), startsInMs: keyInMs, ahead, message };
  }
  if (kindInMs > 0) {
    const message = and(`The next one of its kind may start in ${durationOf(kindInMs)}`);
    return { reason: "rate", of: "kind", startsInMs: kindInMs, ahead, message };
  }
  const message = ahead === 0 ? "It starts when a worker is free" : aheadOf(ahead);
  return { reason: "queued", ahead, message };
}

function jobsOf({ tenant, kind }: PauseScope): string {
  if (kind === undefined) return tenant === undefined ? "All jobs" : "The jobs of its tenant";
  return tenant === undefined ? "The jobs of its kind" : "The jobs of its kind and tenant";
}

type Named = LimitsOfKind["perKey"];

function byKey(key: string, named: Named): CountedByKey {
  const keyName = named?.keyName;
  return { of: "key", key, ...(keyName !== undefined && { keyName }) };
}

/** Keys are made of what callers send: one that is long, or would break a line or turn it around, is shown in part. */
function keyInWords(key: string, named: Named): string {
  if (named?.keyName === undefined) return "its key";
  const line = key.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\uFFFD");
  return `${named.keyName} ${line === "" ? '""' : cutText(line, MAX_SHOWN_CHARS)}`;
}
