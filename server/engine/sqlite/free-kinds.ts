/** The kinds of which the limits let a job start, and the tenant whose turn is next among them. */
import { type KeyLimits, untilStart } from "#server/engine/kind-limits.ts";
import { isWantedKind, type Wanted } from "#server/engine/wanted.ts";
import { isTurnBefore, type Kind, type Lines, type Tenant } from "./queue-lines.ts";

/** Its limits let one of its jobs start now, and it has one in an open line. */
export function isFree({ limits, running, until, inTurn }: Kind, now: number): boolean {
  if (inTurn.size === 0) return false;
  if (limits === undefined) return true;
  return isBelow(limits, running) && rateIn(limits, until, now) === 0;
}

/** The kinds of which a claim may take a job. */
export function freeKinds({ kinds }: Pick<Lines, "kinds">, wanted: Wanted = {}, now: number) {
  const all = [...kinds.values()];
  return new Set(all.filter((kind) => isWantedKind(wanted, kind.name) && isFree(kind, now)));
}

/** The tenant whose turn is next among those with a job of these kinds. `undefined`: none has one that is not held back. */
export function nextTenant(
  { tenantOf }: Pick<Lines, "tenantOf">,
  free: ReadonlySet<Kind>,
  wanted: Wanted = {},
): Tenant | undefined {
  if (wanted.tenant !== undefined) {
    const only = tenantOf(wanted.tenant);
    return only !== undefined && isInTurn(only, free) ? only : undefined;
  }
  let next: Tenant | undefined;
  for (const { inTurn } of free) {
    const tenant = inTurn.first()?.tenant;
    if (tenant === undefined) continue;
    if (next === undefined || isTurnBefore(tenant, next)) next = tenant;
  }
  return next;
}

/** It has a job of these kinds that is not held back, and no pause. */
function isInTurn({ groups }: Tenant, free: ReadonlySet<Kind>): boolean {
  for (const [kind, group] of groups) if (free.has(kind) && kind.inTurn.has(group)) return true;
  return false;
}

export function isBelow(limits: KeyLimits | undefined, running: number): boolean {
  return running < (limits?.concurrency ?? Number.POSITIVE_INFINITY);
}

/** Milliseconds. */
export function rateIn(limits: KeyLimits | undefined, until: number, now: number): number {
  return limits?.rate === undefined ? 0 : untilStart(limits.rate, until, now);
}
