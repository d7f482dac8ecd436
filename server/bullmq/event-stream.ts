/** Reads the stream of a queue's events, a batch at a time, and notices what is missing of it. */
import type { Redis } from "ioredis";
import { comparePositions } from "#shared/outside.ts";
import { answersOf } from "./answers.ts";
import type { QueueKeys } from "./queue-keys.ts";

export interface QueueEvent {
  /** `ms-number`, of the clock of BullMQ's Redis. */
  id: string;
  type: string;
  jobId: string | undefined;
  fields: ReadonlyMap<string, string>;
}

/** `lost`: events after the position were trimmed, or the stream was deleted. `isLast`: there were no more. */
export type Batch = { lost: true } | { lost: false; events: QueueEvent[]; isLast: boolean };

export interface EventStream {
  /** The events after a position, in order. */
  read(after: string): Promise<Batch>;
  /** The id of the newest event, "0-0" where there is none. */
  newest(): Promise<string>;
}

export const START = "0-0";
const MAX_BATCH_EVENTS = 500;
const LEAST = 16;
/** A batch of more makes the next one smaller: values of events can be of any size. In UTF-16 units. */
const LARGE = 4 * 1024 * 1024;

const WITH_NEXT: ReadonlySet<string> = new Set(["added", "waiting"]);

type Entry = [id: string, fields: string[]];

export function createEventStream(redis: Redis, { events: key }: QueueKeys): EventStream {
  let count = LEAST;

  function adapt(entries: readonly Entry[]): void {
    const size = entries.reduce((sum, [, fields]) => sum + fields.join("").length, 0);
    if (size > LARGE) count = Math.max(LEAST, Math.floor(count / 2));
    else if (entries.length === count && size < LARGE / 2)
      count = Math.min(MAX_BATCH_EVENTS, count * 2);
  }

  return {
    async read(after) {
      // One transaction: the oldest entry says whether those that follow `after` are all there.
      const [[oldest] = [], [newest] = [], entries = []] = await answersOf<Entry[]>(
        redis
          .multi()
          .xrange(key, "-", "+", "COUNT", 1)
          .xrevrange(key, "+", "-", "COUNT", 1)
          .xrange(key, `(${after}`, "+", "COUNT", count)
          .exec(),
      );
      const isLost =
        after !== START &&
        (oldest === undefined ||
          newest === undefined ||
          comparePositions(oldest[0], after) > 0 ||
          comparePositions(newest[0], after) < 0);
      if (isLost) return { lost: true };
      const isLast = entries.length < count;
      adapt(entries);
      const events = entries.map(eventOf);
      // BullMQ writes some with the one that follows, and they are read together: "added" with how it waits, "waiting" with "stalled".
      const isCut = !isLast && events.length > 1 && WITH_NEXT.has(events.at(-1)?.type ?? "");
      return { lost: false, events: isCut ? events.slice(0, -1) : events, isLast };
    },
    async newest() {
      const [entry] = await redis.xrevrange(key, "+", "-", "COUNT", 1);
      return entry?.[0] ?? START;
    },
  };
}

function eventOf([id, list]: Entry): QueueEvent {
  const fields = new Map<string, string>();
  for (let at = 0; at + 1 < list.length; at += 2) fields.set(list[at] ?? "", list[at + 1] ?? "");
  return { id, type: fields.get("event") ?? "", jobId: fields.get("jobId"), fields };
}
