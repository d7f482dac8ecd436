/** The value that the text of a CSV cell stands for, by the schema of its column. Pure. */
import { cutText } from "#shared/cut-text.ts";
import type { Schema } from "#shared/json-schema.ts";
import { type Read, readJson, readNumber } from "#shared/read-text.ts";

const TRUE = new Set(["true", "yes", "1"]);
const FALSE = new Set(["false", "no", "0"]);
const SHOWN_CHARS = 40;
const MOST_SHOWN = 10;

/** `schema`: simplified. `text`: not empty. Lists have semicolons between their items, or are JSON like all that is nested. */
export function readCell(schema: Schema, text: string): Read {
  const { type, items, anyOf } = schema;
  if (schema.enum !== undefined) return readChoice(schema.enum, text);
  if (anyOf !== undefined) return readAny(anyOf, text);
  if (type === "string") return { value: text };
  if (type === "integer" || type === "number") return readNumber(text, type === "integer");
  if (type === "boolean") return readBoolean(text);
  return type === "array" && !text.startsWith("[") ? readList(items ?? {}, text) : readJson(text);
}

function readBoolean(text: string): Read {
  const word = text.toLowerCase();
  if (TRUE.has(word)) return { value: true };
  return FALSE.has(word) ? { value: false } : { error: `${shown(text)} is neither true nor false` };
}

function readChoice(values: readonly unknown[], text: string): Read {
  const index = values.map(String).indexOf(text);
  if (index !== -1) return { value: values[index] };
  const some = values.slice(0, MOST_SHOWN).map((value) => cutText(String(value), SHOWN_CHARS));
  const more = values.length > MOST_SHOWN ? " …" : "";
  return { error: `${shown(text)} is none of ${some.join(", ")}${more}` };
}

/** Any text is a string, so that is tried last. */
function readAny(options: readonly Schema[], text: string): Read {
  const inOrder = options.toSorted((a, b) => Number(isText(a)) - Number(isText(b)));
  const read = inOrder.map((option) => readCell(option, text));
  return read.find((each) => "value" in each) ?? read[0] ?? readJson(text);
}

const isText = (schema: Schema) => schema.type === "string" && schema.enum === undefined;

function readList(item: Schema, text: string): Read {
  const parts = text.split(";").map((part) => part.trim());
  const read = parts.filter((part) => part !== "").map((part) => readCell(item, part));
  const bad = read.find((each) => "error" in each);
  return bad ?? { value: read.map((each) => "value" in each && each.value) };
}

function shown(text: string): string {
  return `“${cutText(text, SHOWN_CHARS)}”`;
}
