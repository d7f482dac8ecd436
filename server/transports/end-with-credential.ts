/**
 * Ends connections whose caller's credential ends before its time: the sign-in of its cookie, or its API key, or the key with
 * which the sign-in was made. The client reconnects, and all that it asks for is checked again.
 */
import type { Caller, TransportContext } from "./contract.ts";

/** A socket, or the response of a stream. */
export interface Lasting {
  readonly destroyed?: boolean;
  destroy(): unknown;
  once(event: "close", listener: () => void): unknown;
  off(event: "close", listener: () => void): unknown;
}

export type CredentialEnds = Pick<TransportContext, "signIns" | "onKeyEnd">;

/** False for most callers, whose credentials end at a known time or not at all. */
export function mayEndEarly({ signInId, credential }: Caller): boolean {
  return signInId !== undefined || credential?.keyHash !== undefined;
}

/** Returns what stops it, for a connection that gets another credential. It stops with the connection in any case. */
export function endWithCredential(
  { signIns, onKeyEnd }: CredentialEnds,
  { signInId, credential }: Caller,
  connection: Lasting,
): (() => void) | undefined {
  if (connection.destroyed === true) return undefined;
  const end = () => void connection.destroy();
  const stops: (() => void)[] = [];
  if (signInId !== undefined) stops.push(signIns?.signIns.onEnd(signInId, end) ?? (() => {}));
  const { keyHash } = credential ?? {};
  if (keyHash !== undefined) stops.push(onKeyEnd?.(keyHash, end) ?? (() => {}));
  if (stops.length === 0) return undefined;
  const stop = () => {
    connection.off("close", stop);
    for (const each of stops) each();
  };
  connection.once("close", stop);
  return stop;
}
