/** Which answers may be compressed. */
import type { IncomingMessage } from "node:http";

/** Their answers have a secret: a share link, a stream token or a ticket. */
const SECRETS: readonly string[] = ["job.share", "batch.share", "auth.ticket"];

/** A client that reads the answers of a batch as they come must not wait for the last one (`httpBatchStreamLink`). */
export function mayCompress({ url = "", headers }: IncomingMessage): boolean {
  const path = pathOf(url);
  return headers["trpc-accept"] === undefined && !SECRETS.some((name) => path.includes(name));
}

/** As tRPC reads it: without `/./` and a fragment, and decoded. It also leaves off a slash at the end. */
function pathOf(url: string): string {
  try {
    return decodeURIComponent(new URL(url, "http://localhost").pathname);
  } catch {
    // tRPC answers with an error.
    return url;
  }
}
