/**
 * Writes outputs in superjson's envelope, `{ json, meta }`, which stock superjson reads. Outputs are JSON except for the
 * `Date`s of our own records. superjson's own serialiser throws on the keys `constructor`, `prototype` and `__proto__`, which
 * payloads may have, and overflows the stack on deep values.
 */
import type superjson from "superjson";

type Envelope = ReturnType<typeof superjson.serialize>;

/** The version of superjson's paths, in which a backslash in a key is doubled. */
const PATHS = 1;
const UNDEFINED: Envelope = { json: null, meta: { values: ["undefined"], v: PATHS } };

/** A container, and its path from the root. */
interface JsonNode {
  readonly value: object;
  readonly key: string;
  readonly parent: JsonNode | undefined;
  /** The copy of `value` with its dates as texts; `undefined` while it needs none. */
  written: Record<string, unknown> | undefined;
}

/**
 * Copies the containers that hold dates and returns the others as they are. It writes dates as texts itself, because V8
 * serialises a value that holds a `toJSON` by recursion, and fails on deep ones. `JSON.stringify` omits properties that
 * are `undefined`. Never throws. The value must not contain itself.
 */
export function serializeOutput(value: unknown): Envelope {
  if (value === undefined) return UNDEFINED;
  if (isDate(value)) return { json: value.toISOString(), meta: { values: ["Date"], v: PATHS } };
  if (!isContainer(value)) return { json: value as Envelope["json"] };
  const root = nodeOf(value, "", undefined);
  const paths = writeDates(root);
  const json = (root.written ?? value) as Envelope["json"];
  if (paths.length === 0) return { json };
  const values = Object.fromEntries(paths.map((path): [string, ["Date"]] => [path, ["Date"]]));
  return { json, meta: { values, v: PATHS } };
}

/** Returns the paths of the dates. */
function writeDates(root: JsonNode): string[] {
  const paths: string[] = [];
  const waiting = [root];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    for (const key of Object.keys(node.value)) {
      const value = (node.value as Record<string, unknown>)[key];
      if (isDate(value)) {
        writtenOf(node)[key] = value.toISOString();
        paths.push(pathOf(node, key));
      } else if (isContainer(value)) {
        waiting.push(nodeOf(value, key, node));
      }
    }
  }
  return paths;
}

function nodeOf(value: object, key: string, parent: JsonNode | undefined): JsonNode {
  return { value, key, parent, written: undefined };
}

/** Assigning to the copy's own keys sets no prototype, not even for `__proto__`. */
function writtenOf(node: JsonNode): Record<string, unknown> {
  if (node.written !== undefined) return node.written;
  const { value, key, parent } = node;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<
    string,
    unknown
  >;
  node.written = copy;
  if (parent !== undefined) writtenOf(parent)[key] = copy;
  return copy;
}

function pathOf(node: JsonNode, key: string): string {
  const keys = [escaped(key)];
  for (let at = node; at.parent !== undefined; at = at.parent) keys.push(escaped(at.key));
  return keys.toReversed().join(".");
}

function escaped(key: string): string {
  return key.replaceAll("\\", "\\\\").replaceAll(".", "\\.");
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** An invalid date counts as none: JSON writes it as `null`. */
function isDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}
