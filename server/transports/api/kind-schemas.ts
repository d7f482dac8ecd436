/** The JSON Schemas of the server's kinds, as components of the OpenAPI document. */
import type { KindInfo } from "#shared/api.ts";
import type { JsonSchema } from "./json-schema.ts";

const COMPONENTS = "#/components/schemas/";

export function componentRef(name: string): JsonSchema {
  return { $ref: COMPONENTS + name };
}

/**
 * `Kind.mail.Input`, `Kind.mail.Output` and `Kind.mail.Details`, with the definitions that they contain. The names of kinds have no
 * dots, so those of components differ.
 */
export function schemasOfKinds(kinds: readonly KindInfo[]): Record<string, JsonSchema> {
  const all: Record<string, JsonSchema> = {};
  for (const { name, input, output, details } of kinds) {
    Object.assign(all, componentsOf(`Kind.${name}.Input`, input));
    Object.assign(all, componentsOf(`Kind.${name}.Output`, output));
    if (details !== undefined) Object.assign(all, componentsOf(`Kind.${name}.Details`, details));
  }
  return all;
}

/** The schema under this name, and each of its definitions beside it: generators follow no pointers into a component. */
function componentsOf(name: string, schema: JsonSchema): Record<string, JsonSchema> {
  const definitions = (schema.$defs ?? {}) as Record<string, JsonSchema>;
  const names = new Map<string, string>();
  for (const [index, key] of Object.keys(definitions).entries()) {
    const plain = `${name}.${key.replaceAll(/[^\w-]/g, "_")}`;
    const isTaken = [...names.values()].includes(plain);
    names.set(`#/$defs/${pointerOf(key)}`, isTaken ? `${plain}.${index}` : plain);
  }
  names.set("#", name);
  const moved = (each: JsonSchema) => moveRefs(each, names) as JsonSchema;
  const { $defs: _, $schema: __, $id: ___, ...rest } = schema;
  const all = { [name]: moved(rest) };
  for (const [key, each] of Object.entries(definitions)) {
    const { $id: ____, ...definition } = each;
    all[names.get(`#/$defs/${pointerOf(key)}`) ?? key] = moved(definition);
  }
  return all;
}

function pointerOf(key: string): string {
  return key.replaceAll("~", "~0").replaceAll("/", "~1");
}

/** Keywords whose values are data, in which `$ref` is a name like any other. */
const DATA: ReadonlySet<string> = new Set(["const", "default", "enum", "example", "examples"]);
/** Keywords whose values are schemas by name. */
const BY_NAME: ReadonlySet<string> = new Set([
  "properties",
  "patternProperties",
  "dependentSchemas",
]);

function moveRefs(schema: unknown, names: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(schema)) return schema.map((each) => moveRefs(each, names));
  if (typeof schema !== "object" || schema === null) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]: [string, unknown]) => {
      if (DATA.has(key)) return [key, value];
      if (key === "$ref" && typeof value === "string") return [key, movedRef(value, names)];
      if (!BY_NAME.has(key) || typeof value !== "object" || value === null) {
        return [key, moveRefs(value, names)];
      }
      const named = Object.entries(value).map(([name, each]) => [name, moveRefs(each, names)]);
      return [key, Object.fromEntries(named)];
    }),
  );
}

function movedRef(ref: string, names: ReadonlyMap<string, string>): string {
  const name = names.get(decodeURIComponent(ref));
  return name === undefined ? ref : COMPONENTS + name;
}

interface Fields {
  properties: Record<string, JsonSchema>;
  required: string[];
}

/**
 * `base`: the fields that requests of all kinds have. Returns the schema of a request of any kind, and one of each kind under the
 * name `Kind.mail.<suffix>`.
 */
export function requestsOfKinds(
  kinds: readonly KindInfo[],
  suffix: string,
  { properties, required }: Fields,
): { any: JsonSchema; components: Record<string, JsonSchema> } {
  const nameOf = (kind: string) => `Kind.${kind}.${suffix}`;
  const components = Object.fromEntries(
    kinds.map(({ name, description }) => [
      nameOf(name),
      {
        type: "object",
        description,
        properties: {
          ...properties,
          kind: { type: "string", const: name },
          input: componentRef(`Kind.${name}.Input`),
        },
        required: [...new Set([...required, "kind", "input"])],
      },
    ]),
  );
  if (kinds.length === 0) return { any: { type: "object", properties, required }, components };
  const mapping = Object.fromEntries(kinds.map(({ name }) => [name, COMPONENTS + nameOf(name)]));
  return {
    any: {
      oneOf: kinds.map(({ name }) => componentRef(nameOf(name))),
      discriminator: { propertyName: "kind", mapping },
    },
    components,
  };
}
