/**
 * How long the address and the headers of a request may be. Node stops reading at its own limit and does not know then
 * which page and which transport it would answer, so it reads more than is allowed, and the check is ours.
 */
import type { IncomingMessage, ServerOptions } from "node:http";

export const MAX_HEAD_BYTES = 16 * 1024;
/** More than a batch of `MAX_BATCH_CALLS` queries has. */
export const MAX_READ_HEAD_BYTES = 256 * 1024;

export const TOO_LONG =
  `The address and the headers of this request are longer than ${MAX_HEAD_BYTES / 1024} KiB together, or more than 1,000. ` +
  "Send smaller batches (`maxURLLength` of tRPC's httpBatchLink), or queries as POST (`methodOverride`).";

/** Options of `createServer`. */
export const HEAD_OPTIONS = { maxHeaderSize: MAX_READ_HEAD_BYTES } satisfies ServerOptions;

/** Counts as Node does: without what stands between names and values. Node's strings have a character for each byte. */
export function isTooLong({ url = "", rawHeaders }: IncomingMessage): boolean {
  return rawHeaders.reduce((length, part) => length + part.length, url.length) >= MAX_HEAD_BYTES;
}
