/** The details of a mirrored job's events, which show its original. Pure. */
import { cutText, wellFormed } from "#shared/cut-text.ts";
import { MAX_DETAILS_BYTES } from "#shared/limits.ts";
import type { OutsideDetails } from "#shared/outside.ts";
import type { Sighting } from "./sightings.ts";
import type { BullmqDetails } from "./bullmq-details.ts";
import { stateOf } from "./plan-changes.ts";
import type { StoredJob } from "./stored-job.ts";

export const MAX_ID_CHARS = 500;
const MAX_NAME_CHARS = 300;

export function firstDetails({
  queue,
  id,
  name,
  isControlled,
}: {
  queue: string;
  id: string;
  name: string;
  isControlled: boolean;
}): BullmqDetails {
  return {
    queue,
    id: cutText(id, MAX_ID_CHARS),
    name: cutText(name, MAX_NAME_CHARS),
    state: "waiting",
    attemptsMade: 0,
    attempts: 1,
    ...(isControlled && { control: true }),
  };
}

/** Details after a sighting. `known`: those before it. `isRead`: the fields that events change are those of the stored job too. */
export function detailsAfter(
  known: BullmqDetails,
  {
    sighting,
    stored,
    isRead,
  }: { sighting: Sighting; stored: StoredJob | undefined; isRead: boolean },
): BullmqDetails {
  const details: BullmqDetails & Partial<OutsideDetails> = {
    ...known,
    ...(stored && fieldsOf(stored)),
    ...(stored && isRead && reportedBy(stored)),
  };
  // Of the change before.
  for (const field of ["delayedUntil", "position", "gap"] as const) delete details[field];
  if (sighting.is === "waits") {
    details.state = stateOf(sighting, stored);
    if (sighting.until !== undefined) details.delayedUntil = sighting.until;
  } else if (sighting.is === "reported") details.progress = sighting.progress;
  else details.state = sighting.is;
  return bounded(details);
}

function fieldsOf(stored: StoredJob): Partial<BullmqDetails> {
  const { attempts, timestamp, priority, stalled, keepLogs } = stored;
  const { worker, parent, scheduler } = stored;
  return {
    attempts,
    ...(timestamp !== undefined && { timestamp }),
    ...(priority > 0 && { priority }),
    ...(stalled > 0 && { stalled }),
    ...(keepLogs !== undefined && { keepLogs }),
    ...text("worker", worker),
    ...text("parent", parent),
    ...text("scheduler", scheduler),
  };
}

function text(name: string, value: string | undefined): Partial<BullmqDetails> {
  return value === undefined ? {} : { [name]: wellFormed(value) };
}

/** By events too, which may be behind what is stored. */
function reportedBy({ attemptsMade, progress }: StoredJob): Partial<BullmqDetails> {
  // A job that has not reported has 0.
  return { attemptsMade, ...(progress !== undefined && progress !== 0 && { progress }) };
}

/** Room for the position and the mark of a gap. */
const RESERVED_BYTES = 200;

/** Escapes in JSON can make of each field more than its limit. */
function bounded(details: BullmqDetails): BullmqDetails {
  const limit = MAX_DETAILS_BYTES - RESERVED_BYTES;
  if (Buffer.byteLength(JSON.stringify(details)) <= limit) return details;
  const { queue, state, attemptsMade, attempts } = details;
  const [id, name] = [details.id, details.name].map((text) => cutText(text, 100)) as [
    string,
    string,
  ];
  return { queue, id, name, state, attemptsMade, attempts };
}
