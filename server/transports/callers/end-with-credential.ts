/**
 * Ends connections whose caller's credential ends before its time: a sign-in, an API key or a token, or the one that the
 * sign-in was made with. The client reconnects, and all that it asks for is checked again.
 */
import type { Caller, TransportContext } from "#server/transports/contract.ts";

/** A socket, or the response of a stream. */
export interface Lasting {
  readonly destroyed?: boolean;
  destroy(): unknown;
  once(event: "close", listener: () => void): unknown;
  off(event: "close", listener: () => void): unknown;
}

export type CredentialEnds = Pick<TransportContext, "onCredentialEnd">;

/** Returns what stops it, for a connection that gets another credential. It stops with the connection in any case. */
export function endWithCredential(
  { onCredentialEnd }: CredentialEnds,
  caller: Caller,
  connection: Lasting,
): (() => void) | undefined {
  if (connection.destroyed === true || caller.credential === undefined) return undefined;
  const stopWatching = onCredentialEnd?.(caller, () => void connection.destroy());
  if (stopWatching === undefined) return undefined;
  const stop = () => {
    connection.off("close", stop);
    stopWatching();
  };
  connection.once("close", stop);
  return stop;
}
