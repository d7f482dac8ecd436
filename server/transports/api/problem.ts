/** Errors as clients of the API receive them: problem details (RFC 9457). */
import { STATUS_CODES } from "node:http";
import { ZodError } from "zod";
import { BodyRefused } from "#server/transports/requests/json-body.ts";
import { codeOfStatus, STATUS } from "#server/transports/requests/status.ts";
import { cutText } from "#shared/cut-text.ts";
import { AppError, type ErrorCode, type InputIssue } from "#shared/errors.ts";
import { publicMessageOf } from "#shared/public-message.ts";
import type { Problem } from "./answers.ts";
import type { Field } from "./input-fields.ts";

export const PROBLEM_TYPE = "application/problem+json";

/** The number of issues that a problem lists. A small input can have very many. */
const MAX_ISSUES = 100;
const MAX_DETAIL_CHARS = 10_000;

/** A fault of the request itself, of which HTTP knows more than our codes say. */
export class RequestFault extends Error {
  override readonly name = "RequestFault";
  readonly status: 400 | 404 | 405 | 406 | 413 | 415;

  constructor(status: RequestFault["status"], message: string) {
    super(message);
    this.status = status;
  }
}

/** By the code, what is the same in every such problem. */
export const TITLES = {
  BAD_REQUEST: "The request is malformed",
  INCOMPATIBLE_CLIENT: "The client has another major version",
  UNAUTHENTICATED: "The credentials are missing or invalid",
  TOKEN_EXPIRED: "The token has expired",
  FORBIDDEN: "The credentials do not permit this",
  NOT_FOUND: "The object does not exist",
  ILLEGAL_TRANSITION: "The status of the job does not allow this",
  CLAIM_LOST: "Another runner holds the job",
  KEY_REUSED: "The idempotency key belongs to another request",
  RATE_LIMITED: "A limit is reached",
  UNAVAILABLE: "The data is not available at the moment",
  DATA_UNUSABLE: "The data cannot be used",
  INTERNAL: "The server has a fault",
} as const satisfies Record<ErrorCode, string>;

export function codeOf(thrown: unknown): ErrorCode {
  if (thrown instanceof AppError) return thrown.code;
  if (thrown instanceof RequestFault || thrown instanceof BodyRefused) {
    return codeOfStatus(thrown.status);
  }
  return thrown instanceof ZodError ? "BAD_REQUEST" : "INTERNAL";
}

export function statusOf(thrown: unknown): number {
  if (thrown instanceof RequestFault || thrown instanceof BodyRefused) return thrown.status;
  return STATUS[codeOf(thrown)];
}

/** `types`: the address of the page that explains the codes. `fields`: where the fields of the input stand. */
export function problemOf(
  thrown: unknown,
  types: string,
  fields: readonly Field[] | undefined = [],
): Problem {
  const status = statusOf(thrown);
  const code = codeOf(thrown);
  const issues = issuesOf(thrown).slice(0, MAX_ISSUES);
  const retryAfterMs = thrown instanceof AppError ? thrown.retryAfterMs : undefined;
  return {
    ...kindOfProblem(status, code, types),
    status,
    detail: cutText(detailOf(thrown), MAX_DETAIL_CHARS),
    code,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(issues.length > 0 && { errors: issues.map((issue) => faultOf(issue, fields)) }),
  };
}

/** Of a request that the server refused before it reached this transport. */
export function problemOfRefusal(
  { status, message, retryAfterMs }: { status: number; message: string; retryAfterMs?: number },
  types: string,
): Problem {
  const code = codeOfStatus(status);
  return {
    ...kindOfProblem(status, code, types),
    status,
    detail: cutText(message, MAX_DETAIL_CHARS),
    code,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** A status that says more than the code has the meaning of the status alone. */
function kindOfProblem(status: number, code: ErrorCode, types: string) {
  return STATUS[code] === status
    ? { type: `${types}#${code}`, title: TITLES[code] }
    : { type: "about:blank", title: STATUS_CODES[status] ?? "Error" };
}

function detailOf(thrown: unknown): string {
  if (thrown instanceof RequestFault || thrown instanceof BodyRefused) return thrown.message;
  if (!(thrown instanceof ZodError)) return publicMessageOf(thrown);
  const told = issuesOf(thrown).slice(0, MAX_ISSUES);
  const untold = thrown.issues.length - told.length;
  const texts = told.map(
    ({ path, message }) => `${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`,
  );
  return [...texts, ...(untold > 0 ? [`and ${untold} more`] : [])].join("; ");
}

function issuesOf(thrown: unknown): readonly InputIssue[] {
  if (thrown instanceof AppError) return thrown.issues;
  if (!(thrown instanceof ZodError)) return [];
  return thrown.issues.map(({ path, message }) => ({
    path: path.map((part) => (typeof part === "number" ? part : String(part))),
    message,
  }));
}

/** A fault in the body has a JSON Pointer, one in the address the name of the parameter. */
function faultOf({ path, message }: InputIssue, fields: readonly Field[] | undefined) {
  const [first] = path;
  const field = fields?.find(({ name }) => name === first);
  if (field !== undefined && field.in !== "body") return { parameter: field.name, detail: message };
  const parts = path.map((part) => String(part).replaceAll("~", "~0").replaceAll("/", "~1"));
  return { pointer: parts.map((part) => `/${part}`).join(""), detail: message };
}
