/** The part of an engine that stores pauses. Its methods reject as those of the engine do (`contract.ts`). */
import { AppError } from "#shared/errors.ts";
import { MAX_PAUSED_KINDS, MAX_PAUSES } from "#shared/limits.ts";
import type { Pause, PauseScope } from "#shared/pause.ts";

/**
 * A claim gives no job that a stored pause concerns, neither a ready one nor one whose lease ended. Once `set` has answered, no
 * claim that begins later does, in any process; once `remove` has, the next one may, and `onWork` tells of it.
 */
export interface PauseStore {
  /**
   * Stores a pause, unless there is one of the same scope: then returns that one. `BAD_REQUEST` when there are `MAX_PAUSES`, or
   * `MAX_PAUSED_KINDS` of kinds of the same tenant, or of all.
   */
  set(pause: Pause): Promise<Pause | undefined>;
  /** Returns the pause that it removed. */
  remove(scope: PauseScope): Promise<Pause | undefined>;
  /** By tenant and kind; the one of all jobs first. */
  list(): Promise<Pause[]>;
}

export function tooManyPauses(): AppError {
  return new AppError(
    "BAD_REQUEST",
    `There are ${MAX_PAUSES} pauses (MAX_PAUSES), which is the most. Remove one first.`,
  );
}

export function tooManyPausedKinds(): AppError {
  return new AppError(
    "BAD_REQUEST",
    `${MAX_PAUSED_KINDS} kinds are paused (MAX_PAUSED_KINDS), the most of a tenant, or of all. Resume one first.`,
  );
}

/** The order of `list`. */
export function byScope(one: PauseScope, other: PauseScope): number {
  return compare(one.tenant, other.tenant) || compare(one.kind, other.kind);
}

function compare(one = "", other = ""): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}
