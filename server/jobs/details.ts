/** Checks the details that a kind's code reports, by the kind's own schema, and copies them as plain JSON. */
import { type AnyKind, Failure } from "#server/kinds/define.ts";
import { MAX_DETAILS_BYTES } from "#shared/limits.ts";
import { checkSchema, sentenceOf } from "./check-schema.ts";
import { pathText } from "./copy-as-json.ts";
import { plainJson } from "./plain-json.ts";

/**
 * Throws `DETAILS_TOO_LARGE`, a `TypeError` where the kind has no schema or the details do not fit it or are no JSON, and
 * what the schema itself throws.
 */
export function checkedDetails(
  { name, details: schema }: Pick<AnyKind, "name" | "details">,
  given: unknown,
): unknown {
  if (schema === undefined) {
    throw new TypeError(
      `\`progress\` was given details, but the kind "${name}" declares none. Add a \`details\` schema to the kind`,
    );
  }
  const checked = checkSchema(schema, jsonOf(given), "details");
  if (!checked.ok) {
    const issues = checked.issues.map((issue) => sentenceOf("details", issue)).join(" ");
    throw new TypeError(`The details do not fit the schema of the kind. ${issues}`);
  }
  // The schema can make them larger, or no JSON.
  return jsonOf(checked.value);
}

function jsonOf(details: unknown): unknown {
  const plain = plainJson(details, MAX_DETAILS_BYTES, "output");
  if (plain.ok) return plain.value;
  const at = plain.path.length === 0 ? "" : ` at ${pathText(plain.path)}`;
  const text = `The details${at} ${plain.what}`;
  throw plain.fault === "large" ? new Failure("DETAILS_TOO_LARGE", text) : new TypeError(text);
}
