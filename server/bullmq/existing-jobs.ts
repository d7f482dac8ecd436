/** Reads the jobs that a queue has, in pages, each together with the position in the events at which it was so. */
import type { Redis } from "ioredis";
import { answersOf } from "./answers.ts";
import { START } from "./event-stream.ts";
import type { QueueKeys } from "./queue-keys.ts";
import type { Sighting } from "./sightings.ts";
import type { StoredJob } from "./stored-job.ts";

export interface ExistingJobs {
  /** The id of the newest event when these were read. */
  position: string;
  ids: string[];
  /** As their place in the queue tells. */
  sightingOf(stored: StoredJob | undefined): Sighting;
}

interface Place {
  key: keyof QueueKeys &
    (
      | "active"
      | "wait"
      | "paused"
      | "prioritized"
      | "delayed"
      | "waitingChildren"
      | "completed"
      | "failed"
    );
  type: "list" | "set";
  /** The newest of them alone. */
  isHistory?: true;
  sightingOf(stored: StoredJob | undefined): Sighting;
}

const waits = (state: "waiting" | "prioritized" | "waiting-children") => (): Sighting => ({
  is: "waits",
  state,
  stalled: false,
});

/** Those that ended first: a job that ends meanwhile is found by its event. */
const PLACES: readonly Place[] = [
  {
    key: "completed",
    type: "set",
    isHistory: true,
    sightingOf: (stored) => ({ is: "completed", returnvalue: stored?.returnvalue }),
  },
  {
    key: "failed",
    type: "set",
    isHistory: true,
    sightingOf: (stored) => ({ is: "failed", reason: stored?.failedReason ?? "" }),
  },
  { key: "active", type: "list", sightingOf: () => ({ is: "active" }) },
  { key: "wait", type: "list", sightingOf: waits("waiting") },
  { key: "paused", type: "list", sightingOf: waits("waiting") },
  { key: "prioritized", type: "set", sightingOf: waits("prioritized") },
  { key: "waitingChildren", type: "set", sightingOf: waits("waiting-children") },
  {
    key: "delayed",
    type: "set",
    sightingOf: (stored) => ({
      is: "waits",
      state: "delayed",
      until: stored && delayEnd(stored),
      stalled: false,
    }),
  },
];

/** The end of its first delay. That of a later one is counted from a time that BullMQ does not store with the job. */
function delayEnd({ timestamp, delay, attemptsMade }: StoredJob): number | undefined {
  return timestamp === undefined || attemptsMade > 0 ? undefined : timestamp + delay;
}

const PAGE = 50;
/** Jobs that leave a list while it is read move those behind them forward. */
const OVERLAP = 25;

/** `history`: the most ended jobs of each kind. */
export async function* existingJobs(
  redis: Redis,
  keys: QueueKeys,
  history: number,
): AsyncGenerator<ExistingJobs> {
  for (const { key, type, isHistory, sightingOf } of PLACES) {
    const most = isHistory === true ? history : Infinity;
    let from = 0;
    while (from < most) {
      const to = Math.min(from + PAGE, most) - 1;
      const read = redis.multi().xrevrange(keys.events, "+", "-", "COUNT", 1);
      if (type === "list") read.lrange(keys[key], from, to);
      else if (isHistory === true) read.zrevrange(keys[key], from, to);
      else read.zrange(keys[key], `${from}`, `${to}`);
      const [newest, ids = []] = (await answersOf<unknown[]>(read.exec())) as [
        [id: string][] | undefined,
        string[] | undefined,
      ];
      yield { position: newest?.[0]?.[0] ?? START, ids, sightingOf };
      if (ids.length < to - from + 1) break;
      from = isHistory === true ? to + 1 : to + 1 - OVERLAP;
    }
  }
}
