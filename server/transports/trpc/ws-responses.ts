/**
 * Encodes the messages to a tRPC WebSocket client. Every request gets an answer: if an output does not serialise, or
 * `errorFormatter` throws, the client receives a plain error.
 */
import {
  type AnyTRPCRouter,
  getErrorShape,
  getTRPCErrorFromUnknown,
  isTrackedEnvelope,
  transformTRPCResponse,
  type TRPCError,
  type TRPCErrorShape,
  type TRPCProcedureType,
} from "@trpc/server";
import { TRPC_ERROR_CODES_BY_KEY, type TRPCResponseMessage } from "@trpc/server/rpc";
import type { Address, Format, Payload } from "./ws-format.ts";

/** The call that caused an error. */
export interface Call {
  readonly type: TRPCProcedureType | "unknown";
  readonly path: string | undefined;
  readonly input: unknown;
}

export const NO_CALL: Call = { type: "unknown", path: undefined, input: undefined };

/** Reveals nothing about the error, whose details `errorFormatter` may hide. */
const PLAIN: TRPCErrorShape = {
  code: TRPC_ERROR_CODES_BY_KEY.INTERNAL_SERVER_ERROR,
  message: "Internal server error",
  data: { code: "INTERNAL_SERVER_ERROR", httpStatus: 500 },
};

const SMALL_IDS = 1024;

export interface Responses {
  /** Throws the errors of the transformer and of `JSON.stringify`. */
  result(
    to: Address,
    result: { type: "started" | "stopped" } | { type: "data"; data: unknown },
  ): Payload;
  /** Encodes a value of a subscription, which may carry an id: `tracked(id, data)`. */
  value(to: Address, value: unknown): Payload;
  /** Never throws. */
  error(to: Address, error: TRPCError, call: Call, context: unknown): Payload;
  /** Returns what stands before the result of an answer. Cached for small ids, as most clients count from 1. */
  beforeResult(to: Address): string;
}

export function createResponses(
  config: AnyTRPCRouter["_def"]["_config"],
  format: Pick<Format<unknown>, "encode" | "headOf">,
  onFault: (error: TRPCError, call: Call) => void,
): Responses {
  const heads = Array.from<string | undefined>({ length: SMALL_IDS });
  // tRPC's type forbids `jsonrpc: undefined`, which `JSON.stringify` omits.
  const encode = (message: object) =>
    format.encode(transformTRPCResponse(config, message as TRPCResponseMessage));

  return {
    result: (to, result) => encode({ ...to, result }),
    value(to, value) {
      if (!isTrackedEnvelope(value))
        return encode({ ...to, result: { type: "data", data: value } });
      const [id, data] = value;
      return encode({ ...to, result: { type: "data", data: { id, data }, id } });
    },
    error(to, error, call, ctx) {
      try {
        return encode({ ...to, error: getErrorShape({ config, error, ctx, ...call }) });
      } catch (cause) {
        onFault(getTRPCErrorFromUnknown(cause), call);
        return encode({ ...to, error: PLAIN });
      }
    },
    beforeResult(to) {
      const { id, jsonrpc } = to;
      if (jsonrpc !== undefined || typeof id !== "number" || !(id in heads))
        return format.headOf(to);
      return (heads[id] ??= format.headOf(to));
    },
  };
}
