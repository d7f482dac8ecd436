/** Maps our errors to tRPC's: its codes, our code beside them, and the issues of an input by field. */
import { type TRPC_ERROR_CODE_KEY, TRPCError } from "@trpc/server";
import { ZodError } from "zod";
import type { FlatIssues } from "#shared/api.ts";
import { cutText } from "#shared/cut-text.ts";
import { AppError, type ErrorCode } from "#shared/errors.ts";
import { FAULT, publicMessageOf } from "#shared/public-message.ts";
import { tooManyCalls } from "./batch.ts";
import { SEND_JSON } from "#server/transports/requests/json-body.ts";

const TRPC_CODE = {
  BAD_REQUEST: "BAD_REQUEST",
  INCOMPATIBLE_CLIENT: "PRECONDITION_FAILED",
  UNAUTHENTICATED: "UNAUTHORIZED",
  TOKEN_EXPIRED: "UNAUTHORIZED",
  FORBIDDEN: "FORBIDDEN",
  NOT_FOUND: "NOT_FOUND",
  ILLEGAL_TRANSITION: "CONFLICT",
  KEY_REUSED: "UNPROCESSABLE_CONTENT",
  CLAIM_LOST: "CONFLICT",
  RATE_LIMITED: "TOO_MANY_REQUESTS",
  UNAVAILABLE: "SERVICE_UNAVAILABLE",
  DATA_UNUSABLE: "INTERNAL_SERVER_ERROR",
  INTERNAL: "INTERNAL_SERVER_ERROR",
} as const satisfies Record<ErrorCode, TRPC_ERROR_CODE_KEY>;

/** The number of issues that an error lists. A small input can have very many. */
const MAX_ISSUES = 100;
const MAX_MESSAGE_LENGTH = 10_000;
/** tRPC's message for an HTTP batch of more than `maxBatchSize` calls. It does not state the limit. */
const TRPC_BATCH_TOO_LARGE = "Batch call exceeds maximum size";
/** tRPC's message for a wrong Content-Type, which it checks first. It does not say which type to send. */
const TRPC_TYPE_UNKNOWN = /^(?:Unsupported content-type "|Missing content-type header$)/;

/** Maps an error of a procedure to tRPC's. The message of an unexpected error stays in the log. */
export function toTRPCError(thrown: unknown): TRPCError {
  if (thrown instanceof TRPCError && thrown.cause === undefined) return thrown;
  const cause = thrown instanceof TRPCError ? thrown.cause : thrown;
  if (cause instanceof AppError) {
    return new TRPCError({ code: TRPC_CODE[cause.code], message: publicMessageOf(cause), cause });
  }
  if (thrown instanceof TRPCError && thrown.code !== "INTERNAL_SERVER_ERROR") return thrown;
  return new TRPCError({ code: "INTERNAL_SERVER_ERROR", message: FAULT, cause });
}

export function appCodeOf(error: TRPCError): ErrorCode {
  if (error.cause instanceof AppError) return error.cause.code;
  if (error.code === "NOT_FOUND" || error.code === "FORBIDDEN") return error.code;
  // All other errors that tRPC itself throws are faults of the client's request.
  return error.code === "INTERNAL_SERVER_ERROR" ? "INTERNAL" : "BAD_REQUEST";
}

/** Of `RATE_LIMITED`. */
export function retryAfterOf({ cause }: TRPCError): number | undefined {
  return cause instanceof AppError ? cause.retryAfterMs : undefined;
}

export function flatIssuesOf(error: TRPCError): FlatIssues | null {
  const { cause } = error;
  if (cause instanceof ZodError) return flatten(cause.issues.slice(0, MAX_ISSUES));
  if (cause instanceof AppError && cause.issues.length > 0) return flatten(cause.issues);
  return null;
}

/** Replaces messages of zod, the parser and tRPC that are not for people, or do not say what to do. */
export function messageOfInput(error: TRPCError): string {
  const { cause } = error;
  if (TRPC_TYPE_UNKNOWN.test(error.message)) return SEND_JSON;
  if (error.code === "METHOD_NOT_SUPPORTED") return "Use GET for queries and POST for mutations.";
  if (error.message === TRPC_BATCH_TOO_LARGE) return tooManyCalls().message;
  if (cause instanceof SyntaxError) return shortened(`The input is not JSON: ${cause.message}.`);
  if (!(cause instanceof ZodError)) return shortened(error.message);
  const told = cause.issues.slice(0, MAX_ISSUES);
  const texts = told.map(
    ({ path, message }) => `${path.length > 0 ? `${path.join(".")}: ` : ""}${message}`,
  );
  const untold = cause.issues.length - told.length;
  return shortened([...texts, ...(untold > 0 ? [`and ${untold} more`] : [])].join("; "));
}

/** Messages can quote long input of a client: a path, a name, a key. */
function shortened(message: string): string {
  return cutText(message, MAX_MESSAGE_LENGTH);
}

function flatten(issues: readonly { path: readonly PropertyKey[]; message: string }[]): FlatIssues {
  const formErrors: string[] = [];
  // A map, because a field can have the name of an inherited property such as `constructor`.
  const fields = new Map<string, string[]>();
  for (const { path, message } of issues) {
    const field = path.join(".");
    const known = path.length === 0 ? formErrors : fields.get(field);
    if (known === undefined) fields.set(field, [message]);
    else known.push(message);
  }
  return { formErrors, fieldErrors: Object.fromEntries(fields) };
}
