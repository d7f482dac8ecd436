/**
 * The text of an error of openid-client, for the log. Its `cause` may hold claims, codes and tokens, so only known parts of it
 * are used.
 */
import { AuthorizationResponseError, ResponseBodyError } from "openid-client";
import { cutText } from "#shared/cut-text.ts";
import { messageOf } from "#shared/errors.ts";

const MAX_REASON_CHARS = 500;

export function reasonOf(error: unknown): string {
  return cutText(plainReasonOf(error), MAX_REASON_CHARS);
}

function plainReasonOf(error: unknown): string {
  if (error instanceof AuthorizationResponseError || error instanceof ResponseBodyError) {
    const { error: code, error_description: description } = error;
    const status = error instanceof ResponseBodyError ? `HTTP ${error.status}, ` : "";
    return `${status}${code}${description === undefined ? "" : ` (${description})`}`;
  }
  const { code, cause } = error as { code?: unknown; cause?: unknown };
  const status = cause instanceof Response ? `, HTTP ${cause.status}` : "";
  const inner = messageWithin(cause);
  const known = typeof code === "string" ? `, ${code}` : "";
  return `${messageOf(error)}${known}${status}${inner === undefined ? "" : `: ${inner}`}`;
}

/** Of `fetch`, the reason is in the cause of the cause: `connect ECONNREFUSED …`. Messages of errors hold no tokens. */
function messageWithin(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined;
  const inner = messageWithin(cause.cause);
  return inner === undefined ? cause.message : `${cause.message}: ${inner}`;
}
