/** The form for an input's JSON Schema: a tree of fields. Pure. */
import { hintOf } from "./hint.ts";
import { type Schema, simplified, skeletonOf } from "#shared/json-schema.ts";

export type Control =
  | { is: "text"; type: "text" | "url" | "email" | "date" | "datetime-local" | "lines" }
  | { is: "number"; whole: boolean }
  /** The text of an option is its value as JSON. */
  | { is: "choice"; values: unknown[] }
  /** The only value that is accepted; there is nothing to ask. `isShown`: false where a choice tells it. */
  | { is: "fixed"; value: unknown; isShown: boolean }
  | { is: "check" }
  | { is: "object"; fields: Field[] }
  /** `fewest` and `most`: how many items it has. */
  | { is: "array"; item: Field; fewest: number; most: number }
  /** An object whose properties have names that people choose. */
  | { is: "record"; value: Field; most: number }
  | { is: "union"; options: Option[] }
  /** For values that no other control fits. */
  | { is: "json"; skeleton: unknown };

export interface Option {
  label: string;
  field: Field;
}

export interface Field {
  /** The property of the object that it stands in; empty for items and the input itself. */
  name: string;
  /** Without a remark that it may be left out. */
  title: string;
  label: string;
  hint: string;
  isRequired: boolean;
  isNullable: boolean;
  control: Control;
  /** `undefined`: none. */
  default: unknown;
}

/** Controls of fields that contain fields. */
export type GroupControl = Extract<Control, { is: "object" | "array" | "record" | "union" }>;

export function isGroup(control: Control): control is GroupControl {
  return ["object", "array", "record", "union"].includes(control.is);
}

/** Fields this deep inside others are JSON. Deeper ones have no room on a phone. */
export const MOST_DEEP = 4;
/** An array of more items is edited as JSON. */
export const MOST_ITEMS = 100;

/** The whole form. `undefined` for an input that is edited as JSON: a single value, or anything. */
export function formOf(given: object): Field | undefined {
  const schema = simplified(given);
  const form = fieldOf(
    "",
    { ...schema, title: schema.title ?? "Input" },
    { isRequired: true, depth: 0 },
  );
  return isGroup(form.control) && !form.isNullable ? form : undefined;
}

interface Place {
  isRequired: boolean;
  depth: number;
}

function fieldOf(name: string, schema: Schema, { isRequired, depth }: Place): Field {
  const isNullable = schema.nullable === true;
  const isCertain = !isNullable && (isRequired || schema.default !== undefined);
  const control = controlOf(schema, isCertain, isRequired && !isNullable, depth);
  const title = schema.title ?? name;
  return {
    name,
    title,
    label: isRequired || control.is === "check" ? title : `${title} (optional)`,
    hint: hintOf(control, schema),
    isRequired,
    isNullable,
    control,
    default: schema.default,
  };
}

const INPUT_TYPES = {
  uri: "url",
  email: "email",
  date: "date",
  "date-time": "datetime-local",
} as const;
/** A text that may have more characters than this has lines. */
const LONG = 100;

/** `isCertain`: it has a value, and a checkbox has no third state. `isNeeded`: it must be given. */
function controlOf(schema: Schema, isCertain: boolean, isNeeded: boolean, depth: number): Control {
  const { type, format, pattern, maxLength = Infinity } = schema;
  if (schema.enum !== undefined) {
    const [value] = schema.enum;
    const isFixed = isNeeded && schema.enum.length === 1;
    return isFixed ? { is: "fixed", value, isShown: true } : { is: "choice", values: schema.enum };
  }
  if (type === "boolean") {
    return isCertain ? { is: "check" } : { is: "choice", values: [true, false] };
  }
  if (type === "number" || type === "integer") return { is: "number", whole: type === "integer" };
  if (type === "string") {
    const isLong = format === undefined && pattern === undefined && maxLength > LONG;
    const short = INPUT_TYPES[format as keyof typeof INPUT_TYPES] ?? "text";
    return { is: "text", type: isLong ? "lines" : short };
  }
  const group = depth < MOST_DEEP ? groupOf(schema, depth + 1) : undefined;
  return group ?? { is: "json", skeleton: isNeeded ? skeletonOf(schema) : undefined };
}

function groupOf(schema: Schema, depth: number): GroupControl | undefined {
  const { type, anyOf, properties, required = [], items, minItems = 0 } = schema;
  const inner = (one: Schema) => fieldOf("", one, { isRequired: true, depth });
  if (anyOf !== undefined) return unionOf(anyOf, depth);
  if (type === "array" && items !== undefined && !isAnything(items)) {
    const most = Math.min(schema.maxItems ?? MOST_ITEMS, MOST_ITEMS);
    return { is: "array", item: inner(items), fewest: Math.min(minItems, most), most };
  }
  if (type !== "object") return undefined;
  if (properties !== undefined) {
    const fields = Object.entries(properties).map(([name, one]) =>
      fieldOf(name, one, { isRequired: required.includes(name), depth }),
    );
    return { is: "object", fields };
  }
  const value = schema.additionalProperties;
  if (typeof value !== "object" || isAnything(value)) return undefined;
  return { is: "record", value: inner(value), most: MOST_ITEMS };
}

const isAnything = ({ type, anyOf, enum: values }: Schema) =>
  type === undefined && anyOf === undefined && values === undefined;

/** `undefined` if some alternative has no control: a choice of JSON or JSON is none. */
function unionOf(schemas: readonly Schema[], depth: number): GroupControl | undefined {
  const mark = discriminatorOf(schemas);
  const options = schemas.map((schema): Option => {
    const field = fieldOf("", schema, { isRequired: true, depth: depth - 1 });
    const value = mark === undefined ? undefined : schema.properties?.[mark]?.enum?.[0];
    const word = value === undefined ? wordOf(schema) : valueText(value);
    return { label: schema.title ?? word, field: withoutMark(field, mark) };
  });
  return options.some(({ field }) => field.control.is === "json")
    ? undefined
    : { is: "union", options };
}

function withoutMark(field: Field, mark: string | undefined): Field {
  const { control } = field;
  if (control.is !== "object") return field;
  const fields = control.fields.map((one) =>
    one.name === mark && one.control.is === "fixed"
      ? { ...one, control: { ...one.control, isShown: false } }
      : one,
  );
  return { ...field, control: { ...control, fields } };
}

/** The property by whose value alternatives differ. */
function discriminatorOf(schemas: readonly Schema[]): string | undefined {
  return Object.keys(schemas[0]?.properties ?? {}).find((name) => {
    const values = schemas.map(({ properties, required }) => {
      const listed = required?.includes(name) === true ? properties?.[name]?.enum : undefined;
      return listed?.length === 1 ? JSON.stringify(listed[0]) : undefined;
    });
    return !values.includes(undefined) && new Set(values).size === values.length;
  });
}

const WORDS: Readonly<Record<string, string>> = {
  string: "Text",
  number: "Number",
  integer: "Whole number",
  boolean: "Yes or no",
  array: "List",
};

function wordOf({ type, enum: values, items, properties }: Schema): string {
  if (values !== undefined) return values.map(valueText).join(", ");
  if (type === "array" && items !== undefined) return `List: ${wordOf(items)}`;
  if (properties !== undefined) return Object.keys(properties).join(", ") || "Empty";
  return WORDS[typeof type === "string" ? type : ""] ?? "Other";
}

/** A value in words, as options and fixed values show it. */
export function valueText(value: unknown): string {
  if (typeof value === "boolean") return value ? "Yes" : "No";
  return typeof value === "string" ? value : JSON.stringify(value);
}
