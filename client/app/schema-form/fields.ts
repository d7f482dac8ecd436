/** The fields of a form for an input's JSON Schema. Pure. */
import { type Schema, simplified, skeletonOf } from "./schema.ts";

export type Control =
  | { is: "text"; type: "text" | "url" | "email" | "date" | "lines" }
  | { is: "number"; whole: boolean }
  /** The text of an option is its value as JSON. */
  | { is: "choice"; values: unknown[] }
  | { is: "check" }
  /** One item in each line. */
  | { is: "list"; of: string }
  /** For values that no other control fits, such as objects. */
  | { is: "json" };

export interface Field {
  /** The property of the input. */
  name: string;
  label: string;
  hint: string;
  isRequired: boolean;
  isNullable: boolean;
  control: Control;
  /** Its text at first. Empty for what is not given. */
  initial: string;
}

/** `undefined` for the schema of anything but an object with known properties. */
export function fieldsOf(given: object): Field[] | undefined {
  const { type, nullable, properties, required = [] } = simplified(given);
  if (type !== "object" || nullable === true || properties === undefined) return undefined;
  return Object.entries(properties).map(([name, schema]) => {
    const isRequired = required.includes(name);
    const isNullable = schema.nullable === true;
    const isCertain = !isNullable && (isRequired || schema.default !== undefined);
    const control = controlOf(schema, isCertain);
    const hints = [schema.description ?? "", constraintOf(control, schema)];
    const title = schema.title ?? name;
    return {
      name,
      label: isRequired || control.is === "check" ? title : `${title} (optional)`,
      hint: hints
        .map((hint) => hint.replace(/\.$/, ""))
        .filter(Boolean)
        .join(". "),
      isRequired,
      isNullable,
      control,
      initial: initialOf(control, schema, isRequired && !isNullable),
    };
  });
}

const INPUT_TYPES = { uri: "url", email: "email", date: "date" } as const;
/** A text that may have more characters than this has lines. */
const LONG = 100;

/** `isCertain`: it has a value. A checkbox has no third state. */
function controlOf(schema: Schema, isCertain: boolean): Control {
  const { type, format, pattern, maxLength = Infinity, items } = schema;
  if (schema.enum !== undefined) return { is: "choice", values: schema.enum };
  if (type === "boolean") {
    return isCertain ? { is: "check" } : { is: "choice", values: [true, false] };
  }
  if (type === "number" || type === "integer") return { is: "number", whole: type === "integer" };
  if (type === "string") {
    const isLong = format === undefined && pattern === undefined && maxLength > LONG;
    const short = INPUT_TYPES[format as keyof typeof INPUT_TYPES] ?? "text";
    return { is: "text", type: isLong ? "lines" : short };
  }
  const of = type === "array" && items?.nullable !== true ? items?.type : undefined;
  return of === "string" || of === "number" || of === "integer"
    ? { is: "list", of }
    : { is: "json" };
}

function initialOf(control: Control, schema: Schema, isNeeded: boolean): string {
  if (schema.default !== undefined) return textOf(control, schema.default);
  if (control.is === "check") return "false";
  return control.is === "json" && isNeeded ? textOf(control, skeletonOf(schema)) : "";
}

function constraintOf(control: Control, schema: Schema): string {
  if (schema.format === "date-time") return "Such as 2026-01-31T12:00:00Z";
  if (control.is === "number") return rangeOf(schema);
  if (control.is !== "list") return control.is === "json" ? "As JSON" : "";
  const each = schema.items?.enum?.join(", ") ?? rangeOf(schema.items ?? {});
  return each === "" ? "One in each line" : `One in each line: ${each}`;
}

function rangeOf({ minimum = -Infinity, maximum = Infinity }: Schema): string {
  // Zod gives every integer the bounds of safe ones.
  const hasLeast = minimum > Number.MIN_SAFE_INTEGER;
  const hasMost = maximum < Number.MAX_SAFE_INTEGER;
  if (hasLeast) return hasMost ? `${minimum} to ${maximum}` : `At least ${minimum}`;
  return hasMost ? `At most ${maximum}` : "";
}

/** The text of a value. That of a value that does not fit the control reads as another one. */
export function textOf({ is }: Control, value: unknown): string {
  if (is === "json") return JSON.stringify(value, null, 2);
  if (is === "list" && Array.isArray(value)) return value.join("\n");
  return is !== "choice" && typeof value === "string" ? value : JSON.stringify(value);
}
