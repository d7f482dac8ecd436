/** The part of an engine that gives jobs to another owner. Its errors are those of every method of an engine (`contract.ts`). */
import { AppError } from "#shared/errors.ts";
import type { Owner } from "#shared/principal.ts";

export interface Assignment {
  /**
   * Gives jobs and batches of one owner to another, at most `limit` of each: all that belongs to them goes along, and both feeds
   * show it. An idempotency key that the new owner has used already is dropped. Returns how many were moved; 0: none is left.
   * `BAD_REQUEST` where the two are one, and where the engine cannot move jobs to another tenant.
   */
  assign(from: Owner, to: Owner, limit: number): Promise<number>;
}

export function refuseSameOwner(from: Owner, to: Owner): void {
  if (from.tenant !== to.tenant || from.owner !== to.owner) return;
  throw new AppError("BAD_REQUEST", "The jobs belong to this user already.");
}
