/** The state of a form while a person fills it in: a tree of texts, with a node for each field. Pure. */
import { type Control, type Field, isGroup } from "./fields.ts";

/** The text of a single control, or the parts of a group. */
export type Draft = string | Group;

export interface Group {
  /** Of a field that may be left out: whether it is given. Arrays and records are given by their parts. */
  given: boolean;
  /** Of a union: the index of the alternative, or -1. */
  chosen: number;
  /** Of an object one for each of its fields. */
  parts: readonly Part[];
  /** The number of the next key, so that no key is used twice. */
  next: number;
}

export interface Part {
  key: number;
  /** Of a record's entry, as typed. */
  name: string;
  draft: Draft;
}

const NOTHING: Group = { given: false, chosen: -1, parts: [], next: 0 };

function groupOf(drafts: readonly Draft[], names: readonly string[] = [], chosen = -1): Group {
  const parts = drafts.map((draft, key): Part => ({ key, name: names[key] ?? "", draft }));
  return { given: true, chosen, parts, next: parts.length };
}

/** Of a field that is left out. */
export function emptyDraft({ control }: Field): Draft {
  return isGroup(control) ? NOTHING : "";
}

/** Of a field that a person has not touched yet. */
export function initialDraft(field: Field): Draft {
  if (field.default !== undefined) return draftOf(field, field.default);
  const isNeeded = field.isRequired && !field.isNullable;
  const { control } = field;
  if (isGroup(control)) return isNeeded ? givenDraft(control) : NOTHING;
  if (control.is === "fixed") return textOf(control, control.value);
  if (control.is === "check") return "false";
  return control.is === "json" && control.skeleton !== undefined
    ? textOf(control, control.skeleton)
    : "";
}

/** Of a group that a person has just added. */
export function givenDraft(control: Control): Draft {
  if (control.is === "object") return groupOf(control.fields.map(initialDraft));
  if (control.is === "array") {
    return groupOf(Array.from({ length: control.fewest }, () => initialDraft(control.item)));
  }
  return { ...NOTHING, given: true };
}

/** Of a value. What does not fit the field reads as another value. `absent`: of fields that the value lacks. */
export function draftOf(field: Field, value: unknown, absent = initialDraft): Draft {
  const { control } = field;
  if (!isGroup(control)) return value === null && field.isNullable ? "" : textOf(control, value);
  if (value === null || typeof value !== "object") {
    return control.is === "union" ? alternativeOf(control.options, value, absent) : NOTHING;
  }
  const given = new Map(Object.entries(value));
  switch (control.is) {
    case "object":
      return groupOf(
        control.fields.map((one) =>
          given.has(one.name) ? draftOf(one, given.get(one.name), absent) : absent(one),
        ),
      );
    case "array": {
      const items = Array.isArray(value) ? (value as unknown[]).slice(0, control.most) : [];
      return groupOf(items.map((one) => draftOf(control.item, one, absent)));
    }
    case "record": {
      const entries = [...given].slice(0, control.most);
      const drafts = entries.map(([, one]) => draftOf(control.value, one, absent));
      return groupOf(
        drafts,
        entries.map(([name]) => name),
      );
    }
    case "union":
      return alternativeOf(control.options, value, absent);
  }
}

type Options = Extract<Control, { is: "union" }>["options"];

/** The first alternative that gives the value back, or else the first one. */
function alternativeOf(options: Options, value: unknown, absent: typeof initialDraft): Draft {
  const index = options.findIndex(({ field }) => fits(field, value));
  const field = options[index]?.field;
  return field === undefined ? NOTHING : groupOf([draftOf(field, value, absent)], [], index);
}

function fits({ control, isNullable }: Field, value: unknown): boolean {
  if (value === null) return isNullable;
  switch (control.is) {
    case "object": {
      if (typeof value !== "object" || Array.isArray(value)) return false;
      const given = new Map(Object.entries(value));
      const known = new Set(control.fields.map(({ name }) => name));
      return (
        [...given.keys()].every((name) => known.has(name)) &&
        control.fields.every((field) =>
          given.has(field.name) ? fits(field, given.get(field.name)) : !field.isRequired,
        )
      );
    }
    case "array":
      return Array.isArray(value) && value.every((one) => fits(control.item, one));
    case "record":
      return (
        typeof value === "object" &&
        !Array.isArray(value) &&
        Object.values(value).every((one) => fits(control.value, one))
      );
    case "union":
      return control.options.some(({ field }) => fits(field, value));
    case "choice":
      return control.values.includes(value);
    case "fixed":
      return control.value === value;
    case "number":
      return typeof value === "number" && (!control.whole || Number.isSafeInteger(value));
    case "text":
      return typeof value === "string";
    case "check":
      return typeof value === "boolean";
    case "json":
      return true;
  }
}

/** The text of a value. That of a value that does not fit the control reads as another one. */
function textOf(control: Control, value: unknown): string {
  if (control.is === "json") return JSON.stringify(value, null, 2);
  if (control.is === "choice" || control.is === "fixed") return JSON.stringify(value);
  if (typeof value !== "string") return JSON.stringify(value);
  return control.is === "text" && control.type === "datetime-local" ? localTime(value) : value;
}

/** As the browser's control has it, to the second. */
function localTime(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().replace(/\.000Z$|Z$/, "");
}

export function addPart(group: Group, draft: Draft): Group {
  const part: Part = { key: group.next, name: "", draft };
  return { ...group, given: true, parts: [...group.parts, part], next: group.next + 1 };
}

export function removePart(group: Group, key: number): Group {
  return { ...group, parts: group.parts.filter((part) => part.key !== key) };
}

export function changePart(group: Group, key: number, change: Partial<Part>): Group {
  const parts = group.parts.map((part) => (part.key === key ? { ...part, ...change } : part));
  return { ...group, parts };
}

/** Of a union; -1: none of them. Its key differs from that of the alternative before. */
export function choose({ next }: Group, options: Options, index: number): Group {
  const option = options[index];
  return option === undefined
    ? { ...NOTHING, next }
    : { ...addPart({ ...NOTHING, next }, initialDraft(option.field)), chosen: index };
}
