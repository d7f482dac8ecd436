/** The kinds of which the limits let a job start, and the tenant whose turn is next among them. */
import { type KeyLimits, untilStart } from "#server/engine/kind-limits.ts";
import { isTurnBefore, type Kind, type Tenant } from "./queue-lines.ts";

/** Its limits let one of its jobs start now, and it has one in an open line. */
export function isFree({ limits, running, until, inTurn }: Kind, now: number): boolean {
  if (inTurn.size === 0) return false;
  if (limits === undefined) return true;
  return isBelow(limits, running) && rateIn(limits, until, now) === 0;
}

/** The tenant whose turn is next among those with a job of these kinds. `undefined`: none has one that is not held back. */
export function nextTenant(free: ReadonlySet<Kind>): Tenant | undefined {
  let next: Tenant | undefined;
  for (const { inTurn } of free) {
    const tenant = inTurn.first()?.tenant;
    if (tenant === undefined) continue;
    if (next === undefined || isTurnBefore(tenant, next)) next = tenant;
  }
  return next;
}

export function isBelow(limits: KeyLimits | undefined, running: number): boolean {
  return running < (limits?.concurrency ?? Number.POSITIVE_INFINITY);
}

/** Milliseconds. */
export function rateIn(limits: KeyLimits | undefined, until: number, now: number): number {
  return limits?.rate === undefined ? 0 : untilStart(limits.rate, until, now);
}
