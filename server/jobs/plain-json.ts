/** Values that foreign code or clients made, as plain JSON of a bounded size and depth. */
import { inBytes } from "#shared/cut-text.ts";
import { MAX_JSON_DEPTH } from "#shared/limits.ts";
import { copyAsJson, type CopyMode, NotJson, type Path, type Reason } from "./copy-as-json.ts";

/** `what` continues a sentence that begins with the name of the value at `path`. */
interface NotPlain {
  ok: false;
  fault: "large" | "deep" | "json";
  path: Path;
  what: string;
}
export type PlainJson = { ok: true; value: unknown } | NotPlain;

/**
 * A copy of the value that serialises without a fault, and whose keys and values are its own. Never throws. A `toJSON` is
 * called; a property that is `undefined` is left out, and elsewhere it is `null`. Anything else that is no JSON is
 * refused, where `JSON.stringify` would leave it out or write `{}` or `null` for it.
 */
export function plainJson(
  value: unknown,
  maxBytes: number,
  mode: Exclude<CopyMode, "measured">,
): PlainJson {
  return copied(value, maxBytes, mode);
}

/**
 * The reason why a value of a client must not reach foreign code; `undefined` where it may. It need not be JSON:
 * programs in this process send any value, and the kind may turn it into JSON.
 */
export function exceeds(value: unknown, maxBytes: number): NotPlain | undefined {
  const plain = copied(value, maxBytes, "measured");
  return plain.ok || plain.fault === "json" ? undefined : plain;
}

function copied(value: unknown, maxBytes: number, mode: CopyMode): PlainJson {
  try {
    const copy = copyAsJson(value, mode, maxBytes);
    const bytes = Buffer.byteLength(JSON.stringify(copy));
    if (bytes > maxBytes) return tooLarge(inBytes(bytes), maxBytes);
    return { ok: true, value: copy };
  } catch (error) {
    if (!(error instanceof NotJson)) throw error;
    const { reason, path } = error;
    if (reason.fault === "large") return tooLarge(`more than ${inBytes(reason.bytes)}`, maxBytes);
    const fault = reason.fault === "deep" ? "deep" : "json";
    return { ok: false, fault, path, what: whatOf(reason) };
  }
}

function whatOf(reason: Exclude<Reason, { fault: "large" }>): string {
  switch (reason.fault) {
    case "deep":
      return `contains itself, or is nested deeper than the limit of ${MAX_JSON_DEPTH} levels`;
    case "text":
      return reason.what;
    case "json":
      return `cannot be written as JSON: ${reason.why}`;
  }
}

function tooLarge(size: string, maxBytes: number): NotPlain {
  const what = `has ${size} as JSON; the limit is ${inBytes(maxBytes)}`;
  return { ok: false, fault: "large", path: [], what };
}
