/** JSON Schemas of inputs, brought into the few forms that the page tells apart. Pure. */

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
  items?: Schema;
  format?: string;
  pattern?: string;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
}

/** Below this, a schema is taken for one that accepts anything: a reference may lead back to where it stands. */
const MOST_LEVELS = 8;

/** Has no references, one type at most, and `enum` for all ways to list values. */
export function simplified(schema: Schema, root = schema, level = 0): Schema {
  if (level > MOST_LEVELS) return {};
  const { $ref, $defs: _, const: only, type, oneOf, anyOf = oneOf, ...rest } = schema;
  const inner = (one: Schema) => simplified(one, root, level + 1);
  if ($ref !== undefined) {
    const target = $ref === "#" ? root : root.$defs?.[$ref.replace("#/$defs/", "")];
    return { ...inner(target ?? {}), ...rest };
  }
  if (only !== undefined) return { ...rest, enum: [only] };
  const given = Array.isArray(type) ? type.map((one): Schema => ({ type: one })) : anyOf;
  if (given !== undefined) {
    const others = given.map(inner).filter((one) => one.type !== "null");
    const nullable = others.length < given.length;
    if (others.length === 1) return { ...others[0], ...rest, nullable };
    const values = others.flatMap((one) => one.enum ?? []);
    const isList = others.every((one) => one.enum !== undefined);
    return { ...rest, nullable, ...(isList ? { enum: values } : { anyOf: others }) };
  }
  const { items, properties } = rest;
  const all = Object.entries(properties ?? {}).map(([name, one]) => [name, inner(one)] as const);
  return {
    ...rest,
    ...(typeof type === "string" && { type }),
    ...(items && { items: inner(items) }),
    ...(properties && { properties: Object.fromEntries(all) }),
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
