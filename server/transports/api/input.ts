/** Reads the input of a route from a request: its path, its query, its headers and its body. */
import type { IncomingMessage } from "node:http";
import { readJsonText } from "#server/transports/requests/json-body.ts";
import { checkAddress, NotText } from "#server/transports/requests/request-text.ts";
import { AppError } from "#shared/errors.ts";
import { type Field, valueOf } from "./input-fields.ts";
import { RequestFault } from "./problem.ts";

type Values = Record<string, unknown>;

/** Parameters that are no field of an input. */
const TICKET = "ticket";

export interface Address {
  /** Without the query. */
  path: string;
  query: URLSearchParams;
}

/** Throws `RequestFault` for an address that is not text. */
export function addressOf(url: string): Address {
  try {
    checkAddress(url);
  } catch (error) {
    throw error instanceof NotText ? new RequestFault(400, error.message) : error;
  }
  const at = url.indexOf("?");
  return at === -1
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, at), query: new URLSearchParams(url.slice(at + 1)) };
}

/** The ticket of an address. Throws `UNAUTHENTICATED` for more than one. */
export function ticketIn(query: URLSearchParams): string | undefined {
  const [ticket, ...more] = query.getAll(TICKET);
  if (more.length > 0) throw new AppError("UNAUTHENTICATED", "A ticket opens one stream alone.");
  return ticket;
}

/** Throws `RequestFault` for a parameter that is there twice. */
export function inputOfAddress(
  { query, params }: { query: URLSearchParams; params: Readonly<Record<string, string>> },
  fields: readonly Field[],
): Values {
  const schemas = new Map(
    fields.filter((each) => each.in === "query").map((f) => [f.name, f.schema]),
  );
  const values = new Map<string, unknown>();
  for (const [name, text] of query) {
    if (name === TICKET) continue;
    if (values.has(name)) throw new RequestFault(400, `The parameter ${name} is there twice.`);
    values.set(name, valueOf(text, schemas.get(name) ?? {}));
  }
  // `fromEntries` makes own properties of all names.
  return { ...Object.fromEntries(values), ...params };
}

/** Resolves to `undefined` if the client has left. Rejects with `BodyRefused` or `RequestFault`. */
export async function readBodyOf(req: IncomingMessage): Promise<Values | undefined> {
  if (!hasBody(req)) return {};
  const text = await readJsonText(req);
  if (text === undefined) return undefined;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch (error) {
    throw new RequestFault(400, `The body is not JSON: ${(error as Error).message}.`);
  }
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new RequestFault(400, "The body must be an object.");
  }
  return body as Values;
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

/** The input with the key of the header. Throws `RequestFault` where the body has another one. */
export function withKey(input: Values, header: string | string[] | undefined): Values {
  if (header === undefined) return input;
  const key = unquoted(String(header).trim());
  const { idempotencyKey = key } = input;
  if (idempotencyKey === key) return { ...input, idempotencyKey: key };
  throw new RequestFault(400, "The header Idempotency-Key and the field idempotencyKey differ.");
}

/** The draft of the IETF has the key in quotation marks; most clients send it without. */
function unquoted(text: string): string {
  const [, quoted] = /^"((?:[^"\\]|\\.)*)"$/.exec(text) ?? [];
  return quoted === undefined ? text : quoted.replaceAll(/\\(.)/g, "$1");
}
