/**
 * Delays the refusals of callers that keep asking. A connection has a limited number of requests under way, so it cannot make
 * the server refuse more than that number in the time of a delay.
 */
import { setTimeout as delay } from "node:timers/promises";

/** The average of the delays, which are between half of it and half as much again. */
export const SLOW_REFUSAL_MS = 1000;
/** Refusals that wait at the same time; further ones are answered at once. */
const MAX_SLOW_REFUSALS = 1000;

/** Never rejects. */
export type Slow = () => Promise<void>;

export function createSlow(slowMs: number): Slow {
  let waiting = 0;
  return async () => {
    if (waiting >= MAX_SLOW_REFUSALS) return;
    waiting += 1;
    // Not all at the same moment: callers that received their answers together ask together again.
    await delay(slowMs * (0.5 + Math.random()));
    waiting -= 1;
  };
}
