/** Encodes errors of requests that were refused before they reached tRPC, in the form that its clients read. */
import {
  type AnyTRPCRouter,
  getErrorShape,
  transformTRPCResponse,
  type TRPC_ERROR_CODE_KEY,
  TRPCError,
} from "@trpc/server";
import { AppError } from "#shared/errors.ts";

const CODES: Partial<Record<number, TRPC_ERROR_CODE_KEY>> = {
  403: "FORBIDDEN",
  404: "NOT_FOUND",
  408: "TIMEOUT",
  413: "PAYLOAD_TOO_LARGE",
  429: "TOO_MANY_REQUESTS",
  431: "PAYLOAD_TOO_LARGE",
  500: "INTERNAL_SERVER_ERROR",
  503: "SERVICE_UNAVAILABLE",
};

/** Returns the JSON of one error. The client of a batch reads it as the answer to each of its calls. */
export function refusalOf(
  config: AnyTRPCRouter["_def"]["_config"],
  status: number,
  message: string,
  retryAfterMs?: number,
): string {
  const passing = status === 503 ? "UNAVAILABLE" : "RATE_LIMITED";
  const cause =
    retryAfterMs === undefined ? undefined : new AppError(passing, message, { retryAfterMs });
  const error = new TRPCError({ code: CODES[status] ?? "BAD_REQUEST", message, cause });
  const call = { type: "unknown", path: undefined, input: undefined, ctx: undefined } as const;
  const shape = getErrorShape({ config, error, ...call });
  return JSON.stringify(transformTRPCResponse(config, { error: shape }));
}
