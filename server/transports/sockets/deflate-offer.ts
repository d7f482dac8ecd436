/**
 * Negotiates permessage-deflate (RFC 7692, 7.1), the compression of WebSocket messages, for the server's side.
 *
 * The server accepts every valid offer. It always asks that clients compress each message by itself
 * (`client_no_context_takeover`, which a server may ask of any client), so that it keeps no inflater for them.
 */
import { extension, type OfferedParameters } from "./ws-exports.ts";

export interface DeflateTerms {
  /** The client forgets each message: none may refer to an earlier one (`server_no_context_takeover`). */
  readonly forgets: boolean;
  /** The client remembers the last `2 ** windowBits` bytes (`server_max_window_bits`); `undefined`: 15, the maximum. */
  readonly windowBits: number | undefined;
}

const NAME = "permessage-deflate";
const FLAGS: ReadonlySet<string> = new Set([
  "server_no_context_takeover",
  "client_no_context_takeover",
]);
const WINDOW_BITS = /^([89]|1[0-5])$/;

/**
 * Returns the terms of the first valid offer in `Sec-WebSocket-Extensions`, or `undefined` if there is none: the RFC has servers
 * decline offers with parameters that are unknown, repeated or invalid. Throws a `SyntaxError` if the header is malformed.
 */
export function acceptOffer(header: string): DeflateTerms | undefined {
  const offer = extension.parse(header)[NAME]?.find(isValid);
  if (offer === undefined) return undefined;
  const [windowBits] = offer.server_max_window_bits ?? [];
  return {
    forgets: offer.server_no_context_takeover !== undefined,
    windowBits: windowBits === undefined ? undefined : Number(windowBits),
  };
}

/** Returns the value of `Sec-WebSocket-Extensions` with which a client offers exactly these terms. */
export function offerOf({ forgets, windowBits }: DeflateTerms): string {
  const parts = [NAME];
  if (forgets) parts.push("server_no_context_takeover");
  if (windowBits !== undefined) parts.push(`server_max_window_bits=${windowBits}`);
  return parts.join("; ");
}

function isValid(offer: OfferedParameters): boolean {
  return Object.entries(offer).every(([name, [value, ...more]]) => {
    if (more.length > 0 || value === undefined) return false;
    if (FLAGS.has(name)) return value === true;
    if (name === "client_max_window_bits") return value === true || WINDOW_BITS.test(value);
    return name === "server_max_window_bits" && value !== true && WINDOW_BITS.test(value);
  });
}
