/**
 * Encodes the messages to a tRPC WebSocket client. Every request gets an answer: where the answer or even its error
 * cannot be put into words (an output that does not serialise, an `errorFormatter` that throws), a plain one is sent.
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

/** Where an answer goes. `jsonrpc` is given back as it came. */
export interface Address {
  readonly id: number | string | null;
  readonly jsonrpc?: "2.0" | undefined;
}

/** The call that an error is about. */
export interface Call {
  readonly type: TRPCProcedureType | "unknown";
  readonly path: string | undefined;
  readonly input: unknown;
}

export const NO_CALL: Call = { type: "unknown", path: undefined, input: undefined };

/** Says nothing about the error, which is what `errorFormatter` may have wanted to hide. */
const PLAIN: TRPCErrorShape = {
  code: TRPC_ERROR_CODES_BY_KEY.INTERNAL_SERVER_ERROR,
  message: "Internal server error",
  data: { code: "INTERNAL_SERVER_ERROR", httpStatus: 500 },
};

const SMALL_IDS = 1024;

export interface Responses {
  /** Throws what the transformer or `JSON.stringify` throws. */
  result(
    to: Address,
    result: { type: "started" | "stopped" } | { type: "data"; data: unknown },
  ): string;
  /** A value that a subscription gave, which may carry an id: `tracked(id, data)`. */
  value(to: Address, value: unknown): string;
  /** Never throws. */
  error(to: Address, error: TRPCError, call: Call, context: unknown): string;
  /** The text of an answer up to its result. The same string for the same small id: most clients count from 1. */
  beforeResult(to: Address): string;
  /** The text of a stream's entry from its result on. */
  entryAfterId(id: string, data: unknown): string;
}

export function createResponses(
  config: AnyTRPCRouter["_def"]["_config"],
  onFault: (error: TRPCError, call: Call) => void,
): Responses {
  const heads = Array.from<string | undefined>({ length: SMALL_IDS });
  // `jsonrpc: undefined` is not in tRPC's type, and not in the text either.
  const encode = (message: object) =>
    JSON.stringify(transformTRPCResponse(config, message as TRPCResponseMessage));

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
      if (jsonrpc !== undefined || typeof id !== "number" || !(id in heads)) return headOf(to);
      return (heads[id] ??= headOf(to));
    },
    entryAfterId(id, data) {
      const serialized: unknown = config.transformer.output.serialize({ id, data });
      return `"result":{"type":"data","data":${JSON.stringify(serialized)},"id":${JSON.stringify(id)}}}`;
    },
  };
}

function headOf({ id, jsonrpc }: Address): string {
  return `{"id":${JSON.stringify(id)},${jsonrpc === undefined ? "" : `"jsonrpc":"${jsonrpc}",`}`;
}
