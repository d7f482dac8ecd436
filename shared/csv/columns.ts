/** The columns of a CSV file with inputs of a kind, by its schema: one for each value, `address.city` for a nested one. Pure. */
import type { Schema } from "#shared/json-schema.ts";

export interface Column {
  /** The properties that lead to the value, with dots between. */
  name: string;
  path: readonly string[];
  /** Another name under which it is recognised. */
  title: string | undefined;
  schema: Schema;
  /** Each row has a value here. */
  isRequired: boolean;
}

/** Objects deeper than this are JSON in a cell. */
const MOST_LEVELS = 4;
/** A schema may have any number of properties. */
const MOST_COLUMNS = 500;

/** `schema`: of an input, simplified. Empty for one that is no object with named properties. */
export function columnsOf(schema: Schema): Column[] {
  return columnsIn(schema, [], true).slice(0, MOST_COLUMNS);
}

function columnsIn(schema: Schema, path: readonly string[], isRequired: boolean): Column[] {
  const { properties = {}, required = [] } = schema;
  return Object.entries(properties).flatMap(([property, inner]) => {
    const at = [...path, property];
    const isNeeded = isRequired && required.includes(property) && inner.default === undefined;
    const isGroup = Object.keys(inner.properties ?? {}).length > 0 && inner.nullable !== true;
    if (isGroup && at.length < MOST_LEVELS) return columnsIn(inner, at, isNeeded);
    const { title } = inner;
    return [{ name: at.join("."), path: at, title, schema: inner, isRequired: isNeeded }];
  });
}

/** By its name, or else by its title; spaces, case and marks between words do not count. */
export function findColumn(columns: readonly Column[], header: string): Column | undefined {
  const wanted = bare(header);
  if (wanted === "") return undefined;
  return (
    columns.find(({ name }) => name === header) ??
    columns.find(({ name }) => bare(name) === wanted) ??
    columns.find(({ title }) => title !== undefined && bare(title) === wanted)
  );
}

function bare(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_.-]+/g, "");
}

/** `input`, and the objects that it makes in it, have no prototype: a property may have any name. */
export function putIn(
  input: Record<string, unknown>,
  path: readonly string[],
  value: unknown,
): void {
  let within = input;
  for (const property of path.slice(0, -1)) {
    within[property] ??= Object.create(null) as Record<string, unknown>;
    within = within[property] as Record<string, unknown>;
  }
  within[path.at(-1) as string] = value;
}
