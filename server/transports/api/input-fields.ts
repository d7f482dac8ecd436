/** The fields of a route's input: where each stands in a request, and how its text is read. */
import type { z } from "zod";
import { type JsonSchema, jsonSchemaOf } from "./json-schema.ts";
import { parametersIn } from "./match.ts";
import type { Method } from "./route.ts";

export interface Field {
  name: string;
  in: "path" | "query" | "body";
  required: boolean;
  schema: JsonSchema;
}

/** Returns `undefined` for an input that is no object of fields: it is the body. */
export function fieldsOf(
  { method, path }: { method: Method; path: string },
  input: z.ZodType,
): readonly Field[] | undefined {
  const schema = jsonSchemaOf(input);
  const { properties, required = [] } = schema as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  if (properties === undefined) return schema.type === "object" ? [] : undefined;
  const inPath = new Set(parametersIn(path));
  return Object.entries(properties).map(([name, each]) => ({
    name,
    in: inPath.has(name) ? "path" : method === "POST" ? "body" : "query",
    required: required.includes(name),
    schema: each,
  }));
}

const WHOLE = /^-?\d{1,15}$/;

/** The value of a text in an address. A text that is none of its type stays as it is, and the schema refuses it. */
export function valueOf(text: string, schema: JsonSchema): unknown {
  const types = typesIn(schema);
  if ((types.has("integer") || types.has("number")) && WHOLE.test(text)) return Number(text);
  if (types.has("boolean") && (text === "true" || text === "false")) return text === "true";
  return text;
}

function typesIn({ type, anyOf }: JsonSchema): ReadonlySet<unknown> {
  if (Array.isArray(anyOf)) return new Set(anyOf.flatMap((each) => [...typesIn(each)]));
  return new Set([type].flat());
}
