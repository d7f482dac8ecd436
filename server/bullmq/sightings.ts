/** BullMQ's events as what they say of a job. Pure. */
import { MAX_ERROR_CHARS, MAX_OUTPUT_BYTES } from "#shared/limits.ts";
import { jsonOf, numberOf } from "./bounded-values.ts";
import type { QueueEvent } from "./event-stream.ts";

export const WAITING_STATES = ["waiting", "delayed", "prioritized", "waiting-children"] as const;
export type WaitingState = (typeof WAITING_STATES)[number];

export type Sighting =
  | { is: "added"; name: string }
  /** `until`: in ms, for a delayed one. `stalled`: its worker was lost. */
  | { is: "waits"; state: WaitingState; until?: number | undefined; stalled: boolean }
  | { is: "active" }
  | { is: "reported"; progress: unknown }
  | { is: "completed"; returnvalue: unknown }
  | { is: "failed"; reason: string }
  | { is: "removed" };

/** A sighting, and the id of its event. */
export interface SeenAt {
  id: string;
  sighting: Sighting;
}

const MAX_PROGRESS_BYTES = 4000;

/** By job, in the order of the events. Events of no job, and those that say nothing of its state, are left out. */
export function sightingsOf(events: readonly QueueEvent[]): Map<string, SeenAt[]> {
  const byJob = new Map<string, SeenAt[]>();
  for (const [index, event] of events.entries()) {
    const { id, jobId } = event;
    if (jobId === undefined || jobId === "") continue;
    const next = events[index + 1];
    const stalled = next?.type === "stalled" && next.jobId === jobId;
    const sighting = sightingOf(event, stalled);
    if (sighting === undefined) continue;
    const seen = byJob.get(jobId) ?? [];
    byJob.set(jobId, seen);
    seen.push({ id, sighting });
  }
  return byJob;
}

function sightingOf({ type, fields }: QueueEvent, stalled: boolean): Sighting | undefined {
  const field = (name: string) => fields.get(name) ?? "";
  switch (type) {
    case "added":
      return { is: "added", name: field("name") };
    case "waiting":
    case "waiting-children":
      return { is: "waits", state: type, stalled };
    case "delayed":
      return { is: "waits", state: type, until: numberOf(field("delay")), stalled: false };
    case "active":
      return { is: "active" };
    case "progress":
      return { is: "reported", progress: jsonOf(field("data"), MAX_PROGRESS_BYTES) };
    case "completed":
      return { is: "completed", returnvalue: jsonOf(field("returnvalue"), MAX_OUTPUT_BYTES) };
    case "failed":
      return { is: "failed", reason: field("failedReason").slice(0, MAX_ERROR_CHARS) };
    case "removed":
      return { is: "removed" };
    default:
      return undefined;
  }
}
