/** Which answers may be compressed. */
import type { IncomingMessage } from "node:http";

/** Their answers have a secret: a share link, a stream token or a ticket. */
const SECRETS: ReadonlySet<string> = new Set(["job.share", "batch.share", "auth.ticket"]);

/** A client that reads the answers of a batch as they come must not wait for the last one (`httpBatchStreamLink`). */
export function mayCompress({ url = "", headers }: IncomingMessage): boolean {
  const path = url.split("?", 1)[0] ?? "";
  const named = decoded(path.slice("/trpc/".length)).split(",");
  return headers["trpc-accept"] === undefined && !named.some((name) => SECRETS.has(name));
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
