/**
 * Outputs go in superjson's envelope, `{ json, meta }`. They are JSON but for the `Date`s of our own records. superjson's
 * own walker throws on the keys `constructor`, `prototype` and `__proto__`, which payloads may have, and overflows the
 * stack on deep values; stock superjson reads what is written here.
 */
import type superjson from "superjson";

type Envelope = ReturnType<typeof superjson.serialize>;

/** The version of superjson's paths: a backslash in a key is doubled. */
const PATHS = 1;
const UNDEFINED: Envelope = { json: null, meta: { values: ["undefined"], v: PATHS } };

/** A container, and how it is reached. */
interface Place {
  readonly value: object;
  readonly key: string;
  readonly parent: Place | undefined;
  /** With its dates as texts. */
  written: Record<string, unknown> | undefined;
}

/**
 * Copies what holds dates and leaves the rest as it is. Their texts stand in `json` because V8 writes a value with a
 * `toJSON` in it by recursion, and deep ones not at all. Properties that are `undefined` are left out by `JSON.stringify`.
 * Never throws. The value contains itself nowhere.
 */
export function serializeOutput(value: unknown): Envelope {
  if (value === undefined) return UNDEFINED;
  if (isDate(value)) return { json: value.toISOString(), meta: { values: ["Date"], v: PATHS } };
  if (!isContainer(value)) return { json: value as Envelope["json"] };
  const root = placeOf(value, "", undefined);
  const paths = writeDates(root);
  const json = (root.written ?? value) as Envelope["json"];
  if (paths.length === 0) return { json };
  const values = Object.fromEntries(paths.map((path): [string, ["Date"]] => [path, ["Date"]]));
  return { json, meta: { values, v: PATHS } };
}

/** Gives the paths of the dates. */
function writeDates(root: Place): string[] {
  const paths: string[] = [];
  const waiting = [root];
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    for (const key of Object.keys(place.value)) {
      const value = (place.value as Record<string, unknown>)[key];
      if (isDate(value)) {
        writtenOf(place)[key] = value.toISOString();
        paths.push(pathOf(place, key));
      } else if (isContainer(value)) {
        waiting.push(placeOf(value, key, place));
      }
    }
  }
  return paths;
}

function placeOf(value: object, key: string, parent: Place | undefined): Place {
  return { value, key, parent, written: undefined };
}

/** Its keys are its own: to assign to them, also to `__proto__`, sets no prototype. */
function writtenOf(place: Place): Record<string, unknown> {
  if (place.written !== undefined) return place.written;
  const { value, key, parent } = place;
  const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<
    string,
    unknown
  >;
  place.written = copy;
  if (parent !== undefined) writtenOf(parent)[key] = copy;
  return copy;
}

function pathOf(place: Place, key: string): string {
  const keys = [escaped(key)];
  for (let at = place; at.parent !== undefined; at = at.parent) keys.push(escaped(at.key));
  return keys.toReversed().join(".");
}

function escaped(key: string): string {
  return key.replaceAll("\\", "\\\\").replaceAll(".", "\\.");
}

function isContainer(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** One that is invalid is `null` in JSON, and no date. */
function isDate(value: unknown): value is Date {
  return value instanceof Date && !Number.isNaN(value.getTime());
}
