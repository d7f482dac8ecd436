/** The part of an engine that gives jobs to another owner. Its errors are those of every method of an engine (`contract.ts`). */
import { AppError } from "#shared/errors.ts";
import { isSameOwner, type Owner } from "#shared/principal.ts";

export interface Assignment {
  /**
   * Gives jobs and batches of one owner to another, about `limit` of them: all that belongs to them goes along, and both feeds
   * show it. An idempotency key that the new owner has used already is dropped. A call that was interrupted loses nothing, and
   * the next one to the same owner goes on with it.
   * `BAD_REQUEST` where the two are one, and where an interrupted call to another owner is to be repeated first.
   */
  assign(from: Owner, to: Owner, limit: number): Promise<Assigned>;
}

export interface Assigned {
  /** Jobs and batches. 0: the engine can move no more now. */
  moved: number;
  /**
   * Once `moved` is 0: jobs that the engine cannot move before they, and all others of their batches, have settled. A later
   * call can.
   */
  unsettled: Unsettled;
}

export interface Unsettled {
  count: number;
  /** The ids of some of them. */
  some: readonly string[];
}

export const NONE_UNSETTLED: Unsettled = { count: 0, some: [] };

export function refuseSameOwner(from: Owner, to: Owner): void {
  if (isSameOwner(from, to))
    throw new AppError("BAD_REQUEST", "The jobs belong to this user already.");
}
