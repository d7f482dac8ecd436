/**
 * Delays the refusals of callers that keep asking. A connection has a limited number of requests under way, so it cannot make
 * the server refuse more than that number in the time of a delay.
 */
import { setTimeout as delay } from "node:timers/promises";

export const SLOW_REFUSAL_MS = 1000;
/** Refusals that wait at the same time; further ones are answered at once. */
const MAX_SLOW_REFUSALS = 1000;

/** Resolves after `ms`, or after the time of a delay if that is shorter. Never rejects. */
export type Slow = (ms: number) => Promise<void>;

export function createSlow(slowMs: number): Slow {
  let waiting = 0;
  return async (ms) => {
    if (waiting >= MAX_SLOW_REFUSALS) return;
    waiting += 1;
    await delay(Math.min(ms, slowMs));
    waiting -= 1;
  };
}
