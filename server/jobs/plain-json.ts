/** Values that foreign code or clients made, as plain JSON of a bounded size and depth. */
import { inBytes } from "#shared/cut-text.ts";
import { messageOf } from "#shared/errors.ts";
import { MAX_JSON_DEPTH } from "#shared/limits.ts";

/** `what` goes on a sentence that begins with the name of the value. */
interface NotPlain {
  ok: false;
  fault: "large" | "deep" | "json";
  what: string;
}
export type PlainJson = { ok: true; value: unknown } | NotPlain;

/** A heavier value is not serialised to learn its size: it can contain one text very many times. */
const MAX_WEIGHT = 64 * 1024 * 1024;

/**
 * The value as it is after a way through JSON, so that serialising it again cannot fail, and reads no getter. Never
 * throws. `undefined` becomes `null`.
 */
export function plainJson(value: unknown, maxBytes: number): PlainJson {
  const json = serialize(value, maxBytes);
  if (typeof json !== "string") return json;
  const plain = JSON.parse(json) as unknown;
  // A `toJSON` can have made it deeper than it was.
  return weightOf(plain) === "deep" ? tooDeep() : { ok: true, value: plain };
}

/** As JSON; never throws. */
function serialize(value: unknown, maxBytes: number): string | NotPlain {
  try {
    const weight = weightOf(value);
    if (weight === "deep") return tooDeep();
    if (weight > MAX_WEIGHT) return tooLarge(`more than ${inBytes(MAX_WEIGHT)}`, maxBytes);
    const json = JSON.stringify(value ?? null) as string | undefined;
    if (json === undefined) return notJson(`it is a ${typeof value}`);
    const bytes = Buffer.byteLength(json);
    if (bytes > maxBytes) return tooLarge(inBytes(bytes), maxBytes);
    return json;
  } catch (error) {
    return notJson(messageOf(error));
  }
}

/**
 * Why a value that a client sent is not even given to foreign code; `undefined` where it may be. It need not be JSON:
 * programs in this process send what they like, and the kind may turn it into JSON.
 */
export function exceeds(value: unknown, maxBytes: number): string | undefined {
  const json = serialize(value, maxBytes);
  return typeof json === "string" || json.fault === "json" ? undefined : json.what;
}

function notJson(why: string): NotPlain {
  return { ok: false, fault: "json", what: `cannot be written as JSON: ${why}` };
}

function tooLarge(size: string, maxBytes: number): NotPlain {
  return {
    ok: false,
    fault: "large",
    what: `has ${size} as JSON; the limit is ${inBytes(maxBytes)}`,
  };
}

function tooDeep(): NotPlain {
  const what = `contains itself, or is nested deeper than the limit of ${MAX_JSON_DEPTH} levels`;
  return { ok: false, fault: "deep", what };
}

/**
 * A rough number of bytes, found without recursion and without making text. Parts that occur twice count twice, as in
 * JSON; more than `MAX_WEIGHT` is not counted to its end.
 */
function weightOf(root: unknown): number | "deep" {
  const waiting: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  let weight = 0;
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, depth } = next;
    weight += 1;
    if (typeof value === "string") weight += value.length;
    else if (typeof value === "object" && value !== null) {
      if (depth > MAX_JSON_DEPTH) return "deep";
      for (const key of Object.keys(value)) {
        weight += Array.isArray(value) ? 0 : key.length;
        waiting.push({ value: (value as Record<string, unknown>)[key], depth: depth + 1 });
      }
    }
    if (weight > MAX_WEIGHT) return weight;
  }
  return weight;
}
