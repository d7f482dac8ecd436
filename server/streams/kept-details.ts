/** Bounds the details among the entries that a tail keeps: a stream with large ones keeps fewer entries. */

/** Entries that a tail keeps for watchers that return a moment later. Older ones are read from the log. */
export const KEPT_ENTRIES = 256;
/** The details in them, as JSON, in UTF-16 units. */
const MAX_KEPT_DETAILS = 256 * 1024;

/** How many entries without details one with these details stands for: 1 and more, also if it has none. */
export function weightOf(details: unknown): number {
  if (details === undefined) return 1;
  return 1 + Math.floor((JSON.stringify(details).length * KEPT_ENTRIES) / MAX_KEPT_DETAILS);
}
