/**
 * Bounds the address and the headers of a request. If Node's own limit is exceeded, neither the origin nor the transport is
 * known, so that the answer has no CORS headers and not the transport's form. So Node's limit is higher than ours, and
 * `isTooLong` checks ours.
 */
import type { IncomingMessage, ServerOptions } from "node:http";

export const MAX_HEAD_BYTES = 16 * 1024;
/** Larger than a batch of `MAX_BATCH_CALLS` queries. */
export const MAX_READ_HEAD_BYTES = 256 * 1024;

export const TOO_LONG =
  `The address and the headers of this request are longer than ${MAX_HEAD_BYTES / 1024} KiB together, or more than 1,000. ` +
  "Send smaller batches (`maxURLLength` of tRPC's httpBatchLink), or queries as POST (`methodOverride`).";

/** Options of `createServer`. */
export const HEAD_OPTIONS = { maxHeaderSize: MAX_READ_HEAD_BYTES } satisfies ServerOptions;

/** Counts as Node does: without the separators. Node's strings have one character for each byte. */
export function isTooLong({ url = "", rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.reduce((length, part) => length + part.length, url.length) >= MAX_HEAD_BYTES;
}
