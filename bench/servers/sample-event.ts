/** Events with the same content as Jobwire's, for the peers. */
import { randomUUID } from "node:crypto";
import superjson from "superjson";
import type { JobEvent } from "#shared/events.ts";

/** `next` returns the next event of one job. */
export function createSampleEvents(): { jobId: string; next(message: string): JobEvent } {
  const jobId = randomUUID();
  let seq = 0;
  return {
    jobId,
    next(message) {
      seq += 1;
      return {
        jobId,
        seq,
        at: new Date(),
        attempt: 1,
        type: "progress",
        status: "PROCESSING",
        progress: 50,
        message,
      };
    },
  };
}

/** Exactly the text that Jobwire sends for an event to a watcher whose request has the id 1. */
export function trpcText(event: JobEvent): string {
  const id = String(event.seq);
  const data = superjson.serialize({ id, data: event });
  return JSON.stringify({ id: 1, result: { type: "data", data, id } });
}
