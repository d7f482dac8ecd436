/** JSON Schemas of inputs, brought into the few forms that forms and CSV files tell apart. Pure. */

export interface Schema {
  $ref?: string;
  $defs?: Record<string, Schema>;
  type?: string | string[];
  /** Not of JSON Schema: stands for a second type `null`. */
  nullable?: boolean;
  title?: string;
  description?: string;
  default?: unknown;
  examples?: unknown[];
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  format?: string;
  pattern?: string;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  exclusiveMinimum?: number;
  exclusiveMaximum?: number;
}

/** Below this, a schema is taken for one that accepts anything: a reference may lead back to where it stands. */
const MOST_LEVELS = 12;
/** How often a reference may stand within its own target. */
const MOST_RETURNS = 2;
/** Schemas beyond this many are taken for ones that accept anything, as a few references can stand for millions. */
export const MOST_SCHEMAS = 2000;

/** Has no references, one type at most, and `enum` for all ways to list values. */
export function simplified(root: Schema): Schema {
  let left = MOST_SCHEMAS;

  function simple(schema: Schema, within: readonly string[], level: number): Schema {
    if (level > MOST_LEVELS || left === 0) return {};
    left -= 1;
    const { $ref, $defs: _, const: only, type, oneOf, anyOf = oneOf, ...rest } = schema;
    const inner = (one: Schema) => simple(one, within, level + 1);
    if ($ref !== undefined) {
      if (within.filter((one) => one === $ref).length > MOST_RETURNS) return {};
      return { ...simple(targetOf($ref, root) ?? {}, [...within, $ref], level + 1), ...rest };
    }
    if (only !== undefined) return { ...rest, enum: [only] };
    const given = Array.isArray(type) ? type.map((one): Schema => ({ ...rest, type: one })) : anyOf;
    if (given !== undefined) {
      const others = given.map(inner).filter((one) => one.type !== "null");
      const nullable = others.length < given.length;
      if (others.length === 1) return { ...others[0], ...rest, nullable };
      const values = others.flatMap((one) => one.enum ?? []);
      const isList = others.every((one) => one.enum !== undefined);
      return { ...rest, nullable, ...(isList ? { enum: values } : { anyOf: others }) };
    }
    return { ...rest, ...(typeof type === "string" && { type }), ...contents(rest, inner) };
  }

  return simple(root, [], 0);
}

/** zod writes the id of a schema into its references as it is, so a name may hold a percent sign that encodes nothing. */
function targetOf(ref: string, root: Schema): Schema | undefined {
  if (ref === "#") return root;
  const name = ref.replace("#/$defs/", "");
  const names = [name, name.replaceAll("~1", "/").replaceAll("~0", "~"), decoded(name)];
  const found = names.find((one) => one !== undefined && Object.hasOwn(root.$defs ?? {}, one));
  return found === undefined ? undefined : root.$defs?.[found];
}

/** A JSON pointer in a URI fragment (RFC 6901, 6). */
function decoded(name: string): string | undefined {
  try {
    return decodeURIComponent(name).replaceAll("~1", "/").replaceAll("~0", "~");
  } catch {
    return undefined;
  }
}

function contents(schema: Schema, inner: (schema: Schema) => Schema): Schema {
  const { items, properties, propertyNames, additionalProperties: others } = schema;
  const all = Object.entries(properties ?? {}).map(([name, one]) => [name, inner(one)] as const);
  const value = typeof others === "object" ? inner(others) : others;
  const names = propertyNames && inner(propertyNames);
  // A record with a list of names is an object with these properties.
  const listed = typeof value === "object" && properties === undefined ? names?.enum : undefined;
  const known = listed?.map((name) => [String(name), value as Schema] as const) ?? all;
  return {
    ...(typeof items === "object" && { items: inner(items) }),
    ...(value !== undefined && { additionalProperties: listed === undefined ? value : false }),
    ...(names !== undefined && { propertyNames: names }),
    ...((properties ?? listed) && { properties: Object.fromEntries(known) }),
  };
}

/** A value to begin with: what must be there, with as few contents as possible. `schema` is simplified. */
export function skeletonOf(schema: Schema): unknown {
  const { examples, anyOf, properties = {}, required = [], minimum = 0 } = schema;
  if (schema.default !== undefined) return schema.default;
  if (examples?.[0] !== undefined) return examples[0];
  if (schema.enum !== undefined) return schema.enum[0];
  if (anyOf?.[0] !== undefined) return skeletonOf(anyOf[0]);
  if (schema.type === "string") return "";
  if (schema.type === "number" || schema.type === "integer") return Math.max(0, minimum);
  if (schema.type === "boolean") return false;
  if (schema.type === "array") return [];
  const needed = Object.entries(properties).filter(
    ([name, one]) => required.includes(name) || one.default !== undefined,
  );
  return Object.fromEntries(needed.map(([name, one]) => [name, skeletonOf(one)]));
}
