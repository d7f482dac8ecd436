/** The streams of a server, and the one text that names each of them. */
import type { OwnerFilter } from "./principal.ts";

export type StreamRef =
  | { stream: "job"; jobId: string }
  | { stream: "draft"; jobId: string }
  | { stream: "lines"; jobId: string }
  | { stream: "batch"; batchId: string }
  | { stream: "feed"; of: OwnerFilter };

/** The streams that a session keeps for its client. */
export type SessionStreamRef = Extract<StreamRef, { stream: "job" | "batch" }>;

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
  }
}

/** The stream of a key in a session. */
export function sessionStreamOf(key: string): SessionStreamRef {
  const at = key.indexOf(":");
  const id = key.slice(at + 1);
  return key.startsWith("job:") ? { stream: "job", jobId: id } : { stream: "batch", batchId: id };
}
