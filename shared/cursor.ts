/** `lastEventId`: the position up to which a watcher has read. The same on every transport and engine (S9). */
import { z } from "zod";

export const Cursor = z
  .string()
  .regex(/^\d{1,15}$/, "Must be the id of an event that this stream sent, or 0 for everything");

/** `undefined` starts with the current state, `0` replays everything. */
export function positionOf(cursor: string | undefined): number | undefined {
  return cursor === undefined ? undefined : Number(cursor);
}
