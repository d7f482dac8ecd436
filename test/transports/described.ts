/** For tests: whether answers of the API are what its OpenAPI document says. */
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import type { OpenApi, Operation } from "#server/transports/api/document.ts";

export interface Described {
  readonly document: OpenApi;
  /** The faults of an answer of the operation: none if the document describes it. */
  faultsOf(operationId: string, answer: { status: number; type: string; body: string }): string[];
}

const ROOT = "openapi.json";

export function describedBy(document: OpenApi): Described {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addSchema({ $id: ROOT, components: { schemas: closed(document.components.schemas) } });
  const operations = new Map<string, Operation>();
  for (const methods of Object.values(document.paths)) {
    for (const each of Object.values(methods)) operations.set(each.operationId, each);
  }
  const validators = new Map<string, ValidateFunction>();

  return {
    document,
    faultsOf(operationId, { status, type, body }) {
      const responses = operations.get(operationId)?.responses ?? {};
      const response = responses[status] ?? responses.default;
      if (response === undefined) return [`${operationId} has no answer ${status}`];
      if (response === responses.default && status < 400) return [`${status} is not described`];
      if (response.content === undefined) return body === "" ? [] : [`${status} has a body`];
      const content = response.content[type];
      if (content === undefined) return [`${operationId} ${status} is ${type}`];
      if (type === "text/event-stream") return [];
      const key = JSON.stringify(content.schema);
      let validate = validators.get(key);
      if (validate === undefined) {
        const text = key.replaceAll('"#/components', `"${ROOT}#/components`);
        validate = ajv.compile(JSON.parse(text) as object);
        validators.set(key, validate);
      }
      if (validate(JSON.parse(body))) return [];
      return (validate.errors ?? []).map(
        ({ instancePath, message, params }) =>
          `${operationId} ${status} ${instancePath} ${message} ${JSON.stringify(params)}`,
      );
    },
  };
}

/** With no fields but those that are described, so that one that the document lacks is a fault. */
function closed(schema: unknown, isPart = false): unknown {
  if (Array.isArray(schema)) return schema.map((each) => closed(each, isPart));
  if (typeof schema !== "object" || schema === null) return schema;
  const all: Record<string, unknown> = Object.fromEntries(
    Object.entries(schema).map(([key, value]) => [key, closed(value, key === "allOf")]),
  );
  const isObject = typeof all.properties === "object" && all.type === "object";
  if ((isObject && !isPart) || all.allOf !== undefined) all.unevaluatedProperties = false;
  return all;
}
