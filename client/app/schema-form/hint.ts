/** The text below a field: its description, and what it takes. Pure. */
import type { Control } from "./fields.ts";
import type { Schema } from "#shared/json-schema.ts";

export function hintOf(control: Control, schema: Schema): string {
  return [schema.description ?? "", constraintOf(control, schema)]
    .map((hint) => hint.replace(/\.$/, ""))
    .filter(Boolean)
    .join(". ");
}

function constraintOf(control: Control, schema: Schema): string {
  if (control.is === "text" && control.type === "datetime-local") return "In your time zone";
  if (control.is === "number") return rangeOf(schema);
  if (control.is === "array") return countOf(schema);
  return control.is === "json" ? "As JSON" : "";
}

function countOf({ minItems: least = 0, maxItems: most }: Schema): string {
  if (most === undefined) return least > 0 ? `At least ${least}` : "";
  if (least === most) return `Exactly ${most}`;
  return least > 0 ? `${least} to ${most}` : `At most ${most}`;
}

function rangeOf(schema: Schema): string {
  const { minimum = -Infinity, maximum = Infinity } = schema;
  const { exclusiveMinimum: over, exclusiveMaximum: under } = schema;
  // Zod gives every integer the bounds of safe ones.
  const least = minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const most = maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (least !== undefined && most !== undefined) return `${least} to ${most}`;
  const low = least === undefined ? over !== undefined && `More than ${over}` : `At least ${least}`;
  const high = most === undefined ? under !== undefined && `Less than ${under}` : `At most ${most}`;
  return [low, high && low ? high.toLowerCase() : high].filter(Boolean).join(", ");
}
