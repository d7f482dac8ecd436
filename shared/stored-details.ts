/** Bounds the details that a change of a job stores. The declared types may not hold at run time. Pure. */
import { inBytes } from "./cut-text.ts";
import { AppError, messageOf } from "./errors.ts";
import { MAX_DETAILS_BYTES } from "./limits.ts";

/**
 * The value that readers of the stored details get, which can differ from the given one. Throws `BAD_REQUEST` when it cannot
 * be written as JSON, or has more than `MAX_DETAILS_BYTES`.
 */
export function storedDetails(details: unknown): unknown {
  const json = jsonOf(details);
  const bytes = utf8Bytes(json);
  if (bytes <= MAX_DETAILS_BYTES) return JSON.parse(json) as unknown;
  const sizes = `${inBytes(bytes)} as JSON; the limit is ${inBytes(MAX_DETAILS_BYTES)}`;
  throw new AppError("BAD_REQUEST", `The details have ${sizes}.`);
}

function jsonOf(details: unknown): string {
  let why = `it is a ${typeof details}`;
  try {
    const json = JSON.stringify(details) as string | undefined;
    if (json !== undefined) return json;
  } catch (thrown) {
    why = messageOf(thrown);
  }
  throw new AppError("BAD_REQUEST", `The details cannot be stored as JSON (${why}).`);
}

/** By hand: `TextEncoder` and `Buffer` are not everywhere that this file is compiled. The text is well-formed. */
function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const character of text) {
    const point = character.codePointAt(0) ?? 0;
    bytes += point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x1_00_00 ? 3 : 4;
  }
  return bytes;
}
