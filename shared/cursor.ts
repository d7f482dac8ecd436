/** `lastEventId`: the position up to which a watcher has read. The same on every transport and engine (S9). */

export const CURSOR = /^\d{1,15}$/;

/** `undefined` starts with the current state, `0` replays everything. */
export function positionOf(cursor: string | undefined): number | undefined {
  return cursor === undefined ? undefined : Number(cursor);
}
