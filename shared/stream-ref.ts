/** The streams of a server, and the one text that names each of them. */
import type { PresenceTopic } from "./presence.ts";
import type { OwnerFilter } from "./principal.ts";

export type StreamRef =
  | { stream: "job"; jobId: string }
  | { stream: "draft"; jobId: string }
  | { stream: "lines"; jobId: string }
  | { stream: "batch"; batchId: string }
  | { stream: "feed"; of: OwnerFilter }
  | { stream: "presence"; tenant: string; topic: PresenceTopic };

/** The streams that a session keeps for its client, in the client's own tenant. */
export type SessionStreamRef =
  | Extract<StreamRef, { stream: "job" | "batch" }>
  | { stream: "presence"; topic: PresenceTopic };

/** Differs for any two streams. Stored in sessions, so the keys of jobs and batches stay as they are. */
export function streamKey(ref: StreamRef): string {
  switch (ref.stream) {
    case "job":
      return `job:${ref.jobId}`;
    case "draft":
      return `draft:${ref.jobId}`;
    case "lines":
      return `lines:${ref.jobId}`;
    case "batch":
      return `batch:${ref.batchId}`;
    case "feed":
      // With its length the tenant ends at one place, whatever both names hold. No owner has an empty name.
      return `feed:${ref.of.tenant.length}:${ref.of.tenant}${ref.of.owner ?? ""}`;
    case "presence":
      return `presence:${ref.tenant.length}:${ref.tenant}${ref.topic}`;
  }
}

const PRESENCE = "presence:";

/** The key of a stream in a session. */
export function sessionKey(ref: SessionStreamRef): string {
  return ref.stream === "presence" ? PRESENCE + ref.topic : streamKey(ref);
}

/** The stream of a key in a session. */
export function sessionStreamOf(key: string): SessionStreamRef {
  if (key.startsWith(PRESENCE)) {
    return { stream: "presence", topic: key.slice(PRESENCE.length) as PresenceTopic };
  }
  const at = key.indexOf(":");
  const id = key.slice(at + 1);
  return key.startsWith("job:") ? { stream: "job", jobId: id } : { stream: "batch", batchId: id };
}
