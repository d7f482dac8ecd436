/** Bounds the pages of a job's log by the size of the details in them. */
import type { JobEvent } from "#shared/events.ts";
import { MAX_PAGE_DETAILS } from "#shared/limits.ts";

/** The first of these events, up to the one with which their details exceed `MAX_PAGE_DETAILS`. */
export function eventsOfPage(events: JobEvent[]): JobEvent[] {
  let length = 0;
  for (const [index, { details }] of events.entries()) {
    if (details === undefined) continue;
    length += JSON.stringify(details).length;
    if (length > MAX_PAGE_DETAILS) return events.slice(0, index + 1);
  }
  return events;
}
