/** Writes JSON values as MessagePack. */
import { encode } from "@msgpack/msgpack";

/** More levels than an output and its envelope have. */
const MAX_DEPTH = 1000;
/** As `JSON.stringify` writes them; a backslash before one is doubled. */
const LONE_SURROGATES = /(\\\\)|\\ud[89a-f][\da-f]{2}/g;

/**
 * Takes what `JSON.stringify` takes and throws its errors. Writes exactly the JSON value, so that clients of both encodings
 * receive the same: a `toJSON` is called, and `undefined` is left out. MessagePack has no lone surrogates; they are replaced
 * by U+FFFD.
 */
export function writeMsgpack(value: unknown): Uint8Array {
  const text = JSON.stringify(value);
  const json = text.includes("\\ud")
    ? text.replaceAll(LONE_SURROGATES, (_, backslash: string | undefined) => backslash ?? "\uFFFD")
    : text;
  return encode(JSON.parse(json), { maxDepth: MAX_DEPTH });
}
