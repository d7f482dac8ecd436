/** JSON Schemas of zod's schemas, as they are on the wire: dates are texts. */
import { z } from "zod";

export type JsonSchema = Record<string, unknown>;

/** The schema of what clients send, or of what they receive: our answers have no other form inside. */
export function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, OPTIONS);
  return rest;
}

/** The schemas by name. One that another one contains is a reference. */
export function jsonSchemasOf(
  named: Readonly<Record<string, z.ZodType>>,
  uri: (name: string) => string,
): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(named)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { ...OPTIONS, uri });
  return Object.fromEntries(
    Object.entries(schemas).map(([name, each]) => {
      const { $schema: _, $id: __, ...schema } = each;
      return [name, schema];
    }),
  );
}

const DATE_TIME = { type: "string", format: "date-time" } as const;

const OPTIONS = {
  io: "input",
  unrepresentable: "any",
  override({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodTypes; jsonSchema: JsonSchema }) {
    if (!isTime(zodSchema)) return;
    for (const key of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, key);
    Object.assign(jsonSchema, DATE_TIME);
  },
} as const satisfies z.core.ToJSONSchemaParams;

/** A date, or a date or how JSON has one (`TimeSchema`). */
function isTime({ _zod: { def } }: z.core.$ZodTypes): boolean {
  if (def.type === "date") return true;
  return def.type === "union" && def.options.some(({ _zod }) => _zod.def.type === "date");
}
