/** Events with the same content as Jobwire's, for the peers. */
import { randomUUID } from "node:crypto";
import superjson from "superjson";
import type { JobEvent } from "#shared/events.ts";

/** A list of files, with about this many bytes of JSON, and a number that differs in each event. */
export function sampleDetails(bytes: number, step: number): object {
  const file = { name: "images/header-1280.webp", bytes: 48_213, done: true };
  const count = Math.round(bytes / (JSON.stringify(file).length + 1));
  return { step, files: Array.from({ length: count }, () => ({ ...file })) };
}

/** `next` returns the next event of one job. `details`: the bytes of its details. */
export function createSampleEvents(details?: number): {
  jobId: string;
  next(message: string): JobEvent;
} {
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
        ...(details !== undefined && { details: sampleDetails(details, seq) }),
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
