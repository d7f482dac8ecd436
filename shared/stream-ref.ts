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

/**
 * The streams that a session keeps for its client, in the client's own tenant. The feed is that of its user, or with `allOwners`
 * of the user's tenant.
 */
export type SessionStreamRef =
  | Extract<StreamRef, { stream: "job" | "batch" }>
  | { stream: "feed"; allOwners: boolean }
  | { stream: "presence"; topic: PresenceTopic };

/** Differs for any two streams. Those of jobs and batches are stored in sessions, and stay as they are. */
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

const OWN_FEED = "feed:own";
const TENANT_FEED = "feed:tenant";
const PRESENCE = "presence:";

/** The key of a stream in a session: differs for any two streams of one user. */
export function sessionKey(ref: SessionStreamRef): string {
  if (ref.stream === "presence") return PRESENCE + ref.topic;
  if (ref.stream !== "feed") return streamKey(ref);
  return ref.allOwners ? TENANT_FEED : OWN_FEED;
}

/** The stream of a key in a session. */
export function sessionStreamOf(key: string): SessionStreamRef {
  if (key === OWN_FEED || key === TENANT_FEED) {
    return { stream: "feed", allOwners: key === TENANT_FEED };
  }
  if (key.startsWith(PRESENCE)) {
    return { stream: "presence", topic: key.slice(PRESENCE.length) as PresenceTopic };
  }
  const at = key.indexOf(":");
  const id = key.slice(at + 1);
  return key.startsWith("job:") ? { stream: "job", jobId: id } : { stream: "batch", batchId: id };
}
