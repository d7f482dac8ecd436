/** The form that the encodings of a tRPC WebSocket have in common. */
import { binaryFrame } from "#server/transports/sockets/binary-frame.ts";
import { textFrame } from "#server/transports/sockets/text-frame.ts";

/** The request that an answer belongs to. `jsonrpc` is echoed. */
export interface Address {
  readonly id: number | string | null;
  readonly jsonrpc?: "2.0" | undefined;
}

/** A message before its frame: a text goes in a text frame, bytes in a binary one. */
export type Payload = string | Uint8Array;

export function framed(payload: Payload): Uint8Array {
  return typeof payload === "string" ? textFrame(payload) : binaryFrame(payload);
}

/** A message that arrived: a text, or the bytes of a binary frame. */
export type Received = string | Buffer;

export interface Decoded {
  /** A message, or a list of them. */
  value: unknown;
  /** True if the value holds a `NotJson`. */
  hasNotJson: boolean;
}

/** How one encoding writes and reads. */
export interface Format<Rest> {
  /** Throws the errors of `JSON.stringify`. */
  encode(message: object): Payload;
  /** Throws `MessageRefused` for a message beyond a limit, or another error for one that it cannot read. */
  decode(received: Received): Decoded;
  /** Returns the id of a message in the form that stock clients write, without reading the rest. `null`: it is unknown. */
  idIn(received: Received): Address["id"];
  /** Returns what stands in front of the result in an answer; bytes as a text of Latin-1. */
  headOf(to: Address): string;
  /** Returns what follows in the answer that brings an entry. `data`: after the transformer. */
  restOf(id: string, data: unknown): Rest;
  frameOf(head: string, rest: Rest): Uint8Array;
  /** Returns the rest as UTF-8, to be compressed. Absent: the encoding writes NUL too, which `deflate.ts` excludes. */
  bodyOf?(rest: Rest): Buffer;
}
