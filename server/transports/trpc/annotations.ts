/**
 * superjson's annotations mark the values of an input that JSON cannot express. Clients choose them, so this module applies
 * only `undefined` and `Date`; superjson itself would build typed arrays of any length, maps, errors and symbols.
 *
 * Stock clients also send `v` and `referentialEqualities`. Both can be ignored: `json` holds every value in full, and the
 * version decides only the escape of a backslash in a key, which the key itself shows.
 */
import { cutText } from "#shared/cut-text.ts";

/** The input is refused. The client receives the message. */
export class AnnotationError extends Error {
  override readonly name = "AnnotationError";
}

interface JsonNode {
  parent: Record<string, unknown>;
  key: string;
}

const INDEX = /^(?:0|[1-9]\d{0,9})$/;
const SHOWN_CHARACTERS = 60;

/**
 * Applies the annotations of `meta` to `json` in place, and returns the result. Takes time in proportion to the length of the
 * annotations. For an annotation of another type it throws `AnnotationError` before it changes anything.
 */
export function applyAnnotations(json: unknown, meta: unknown): unknown {
  if (meta === undefined || meta === null) return json;
  if (!isRecord(meta)) throw new AnnotationError("The input's `meta` must be an object.");
  const { values } = meta;
  if (values === undefined || values === null) return json;
  if (Array.isArray(values)) return revived(json, typeOf(values, ""));
  if (!isRecord(values)) throw malformed("");
  const paths = Object.keys(values);
  const types = paths.map((path) => typeOf(values[path], path));
  for (const [index, path] of paths.entries()) {
    const { parent, key } = nodeAt(json, path);
    parent[key] = revived(parent[key], types[index] ?? "undefined");
  }
  return json;
}

type Type = "undefined" | "Date";

/** A leaf is a list of one type. A type with a parameter (`typed-array`, `class` …) is itself a list. */
function typeOf(leaf: unknown, path: string): Type {
  if (!Array.isArray(leaf)) throw malformed(path);
  const annotation: unknown = leaf[0];
  if (annotation === "undefined" || annotation === "Date") {
    // More elements would annotate values inside this one, and only containers have such values.
    if (leaf.length > 1) throw malformed(path);
    return annotation;
  }
  const type: unknown = Array.isArray(annotation) ? annotation[0] : annotation;
  if (typeof type !== "string") throw malformed(path);
  throw new AnnotationError(
    `The input is annotated as ${shown(type)}${at(path)}. Only the annotations "Date" and "undefined" are allowed; send plain JSON values instead.`,
  );
}

function revived(value: unknown, type: Type): unknown {
  if (type === "undefined") return undefined;
  const date = new Date(typeof value === "string" ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) {
    throw new AnnotationError(
      "The input has a value that is annotated as a Date but is not an ISO date.",
    );
  }
  return date;
}

function nodeAt(json: unknown, path: string): JsonNode {
  const keys = keysIn(path);
  let parent: unknown = json;
  for (const [depth, key] of keys.entries()) {
    if (!isRecord(parent) || !hasOwn(parent, key)) throw missing(path);
    if (depth === keys.length - 1) return { parent, key };
    parent = parent[key];
  }
  throw missing(path);
}

/** Keys such as `__proto__` are safe to read and to set only as own properties. */
function hasOwn(parent: Record<string, unknown>, key: string): boolean {
  // An array's `length` is an own property too.
  return Object.hasOwn(parent, key) && (!Array.isArray(parent) || INDEX.test(key));
}

/** superjson joins keys by dots, and escapes a dot or a backslash within a key by a backslash. */
function keysIn(path: string): string[] {
  if (!path.includes("\\")) return path.split(".");
  const keys: string[] = [];
  let key = "";
  for (let i = 0; i < path.length; i++) {
    const character = path.charAt(i);
    const next = path.charAt(i + 1);
    if (character === "\\" && (next === "." || next === "\\")) {
      key += next;
      i += 1;
    } else if (character === ".") {
      keys.push(key);
      key = "";
    } else {
      key += character;
    }
  }
  return [...keys, key];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

function malformed(path: string): AnnotationError {
  return new AnnotationError(`The input has an annotation${at(path)} that is not superjson's.`);
}

function missing(path: string): AnnotationError {
  return new AnnotationError(`The input has an annotation${at(path)} but no value there.`);
}

function at(path: string): string {
  return path === "" ? "" : ` at ${shown(path)}`;
}

function shown(text: string): string {
  return JSON.stringify(cutText(text, SHOWN_CHARACTERS));
}
