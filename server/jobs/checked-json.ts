/** Values that a kind's code hands over, details and outputs: checked by the kind's own schema, and copied as plain JSON. */
import { Failure, type Schema } from "#server/kinds/define.ts";
import { MAX_DETAILS_BYTES, MAX_OUTPUT_BYTES } from "#shared/limits.ts";
import { checkSchema, sentenceOf } from "./check-schema.ts";
import { pathText } from "./copy-as-json.ts";
import { plainJson } from "./plain-json.ts";

const PARTS = {
  details: { maxBytes: MAX_DETAILS_BYTES, tooLarge: "DETAILS_TOO_LARGE", misfit: "do not fit" },
  output: { maxBytes: MAX_OUTPUT_BYTES, tooLarge: "OUTPUT_TOO_LARGE", misfit: "does not fit" },
} as const;

type Part = keyof typeof PARTS;

/**
 * The schema gets the value as JSON. Throws `DETAILS_TOO_LARGE` or `OUTPUT_TOO_LARGE`, a `TypeError` for a value that does not fit
 * or is no JSON, and any error of the schema's own code.
 */
export function checkedJson(schema: Schema, given: unknown, part: Part): unknown {
  const checked = checkSchema(schema, jsonOf(given, part), part);
  if (!checked.ok) {
    const issues = checked.issues.map((issue) => sentenceOf(part, issue)).join(" ");
    throw new TypeError(`The ${part} ${PARTS[part].misfit} the schema of the kind. ${issues}`);
  }
  // The schema can make it larger, or no JSON.
  return jsonOf(checked.value, part);
}

function jsonOf(value: unknown, part: Part): unknown {
  const { maxBytes, tooLarge } = PARTS[part];
  const plain = plainJson(value, maxBytes, "output");
  if (plain.ok) return plain.value;
  const at = plain.path.length === 0 ? "" : ` at ${pathText(plain.path)}`;
  const text = `The ${part}${at} ${plain.what}`;
  throw plain.fault === "large" ? new Failure(tooLarge, text) : new TypeError(text);
}
