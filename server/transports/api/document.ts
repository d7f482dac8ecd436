/** The OpenAPI 3.1 document of a server: its routes, and the schemas of its kinds. */
import { STATUS_CODES } from "node:http";
import type { KindInfo, SystemInfo } from "#shared/api.ts";
import { MAX_BATCH_JOBS } from "#shared/batch.ts";
import { EVENTS_TYPE, JSON_TYPE } from "./accept.ts";
import { ANSWERS } from "./answers.ts";
import { END_EVENT, PROBLEM_EVENT } from "./frames.ts";
import type { Field } from "./input-fields.ts";
import { type JsonSchema, jsonSchemaOf, jsonSchemasOf } from "./json-schema.ts";
import { componentRef, requestsOfKinds, schemasOfKinds } from "./kind-schemas.ts";
import { API } from "./match.ts";
import { PROBLEM_TYPE } from "./problem.ts";
import { TAGS } from "./route.ts";
import type { Served, Table } from "./table.ts";

export interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  description?: string;
  parameters?: Parameter[];
  requestBody?: { required: boolean; content: Content };
  responses: Record<string, Response>;
  security?: object[];
}
export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required: boolean;
  description?: string;
  schema: JsonSchema;
}
type Content = Record<string, { schema: JsonSchema }>;
interface Response {
  description: string;
  headers?: Record<string, { description: string; schema: JsonSchema }>;
  content?: Content;
}
export interface OpenApi {
  openapi: "3.1.0";
  info: { title: string; version: string; description: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  security: object[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, JsonSchema>; securitySchemes: Record<string, object> };
}

const DESCRIPTION =
  "Calls answer in JSON. Streams are server-sent events at the same address, with Accept: text/event-stream, or an upgrade to a " +
  "WebSocket there. Errors are problem details (RFC 9457). Fields that are not described are ignored.";

export interface Described {
  table: Table;
  kinds: readonly KindInfo[];
  system: Pick<SystemInfo, "version">;
  basePath: string;
}

export function documentOf({ table, kinds, system, basePath }: Described): OpenApi {
  const schemas: Record<string, JsonSchema> = {
    ...jsonSchemasOf(ANSWERS, (name) => `#/components/schemas/${name}`),
    ...schemasOfKinds(kinds),
  };
  const paths: OpenApi["paths"] = {};
  for (const route of table.routes) {
    const served = table.servedBy(route);
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operationOf(served, kinds, schemas);
  }
  return {
    openapi: "3.1.0",
    info: { title: "Jobwire", version: system.version, description: DESCRIPTION },
    servers: [{ url: basePath + API }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }, { cookie: [] }, {}],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "A token or an API key." },
        cookie: {
          type: "apiKey",
          in: "cookie",
          name: "jobwire",
          description: "Of a person who signed in on the page. Only pages send it.",
        },
        ticket: {
          type: "apiKey",
          in: "query",
          name: "ticket",
          description: "Opens one stream, for clients that cannot send a header.",
        },
      },
    },
  };
}

/** Adds the requests of kinds to `schemas`. */
function operationOf(
  { route, answer, stream }: Served,
  kinds: readonly KindInfo[],
  schemas: Record<string, JsonSchema>,
): Operation {
  const { operationId, summary, tag } = route;
  const parameters = parametersOf([answer?.fields, stream?.fields]);
  if (answer?.keyed === true) parameters.push(KEY);
  if (stream !== undefined) parameters.push(LAST_EVENT_ID, TICKET);
  const body = answer && bodyOf(answer, kinds, schemas);
  return {
    operationId,
    summary,
    tags: [tag],
    ...(stream && { description: aboutStream(stream.event), security: STREAM_SECURITY }),
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: body }),
    responses: responsesOf({ route, answer, stream } as Served),
  };
}

const STREAM_SECURITY = [{ bearer: [] }, { cookie: [] }, { ticket: [] }, {}];

function aboutStream(event: string): string {
  return (
    `With \`Accept: ${EVENTS_TYPE}\`, or as a WebSocket, a stream of events \`${event}\`. The event \`${END_EVENT}\` tells that it is ` +
    `complete, \`${PROBLEM_EVENT}\` why it ended.`
  );
}

const KEY: Parameter = {
  name: "Idempotency-Key",
  in: "header",
  required: false,
  description: "A second request with the same key creates nothing, and has the same answer.",
  schema: { type: "string", minLength: 1, maxLength: 200 },
};
const LAST_EVENT_ID: Parameter = {
  name: "Last-Event-ID",
  in: "header",
  required: false,
  description: "Of a stream: the id of the newest event that the client has.",
  schema: { type: "string" },
};
const TICKET: Parameter = {
  name: "ticket",
  in: "query",
  required: false,
  description: "Of a stream: in place of other credentials.",
  schema: { type: "string" },
};

/** Those of the address. A field of both forms of an answer is one parameter. */
function parametersOf(forms: readonly (readonly Field[] | undefined)[]): Parameter[] {
  const all = new Map<string, Parameter>();
  for (const { name, in: place, required, schema } of forms.flatMap((fields) => fields ?? [])) {
    if (place === "body" || all.has(name)) continue;
    all.set(name, {
      name,
      in: place,
      required: place === "path" || required,
      schema: withoutNull(schema),
    });
  }
  return [...all.values()];
}

/** An address has no null. */
function withoutNull(schema: JsonSchema): JsonSchema {
  const { anyOf, ...rest } = schema as { anyOf?: JsonSchema[] };
  const [only, ...more] = (anyOf ?? []).filter(({ type }) => type !== "null");
  return only !== undefined && more.length === 0 ? { ...rest, ...only } : schema;
}

function bodyOf(
  { fields, input, ofKinds }: NonNullable<Served["answer"]>,
  kinds: readonly KindInfo[],
  schemas: Record<string, JsonSchema>,
): Operation["requestBody"] {
  if (fields === undefined) return { required: true, content: json(jsonSchemaOf(input)) };
  const inBody = fields.filter((field) => field.in === "body");
  if (inBody.length === 0) return undefined;
  const properties = Object.fromEntries(inBody.map(({ name, schema }) => [name, schema]));
  const required = inBody.filter((field) => field.required).map(({ name }) => name);
  const plain = { type: "object", properties, ...(required.length > 0 && { required }) };
  const requests = (suffix: string, of: { properties: typeof properties; required: string[] }) => {
    const { any, components } = requestsOfKinds(kinds, suffix, of);
    Object.assign(schemas, components);
    return any;
  };
  switch (ofKinds) {
    case "job":
      return { required: true, content: json(requests("Job", { properties, required })) };
    case "schedule":
      return { required: true, content: json(requests("Schedule", { properties, required })) };
    case "batch": {
      const row = { properties: { kind: { type: "string" }, input: {} }, required: ["kind"] };
      const items = requests("Row", row);
      const jobs = { type: "array", minItems: 1, maxItems: MAX_BATCH_JOBS, items };
      return {
        required: true,
        content: json({ ...plain, properties: { ...properties, jobs }, required: ["jobs"] }),
      };
    }
    case undefined:
      return { required: required.length > 0, content: json(plain) };
    default:
      return ofKinds satisfies never;
  }
}

function responsesOf({ answer, stream }: Served): Record<string, Response> {
  const responses: Record<string, Response> = {};
  const content: Content = {};
  if (answer?.output !== undefined) Object.assign(content, json(outputOf(answer.output)));
  if (stream !== undefined) content[EVENTS_TYPE] = { schema: { type: "string" } };
  const status = answer?.status ?? 200;
  responses[status] = {
    description: STATUS_CODES[status] ?? "",
    ...(answer?.location && {
      headers: { Location: { description: "Its address.", schema: { type: "string" } } },
    }),
    ...(Object.keys(content).length > 0 && { content }),
  };
  if (stream !== undefined) {
    responses[101] = { description: "The stream goes on as a WebSocket." };
    responses[204] = { description: "The stream is complete, and the client was told." };
  }
  responses.default = {
    description: "A problem",
    headers: {
      "Retry-After": {
        description: "With 429 and 503: the same request may succeed in so many seconds.",
        schema: { type: "integer" },
      },
    },
    content: { [PROBLEM_TYPE]: { schema: componentRef("Problem") } },
  };
  return responses;
}

/** Outputs are components, or a component or null. */
function outputOf(output: NonNullable<NonNullable<Served["answer"]>["output"]>): JsonSchema {
  const name = NAMES.get(output);
  if (name !== undefined) return componentRef(name);
  const inner =
    "unwrap" in output ? NAMES.get((output as { unwrap(): unknown }).unwrap()) : undefined;
  if (inner === undefined) throw new Error("An answer of the API has no name in `ANSWERS`.");
  return { anyOf: [componentRef(inner), { type: "null" }] };
}

const NAMES = new Map<unknown, string>(
  Object.entries(ANSWERS).map(([name, schema]) => [schema, name]),
);

function json(schema: JsonSchema): Content {
  return { [JSON_TYPE]: { schema } };
}
