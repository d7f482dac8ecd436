/** The description of a WebSocket for the creation of its context, as tRPC's own handler gives it. */
import type { TRPCRequestInfo } from "@trpc/server/http";

/** `signal` is called when a procedure first reads the signal. */
export function requestInfo(
  connectionParams: TRPCRequestInfo["connectionParams"],
  signal: () => AbortSignal,
): TRPCRequestInfo {
  return {
    connectionParams,
    calls: [],
    isBatchCall: false,
    accept: null,
    type: "unknown",
    get signal() {
      return signal();
    },
    url: null,
  };
}
