/**
 * The order of the queue in numbers, which are the same on every engine. `claim` of `claiming.ts` says how they are used.
 */

/** A level of priority counts as much as to have waited that long. */
export const PRIORITY_LEVEL_MS = 10 * 60_000;

/**
 * `queuedAt`: milliseconds. Of the ready jobs of a tenant the one with the smallest rank is next; so a job that waits ages.
 */
export function rankOf(queuedAt: number, priority: number): number {
  return queuedAt - priority * PRIORITY_LEVEL_MS;
}

/** Delays that a claim notices at most. */
export const MAX_DELAYS_A_CLAIM = 1000;

/** The weights of tenants, whole numbers from 1. Tenants that are not in it have 1. */
export type TenantWeights = ReadonlyMap<string, number>;

/** A turn in which tenants of weight 1 get one job each. Whole weights to 12 divide it. */
const WHOLE_TURN = 27_720;

/**
 * How far a job moves the turn of its tenant. A whole number: sums of fractions would depend on the order of additions, and
 * on the engine. It is at least 1, and 2 ** 53 is enough for a thousand jobs a second in ten years.
 */
export function stepOf(weights: TenantWeights, tenant: string): number {
  return Math.round(WHOLE_TURN / (weights.get(tenant) ?? 1));
}

/**
 * The turn of a tenant after a job from `turn`. `newest`: the largest turn from which a job was given so far. A tenant whose
 * jobs were held back for long is not left more than one whole turn behind, so it does not keep the others waiting.
 */
export function turnAfter(turn: number, newest: number, step: number): number {
  return Math.max(turn, newest - WHOLE_TURN) + step;
}
