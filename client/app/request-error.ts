/** Messages for people about a failed request. Pure. */
import { TRPCClientError } from "@trpc/client";
import { failureOf } from "#client/lib/client.ts";
import type { ApiRouter, FlatIssues } from "#shared/api.ts";

/** `again`: advice for the case that the server gave no answer. */
export function requestErrorMessage(
  error: unknown,
  again = "Try again once the connection is back.",
): string {
  const { code, message } = failureOf(error);
  return code === undefined ? `The server cannot be reached. ${again}` : message;
}

/** Both create procedures take an idempotency key, so a repeated request creates nothing new. */
export const REPEAT_CREATE = "Try again: repeating the request creates no duplicate.";

/** The messages about fields of the request, by the path of the field: `{ "input.url": ["…"] }`. */
export function fieldErrorsOf(error: unknown): FlatIssues["fieldErrors"] {
  if (!(error instanceof TRPCClientError)) return {};
  const { data } = error as TRPCClientError<ApiRouter>;
  return data?.zodError?.fieldErrors ?? {};
}
